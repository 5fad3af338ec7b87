"""A call of any operation that works: its arguments, in a workspace where they mean something."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from secrets import randbelow
from typing import Any, TypeAlias, cast

from chatwright.catalogue import CATALOGUE
from chatwright.features.messaging.attachments.operations import new_key
from chatwright.features.workspaces.authentication import Presented
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.errors import ApprovalRequired
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.channel import register_channel
from tests.features.messaging.paper import PaperChannel
from tests.features.messaging.postal import PostalChannel
from tests.makers import World
from tests.sampling import FILTER, IdOf, arguments_for, id_places


@dataclass(frozen=True)
class Sample:
    """A call that is let through and succeeds, unless the same one was made before."""

    caller: Caller
    arguments: dict[str, Any]


Situation: TypeAlias = Callable[[World], Awaitable[Sample]]


async def sample_of(operation: AnyOperation, world: World) -> Sample:
    """One call of an operation, on things made for it alone where it concerns any."""
    situation = SITUATIONS.get(operation.name)
    if situation is not None:
        return await situation(world)
    place = next((place for place in id_places(operation) if place.required), None)
    return Sample(world.desk.caller, await filled(arguments_for(operation, place), world))


async def filled(arguments: Any, world: World) -> Any:
    """Arguments with the id of a new thing wherever one belongs."""
    match arguments:
        case IdOf(noun, _):
            return await world.fresh(noun)
        case dict():
            fields = cast("dict[str, Any]", arguments)
            return {name: await filled(inner, world) for name, inner in fields.items()}
        case list():
            return [await filled(inner, world) for inner in cast("list[Any]", arguments)]
        case _:
            return arguments


def having(noun: str | None = None, /, **arguments: Any) -> Situation:
    """A call with these arguments, beside the id of a new thing where a kind is named; `{}` is new each time."""

    async def situation(world: World) -> Sample:
        id_of_it = {} if noun is None else {f"{noun}_id": await world.fresh(noun)}
        return Sample(world.desk.caller, {**id_of_it, **_named_anew(arguments)})

    return situation


def _named_anew(arguments: Any) -> Any:
    match arguments:
        case str():
            return arguments.replace("{}", new_id().hex)
        case list():
            return [_named_anew(inner) for inner in cast("list[Any]", arguments)]
        case dict():
            return {name: _named_anew(inner) for name, inner in cast("dict[str, Any]", arguments).items()}
        case _:
            return arguments


async def _new_inbox(world: World) -> Sample:
    register_channel(PaperChannel())
    return Sample(world.desk.caller, _named_anew({"channel": "paper", "name": "Wall {}", "settings": {}}))


async def _paper_inbox(world: World) -> Sample:
    register_channel(PaperChannel())
    return Sample(world.desk.caller, _named_anew({"channel": "paper", "name": "Wall {}"}))


async def _identified(world: World) -> Sample:
    identity = {"inbox_id": await world.fresh("inbox"), "kind": "visitor", "value": new_id().hex}
    return Sample(world.desk.caller, {"identity": identity, "name": "Sample"})


async def _known_file(world: World) -> Sample:
    facts = {"filename": "a.png", "media_type": "image/png", "size": 1}
    return Sample(world.desk.caller, {"storage_key": new_key(world.desk.caller), **facts})


async def _blocked(world: World) -> Sample:
    contact_id = await world.fresh("contact")
    await world.call("contacts.block", contact_id=contact_id)
    return Sample(world.desk.caller, {"contact_id": contact_id})


async def _tagged(world: World) -> Sample:
    contact_id = await world.fresh("contact")
    await world.call("contacts.add_tags", contact_id=contact_id, tags=["VIP"])
    return Sample(world.desk.caller, {"contact_id": contact_id, "tags": ["VIP"]})


async def _begun_import(world: World) -> Sample:
    begun = await world.call("imports.start", csv="email\nan@example.com\n")
    return Sample(world.desk.caller, {"import_id": begun["id"]})


async def _policy(world: World) -> Sample:
    return Sample(_person(world), {"supervision": "none", "hours": randbelow(600) + 1})


async def _postbox(world: World) -> str:
    """Id of an inbox whose provider approves templates."""
    register_channel(PostalChannel())
    settings = {"box": new_id().hex}
    return (await world.call("inboxes.create", channel="postal", name="Post", settings=settings))["id"]


async def _sync(world: World) -> Sample:
    """A template that its provider does not know any more."""
    template = await world.call("templates.get", template_id=await world.fresh("template"))
    register_channel(PostalChannel())
    return Sample(world.desk.caller, {"inbox_id": template["inbox_id"]})


async def _draft(world: World) -> Sample:
    parts = [{"type": "BODY", "text": "Hello!"}]
    named = {"name": f"t{new_id().hex}", "language": "en", "category": "utility", "components": parts}
    return Sample(world.desk.caller, {"inbox_id": await _postbox(world), **named})


async def _closed(world: World) -> Sample:
    conversation_id = await world.fresh("conversation")
    await world.call("conversations.close", conversation_id=conversation_id)
    return Sample(world.desk.caller, {"conversation_id": conversation_id})


async def _export(world: World) -> Sample:
    return Sample(world.desk.caller, {"segment_id": await world.fresh("segment")})


async def _message(world: World, **changes: Any) -> str:
    conversation_id = await world.id_of("conversation")
    arguments = {"conversation_id": conversation_id, "text": "hello", **changes}
    return (await world.call("messages.send", **arguments))["id"]


async def _queued(world: World) -> Sample:
    return Sample(world.desk.caller, {"message_id": await _message(world)})


def _that_ended(status: str, state: str) -> Situation:
    """A message that was sent, with this result."""

    async def situation(world: World) -> Sample:
        message_id = await _message(world)
        async with world.desk.product.database.transaction() as unit:
            await unit.connection.execute("update messages set status = $2 where id = $1", message_id, status)
            await unit.connection.execute(
                "update deliveries set status = $2, state = $3 where message_id = $1",
                message_id,
                status,
                state,
            )
        return Sample(world.desk.caller, {"message_id": message_id})

    return situation


async def _held(world: World) -> Sample:
    """A message that waits for release, which nobody gives to what they wrote themselves."""
    message_id = await _message(world, hold_for_approval=True)
    return Sample(_somebody_else(world), {"message_id": message_id})


async def _waiting(world: World) -> Sample:
    """A call of a supervised program that waits for approval, and a person who decides it."""
    made = await world.call("token.create", name="robot", supervised=True)
    here = Presented(Surface.HTTP, client="tests")
    robot = await world.desk.product.authenticator.by_token(made["token"], here)
    delete = next(operation for operation in CATALOGUE if operation.name == "tags.delete")
    try:
        await world.desk.product.pipeline.run(robot, delete, {"tag_id": await world.fresh("tag")})
    except ApprovalRequired as error:
        return Sample(_person(world), {"approval_id": str((error.details or {})["approval_id"])})
    raise LookupError("approval")


def _somebody_else(world: World) -> Caller:
    return replace(world.desk.caller, principal_id=str(new_id()), name="Somebody")


def _person(world: World) -> Caller:
    """A member of the workspace, at their screen."""
    return replace(_somebody_else(world), kind=PrincipalKind.MEMBER)


SITUATIONS: dict[str, Situation] = {
    "approvals.approve": _waiting,
    "approvals.refuse": _waiting,
    "attachments.register": _known_file,
    "contacts.remove_tags": _tagged,
    "contacts.unblock": _blocked,
    "contacts.update": having("contact", name="Sample {}"),
    "contacts.create": having(name="Sample {}"),
    "contacts.upsert": _identified,
    "conversations.reopen": _closed,
    "conversations.set_owner": having("conversation", owner="paused"),
    "exports.start": _export,
    "fields.create": having(key="f{}", kind="text"),
    "imports.cancel": _begun_import,
    "imports.start": having(csv="email\n{}@example.com\n"),
    "inboxes.connect": _new_inbox,
    "inboxes.create": _paper_inbox,
    "members.invite": having(email="{}@example.com"),
    "messages.cancel": _queued,
    "messages.mark_sent": _that_ended("unknown", "done"),
    "messages.release": _held,
    "messages.resend": _that_ended("failed", "failed"),
    "messages.check_send": having("conversation"),
    "oauth_clients.create": having(name="Sample {}"),
    "saved_replies.save": having(shortcut="{}", text="Sample"),
    "segments.create": having(name="Sample {}", filter=FILTER),
    "tags.create": having(name="Sample {}"),
    "tags.rename": having("tag", name="Sample {}"),
    "templates.create": _draft,
    "templates.sync": _sync,
    "token.create": having(name="Sample {}"),
    "workspace.create": having(name="Sample {}"),
    "workspace.set_approval_policy": _policy,
    "workspace.update": having(name="Sample {}"),
}
"""Operations that want more than new things of their kinds."""
