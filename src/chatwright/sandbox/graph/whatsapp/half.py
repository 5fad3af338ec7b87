"""WhatsApp's accounts, people and nodes."""

import re
from typing import Any

from chatwright.sandbox.graph import templates
from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson, Template
from chatwright.sandbox.graph.answers import DONE, Edges, selected
from chatwright.sandbox.graph.apps import describe, shake_hands
from chatwright.sandbox.graph.calls import Call, Desk
from chatwright.sandbox.graph.errors import invalid, missing, no_object
from chatwright.sandbox.graph.files import Files, check_upload, described
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.reading import Part
from chatwright.sandbox.graph.whatsapp.events import Events
from chatwright.sandbox.graph.whatsapp.people import People
from chatwright.sandbox.graph.whatsapp.sending import Sending
from chatwright.sandbox.graph.whatsapp.statuses import Statuses
from chatwright.sandbox.graph.whatsapp.wire import digest, new_user_id
from chatwright.sandbox.hooks import Hooks
from chatwright.sandbox.provider import Action, NewAccount, NewPerson
from chatwright.sandbox.world import SandboxConflict, World

REVIEW_SECONDS = 1.0


class WhatsApp:
    """Everything that is WhatsApp's own."""

    def __init__(self, world: World, hooks: Hooks, desk: Desk, outbox: Outbox, files: Files) -> None:
        self._world = world
        self._hooks = hooks
        self._desk = desk
        self._files = files
        statuses = Statuses(world, outbox)
        self._people = People(world, outbox, statuses, files)
        self._events = Events(world, outbox)
        sending = Sending(world, hooks, statuses, files)
        self.edges: Edges = {
            ("POST", "messages"): sending.messages,
            ("POST", "marketing_messages"): sending.messages,
            ("POST", "media"): self._upload,
            ("GET", ""): self._show,
            ("POST", ""): self._configure,
            ("DELETE", ""): self._remove,
            ("POST", "register"): self._done,
            ("POST", "block_users"): self._block,
            ("DELETE", "block_users"): self._block,
            ("GET", "phone_numbers"): self._list_numbers,
            ("GET", "message_templates"): self._list_templates,
            ("POST", "message_templates"): self._create_template,
            ("DELETE", "message_templates"): self._delete_template,
            ("GET", "subscribed_apps"): self._list_apps,
            ("POST", "subscribed_apps"): self._subscribe,
            ("DELETE", "subscribed_apps"): self._unsubscribe,
        }

    def create_account(self, new: NewAccount, account: GraphAccount) -> GraphAccount:
        """Complete a number; those of one business account share its templates."""
        account.owner_id = str(new.details.get("waba_id") or 10**14 + self._world.number())
        phone = re.sub(r"\D", "", str(new.details.get("display_phone_number", "")))
        account.details["waba_id"] = account.owner_id
        account.details["webhook_overrides"] = account.overrides
        account.details["display_phone_number"] = phone or f"1555{self._world.number():07d}"
        for sibling in self._desk.accounts():
            if sibling.is_whatsapp and sibling.owner_id == account.owner_id:
                account.templates = sibling.templates
        return account

    def create_person(self, account: GraphAccount, new: NewPerson) -> GraphPerson:
        """Make somebody with a phone number, or with a business-scoped id alone (`details.phone_hidden`)."""
        phone = re.sub(r"\D", "", new.phone or new.id or "") or f"1555{8000000 + self._world.number()}"
        given = new.details
        person = GraphPerson(
            phone,
            new.name,
            new.username,
            phone,
            locale=new.locale,
            user_id=str(given.get("user_id") or new_user_id(phone)),
            parent_user_id=str(given.get("parent_user_id", "")),
            phone_hidden=bool(given.get("phone_hidden", False)),
        )
        if {person.phone, person.user_id} & account.addresses.keys():
            raise SandboxConflict("The number knows somebody by that phone or user id already.")
        account.addresses[person.phone] = account.addresses[person.user_id] = person
        person.details["user_id"] = person.user_id
        return person

    def act(self, account: GraphAccount, person: GraphPerson, action: Action) -> str | None:
        """See `Provider.act`."""
        return self._people.act(account, person, action)

    def occur(self, account: GraphAccount, name: str, values: dict[str, Any]) -> str | None:
        """See `Provider.occur`."""
        return self._events.occur(account, name, values)

    async def _upload(self, call: Call) -> dict[str, Any]:
        if call.body.get("messaging_product") != "whatsapp":
            raise missing("messaging_product")
        if (upload := call.files.get("file")) is None:
            raise missing("file")
        mime_type = str(call.body.get("type") or upload.mime_type)
        check_upload(mime_type, upload.content)
        return {"id": self._files.keep(call.account, upload.content, mime_type, upload.filename).id}

    async def _show(self, call: Call) -> dict[str, Any]:
        account, node = call.account, call.node
        if node in account.templates:
            return selected(call, account.templates[node].shown())
        if (file := self._files.find(account, node)) is not None:
            url = self._files.address(account, file, private=True)
            return {"url": url, **described(file, digest(file.content))}
        if node == account.owner_id:
            return selected(call, {"id": node, "name": account.name, "currency": "USD", "timezone_id": "1"})
        if node == account.id:
            return selected(call, _number(account))
        raise no_object(node)

    async def _configure(self, call: Call) -> dict[str, Any]:
        account = call.account
        if call.node in account.templates:
            self._review(account, templates.edit(call, account.templates[call.node]))
            return DONE
        if call.node != account.id:
            raise no_object(call.node)
        webhook = Part(call.body, "", lacking=missing, wrong=invalid).part_or_none("webhook_configuration")
        if webhook is not None:
            await _override("phone_number", webhook, [account])
        return DONE

    async def _remove(self, call: Call) -> dict[str, Any]:
        if call.account.files.pop(call.node, None) is None:
            raise no_object(call.node)
        return DONE

    async def _done(self, call: Call) -> dict[str, Any]:  # noqa: ARG002 - a handler's form.
        return DONE

    async def _block(self, call: Call) -> dict[str, Any]:
        body = Part(call.body, "", lacking=missing, wrong=invalid)
        users = [user.text("user") for user in body.parts("block_users")]
        return {
            "messaging_product": "whatsapp",
            "block_users": {"added_users": [{"input": user, "wa_id": user} for user in users]},
        }

    async def _list_numbers(self, call: Call) -> dict[str, Any]:
        numbers = [
            selected(call, _number(one))
            for one in self._desk.trusted(call.token)
            if one.is_whatsapp and one.owner_id == call.node
        ]
        return {"data": numbers, "paging": {"cursors": {"before": "0", "after": str(len(numbers))}}}

    async def _list_templates(self, call: Call) -> dict[str, Any]:
        return templates.listed(call)

    async def _create_template(self, call: Call) -> dict[str, Any]:
        if call.node != call.account.owner_id:
            raise no_object(call.node)
        template = templates.create(self._world, call)
        self._review(call.account, template)
        return {"id": template.id, "status": template.status, "category": template.category}

    def _review(self, account: GraphAccount, template: Template) -> None:
        template.status = "PENDING"
        self._hooks.spawn(self._decide(account, template))

    async def _decide(self, account: GraphAccount, template: Template) -> None:
        await self._world.clock.wait(float(account.details.get("review_seconds", REVIEW_SECONDS)))
        if template.status == "PENDING":
            self._events.template_status(account, template, *templates.verdict(template))

    async def _delete_template(self, call: Call) -> dict[str, Any]:
        return templates.delete(call)

    async def _list_apps(self, call: Call) -> dict[str, Any]:
        return {"data": [describe(call.account)] if call.account.subscribed else []}

    async def _subscribe(self, call: Call) -> dict[str, Any]:
        if call.node != call.account.owner_id:
            raise no_object(call.node)
        accounts = self._of_owner(call)
        await _override(
            "whatsapp_business_account", Part(call.body, "", lacking=missing, wrong=invalid), accounts
        )
        for account in accounts:
            account.subscribed.add("*")
        return DONE

    async def _unsubscribe(self, call: Call) -> dict[str, Any]:
        for account in self._of_owner(call):
            account.subscribed.clear()
        return DONE

    def _of_owner(self, call: Call) -> list[GraphAccount]:
        return [one for one in self._desk.trusted(call.token) if one.owner_id == call.account.owner_id]


async def _override(level: str, body: Part, accounts: list[GraphAccount]) -> None:
    """Set an address of its own, once hands were shaken there; without one, go back to the next level's."""
    url = body.text_or_none("override_callback_uri")
    if url:
        await shake_hands(url, body.text("verify_token"))
    for account in accounts:
        account.overrides.pop(level, None)
        if url:
            account.overrides[level] = url


def _number(account: GraphAccount) -> dict[str, Any]:
    phone = account.details["display_phone_number"]
    return {
        "id": account.id,
        "verified_name": account.name,
        "display_phone_number": f"+{phone}",
        "quality_rating": str(account.details.get("quality_rating", "GREEN")),
        "code_verification_status": "VERIFIED",
        "name_status": "APPROVED",
        "status": str(account.details.get("status", "CONNECTED")),
        "platform_type": "CLOUD_API",
        "account_mode": "LIVE",
        "messaging_limit_tier": str(account.details.get("messaging_limit_tier", "TIER_2K")),
        "throughput": {"level": str(account.details.get("throughput", "STANDARD"))},
        "webhook_configuration": {**account.overrides, "application": account.webhook_url or ""},
    }
