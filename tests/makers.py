"""One real thing of every kind, made in a workspace through the product's own doors."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from chatwright.catalogue import CATALOGUE
from chatwright.features.messaging.attachments.operations import new_key
from chatwright.features.workspaces.authentication import Join
from chatwright.features.workspaces.founding import make_setup_link
from chatwright.infra.claimer import Claimer
from chatwright.kernel.caller import Trust
from chatwright.kernel.errors import ApprovalRequired
from chatwright.ports.channel import register_channel
from chatwright.ports.inbound import RawEvent
from tests.conftest import Desk
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import PaperChannel, paper_inbox
from tests.features.messaging.postal import PostalChannel

_BY_NAME = {operation.name: operation for operation in CATALOGUE}


class World:
    """A workspace, and what was made in it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.ids: set[str] = {str(desk.caller.workspace_id)}
        """Every id there is of this workspace, as far as it was made here."""
        self._first: dict[str, str] = {}

    async def id_of(self, noun: str) -> str:
        """The id of this workspace's thing of a kind; it is made when first asked for."""
        if noun not in self._first:
            self._first[noun] = await self.fresh(noun)
        return self._first[noun]

    async def fresh(self, noun: str) -> str:
        """The id of a new one."""
        made = str(await MAKERS[noun](self))
        self.ids.add(made)
        return made

    async def furnish(self) -> None:
        """Have one thing of every kind."""
        for noun in MAKERS:
            await self.id_of(noun)

    async def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return await self.desk.call(_BY_NAME[operation], **arguments)


async def _contact(world: World) -> str:
    return (await world.call("contacts.create", name="Sample", emails=[f"{uuid4().hex}@example.com"]))["id"]


async def _inbox(world: World) -> str:
    return str(await paper_inbox(world.desk))


async def _conversation(world: World) -> str:
    post = Post(world.desk, UUID(await world.id_of("inbox")), PaperChannel())
    return (await post.begin(f"hello {uuid4().hex}", sender=uuid4().hex))["id"]


async def _message(world: World) -> str:
    page = await world.call("messages.list", conversation_id=await world.id_of("conversation"))
    return page["items"][0]["id"]


async def _member(world: World) -> str:
    caller = world.desk.caller
    async with world.desk.product.database.transaction():
        path = await make_setup_link(caller.workspace_id)
    person = {"link": path.partition("#")[2], "name": "Ada", "password": "correct horse battery"}
    email = f"{uuid4().hex}@example.com"
    await world.desk.product.sessions.join(Join.model_validate({**person, "email": email}), "tests")
    members = (await world.call("members.list", limit=200))["items"]
    return next(member["id"] for member in members if member["email"] == email)


async def _token(world: World) -> str:
    return (await world.call("token.create", name="Sample"))["access_token"]["id"]


async def _approval(world: World) -> str:
    caller = replace(world.desk.caller, trust=Trust.UNTRUSTED)
    arguments = {"tag_id": await _tag(world)}
    try:
        await world.desk.product.pipeline.run(caller, _BY_NAME["tags.delete"], arguments)
    except ApprovalRequired as error:
        return str((error.details or {})["approval_id"])
    raise LookupError("approval")


async def _client(world: World) -> str:
    return (await world.call("oauth_clients.create", name="Sample"))["client"]["client_id"]


async def _grant(world: World) -> str:
    return (await world.call("oauth_clients.create", name="Sample"))["grant"]["id"]


async def _tag(world: World) -> str:
    return (await world.call("tags.create", name=uuid4().hex))["id"]


async def _field(world: World) -> str:
    return (await world.call("fields.create", key=f"f{uuid4().hex}", kind="text"))["id"]


async def _segment(world: World) -> str:
    condition = {"type": "boolean", "field": "blocked", "operator": "is_false"}
    return (await world.call("segments.create", name=uuid4().hex, filter=condition))["id"]


async def _note(world: World) -> str:
    return (await world.call("notes.add", contact_id=await world.id_of("contact"), text="Sample"))["id"]


async def _merge(world: World) -> str:
    contact_id, duplicate_id = await world.id_of("contact"), await _contact(world)
    made = await world.call("contacts.merge", contact_id=contact_id, duplicate_id=duplicate_id)
    return made["merge"]["id"]


async def _consent(world: World) -> str:
    contact_id = await world.id_of("contact")
    said = {"channel": "paper", "state": "opted_in", "source": "form"}
    await world.call("contacts.record_consent", contact_id=contact_id, **said)
    return (await world.call("contacts.list_consents", contact_id=contact_id))["items"][0]["id"]


async def _work(world: World) -> None:
    """Do all that workers would do now."""
    product = world.desk.product
    for ledger in product.ledgers:
        while await Claimer(product.database, product.signals, ledger).run_once():
            pass


async def _import(world: World) -> str:
    """One whose only row cannot be taken."""
    started = await world.call("imports.start", csv="email\nnot an address\n")
    await _work(world)
    return started["id"]


async def _export(world: World) -> str:
    """One whose file is there."""
    started = await world.call("exports.start")
    await _work(world)
    return started["id"]


async def _reply(world: World) -> str:
    return (await world.call("saved_replies.save", shortcut=uuid4().hex, text="Hello!"))["id"]


async def _attachment(world: World) -> str:
    facts = {"filename": "a.png", "media_type": "image/png", "size": 1}
    return (await world.call("attachments.register", storage_key=new_key(world.desk.caller), **facts))["id"]


async def _event(world: World) -> str:
    """One that nobody knows."""
    post = Post(world.desk, UUID(await world.id_of("inbox")), PaperChannel())
    await post.receive(RawEvent(uuid4().hex, "odd", {"kind": "hologram"}))
    inbox_id = await world.id_of("inbox")
    page = await world.call("inboxes.list_events", inbox_id=inbox_id, limit=200)
    return page["items"][-1]["id"]


async def _template(world: World) -> str:
    register_channel(PostalChannel())
    made = await world.call("inboxes.create", channel="postal", name="Post", settings={"box": uuid4().hex})
    draft = {"category": "utility", "components": [{"type": "BODY", "text": "Hello!"}]}
    name = f"t{uuid4().hex}"
    made = await world.call("templates.create", inbox_id=made["id"], name=name, language="en", **draft)
    return made["id"]


MAKERS: dict[str, Callable[[World], Awaitable[str]]] = {
    "attachment": _attachment,
    "client": _client,
    "consent": _consent,
    "contact": _contact,
    "conversation": _conversation,
    "event": _event,
    "export": _export,
    "field": _field,
    "grant": _grant,
    "import": _import,
    "inbox": _inbox,
    "member": _member,
    "merge": _merge,
    "message": _message,
    "note": _note,
    "reply": _reply,
    "segment": _segment,
    "approval": _approval,
    "tag": _tag,
    "template": _template,
    "token": _token,
}
