"""POST /{phone_number_id}/messages."""

import asyncio
import re
from typing import Any

from chatwright.sandbox.faults import Fate, by_ending
from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson
from chatwright.sandbox.graph.answers import DONE, Answer
from chatwright.sandbox.graph.calls import Call
from chatwright.sandbox.graph.errors import GraphError, missing, named, no_object
from chatwright.sandbox.graph.files import Files
from chatwright.sandbox.graph.reading import Part
from chatwright.sandbox.graph.whatsapp.allowances import number_bucket
from chatwright.sandbox.graph.whatsapp.bubbles import draw
from chatwright.sandbox.graph.whatsapp.statuses import Statuses, late_failure
from chatwright.sandbox.graph.whatsapp.wire import new_user_id, new_wamid
from chatwright.sandbox.hooks import Hooks
from chatwright.sandbox.world import Accepted, Bubble, Person, World

PAIR_SECONDS = 6.0
PAIR_BURST = 45.0
ADDRESS_LIMIT = 150
TYPING_SECONDS = 25.0
_USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


class Sending:
    """Takes messages of WhatsApp numbers."""

    def __init__(self, world: World, hooks: Hooks, statuses: Statuses, files: Files) -> None:
        self._world = world
        self._hooks = hooks
        self._statuses = statuses
        self._files = files

    async def messages(self, call: Call) -> Answer:
        """Take a message, or mark one read."""
        account, body = call.account, call.body
        if call.node != account.id:
            raise no_object(call.node)
        if body.get("messaging_product") != "whatsapp":
            raise missing("messaging_product")
        if body.get("status") is not None:
            return Answer(self._mark(account, body))
        if not body.get("to") and not body.get("recipient"):
            raise missing("to")
        return self._take(account, body)

    def _take(self, account: GraphAccount, body: dict[str, Any]) -> Answer:
        fate = account.dice.throw(account.faults)
        if fate is Fate.TOO_MANY:
            raise GraphError(
                130429,
                "Message failed to send because there were too many messages sent from "
                "this phone number in a short period of time.",
            )
        if fate is Fate.BROKEN:
            raise GraphError(131000, "Message failed to send due to an unknown error.")
        message = Part(
            body,
            "",
            lacking=lambda name: GraphError(131008, f"Required parameter {name} is missing."),
            wrong=lambda details: GraphError(131009, details),
        )
        person, contact = self._addressee(account, message)
        bubble = draw(account, message, new_wamid(), self._world.clock.stamp())
        self._check(account, contact["input"], person.id if person is not None else contact["input"])
        silent = fate is Fate.SILENT
        self._accept(account, person, contact["input"], bubble, silent=silent)
        accepted = {"id": bubble.id}
        if bubble.kind == "template":
            accepted["message_status"] = "accepted"
        return Answer(
            {"messaging_product": "whatsapp", "contacts": [contact], "messages": [accepted]}, silent
        )

    def _addressee(self, account: GraphAccount, message: Part) -> tuple[GraphPerson | None, dict[str, Any]]:
        """Whom it goes to, as far as there is somebody, and how the answer names them."""
        if message.has("to"):
            given = message.text("to", most=ADDRESS_LIMIT)
            wa_id = re.sub(r"\D", "", given)
            if not wa_id:
                raise message.wrong("Recipient is not a valid phone number.")
            if wa_id == re.sub(r"\D", "", account.details["display_phone_number"]):
                raise GraphError(131021, "Recipient phone number cannot be the sender's.")
            return account.addresses.get(wa_id), {"input": given, "wa_id": wa_id}
        given = message.text("recipient", most=ADDRESS_LIMIT)
        if not _USER_ID.fullmatch(given):
            raise message.wrong("Recipient is not a valid business-scoped user id.")
        if self._category(account, message) == "AUTHENTICATION":
            raise GraphError(131062)
        return account.addresses.get(given), {"input": given, "user_id": given}

    def _check(self, account: GraphAccount, address: str, pair: str) -> None:
        """Everything that is refused whatever the message says; allowances last, as they are used up."""
        faults, clock = account.faults, self._world.clock
        for fault in (faults.restricted, by_ending(faults.refused, address)):
            if fault is not None:
                raise named(fault)
        if not number_bucket(clock, account).take():
            raise GraphError(
                130429,
                "Message failed to send because there were too many messages sent from "
                "this phone number in a short period of time.",
            )
        seconds = float(account.details.get("pair_seconds", PAIR_SECONDS))
        burst = float(account.details.get("pair_burst", PAIR_BURST))
        if seconds and not account.bucket(clock, f"pair {pair}", rate=1 / seconds, burst=burst).take():
            raise GraphError(
                131056,
                "Message failed to send because there were too many messages sent from "
                "this phone number to the same phone number in a short period of time.",
            )

    def _accept(
        self,
        account: GraphAccount,
        person: GraphPerson | None,
        address: str,
        bubble: Bubble,
        *,
        silent: bool,
    ) -> None:
        category = self._category_of(account, bubble)
        failure = late_failure(self._world, person, category)
        known = person or _stranger(address)
        if failure is not None and account.faults.errors_at_once:
            raise failure
        own_id = bubble.details.get("biz_opaque_callback_data")
        account.accepted.append(
            Accepted(bubble.id, address, own_id, bubble.text, self._world.clock.now(), answered=not silent)
        )
        bubble.details = {**bubble.details, "_pricing": self._statuses.price(account, known, category)}
        self._hooks.spawn(self._arrive(account, known, bubble, failure, shown=person is not None))

    async def _arrive(
        self,
        account: GraphAccount,
        person: GraphPerson,
        bubble: Bubble,
        failure: GraphError | None,
        *,
        shown: bool,
    ) -> None:
        for media in bubble.media:
            if media.url and not media.content:
                fetched = await self._files.fetch(media.url)
                if fetched is None:
                    failure = failure or GraphError(131053, "Downloading media from the link failed.")
                else:
                    media.content, media.mime_type = fetched
        if shown and failure is None and not person.blocked:
            _show(person, bubble)
            self._world.touch(account, person)
        if bubble.kind != "reaction":
            await self._statuses.follow(account, person, bubble, failure)

    def _mark(self, account: GraphAccount, body: dict[str, Any]) -> dict[str, Any]:
        if body["status"] != "read":
            raise GraphError(100, message="Param status must be one of {read}.")
        message_id = body.get("message_id")
        if not message_id:
            raise missing("message_id")
        for person in account.people.values():
            if (bubble := person.thread.find(str(message_id))) is not None and bubble.side == "person":
                for earlier in person.thread.bubbles:
                    if earlier.side == "person":
                        earlier.tick = "read"
                    if earlier is bubble:
                        break
                if "typing_indicator" in body:
                    self._show_typing(account, person)
                self._world.touch(account, person)
                return DONE
        raise GraphError(131009, "The message id does not exist.")

    def _show_typing(self, account: GraphAccount, person: Person) -> None:
        def stop() -> None:
            person.thread.typing = False
            self._world.touch(account, person)

        person.thread.typing = True
        asyncio.get_running_loop().call_later(TYPING_SECONDS, stop)

    def _category(self, account: GraphAccount, message: Part) -> str | None:
        call: dict[str, Any] = message.fields.get("template") or {}
        language: dict[str, Any] = call.get("language") or {}
        found = account.find_template(str(call.get("name")), str(language.get("code")))
        return found.category if found is not None else None

    def _category_of(self, account: GraphAccount, bubble: Bubble) -> str | None:
        """The category of a template; of anything else None."""
        if bubble.kind != "template":
            return None
        call = bubble.details["template"]
        found = account.find_template(call["name"], call["language"]["code"])
        return found.category if found is not None else None


def _show(person: GraphPerson, bubble: Bubble) -> None:
    if bubble.kind == "reaction":
        target = person.thread.find(bubble.reply_to or "")
        if target is not None:
            target.reactions.pop("account", None)
            if bubble.text:
                target.reactions["account"] = bubble.text
        return
    context: dict[str, Any] = bubble.details.get("context") or {}
    bubble.reply_to = context.get("message_id")
    person.thread.add(bubble)


def _stranger(address: str) -> GraphPerson:
    """Somebody who is not on WhatsApp, for the status that says so."""
    if address[:1].isalpha():
        return GraphPerson(address, "", user_id=address)
    digits = re.sub(r"\D", "", address)
    return GraphPerson(digits, "", phone=digits, user_id=new_user_id(digits))
