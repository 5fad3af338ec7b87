"""What people do on WhatsApp, as webhooks."""

from collections.abc import Callable
from typing import Any

from chatwright.sandbox.graph.accounts import DAY, GraphAccount, GraphPerson
from chatwright.sandbox.graph.files import Files
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.whatsapp.allowances import number_bucket
from chatwright.sandbox.graph.whatsapp.statuses import Statuses
from chatwright.sandbox.graph.whatsapp.wire import (
    digest,
    is_nameless,
    moment,
    new_user_id,
    new_wamid,
    sender,
    value_of,
)
from chatwright.sandbox.provider import (
    Action,
    Block,
    CannotDo,
    Edit,
    Happen,
    Press,
    React,
    Read,
    Say,
    SendContact,
    SendLocation,
    SendMedia,
    Unblock,
    Unsend,
)
from chatwright.sandbox.world import Bubble, Media, World

FREE_ENTRY_SECONDS = 3 * DAY
_MEDIA = {"image", "video", "audio", "document", "sticker", "voice"}


class People:
    """Acts for the people that WhatsApp numbers know."""

    def __init__(self, world: World, outbox: Outbox, statuses: Statuses, files: Files) -> None:
        self._world = world
        self._outbox = outbox
        self._statuses = statuses
        self._files = files

    def act(self, account: GraphAccount, person: GraphPerson, action: Action) -> str | None:
        """Do it; returns the id of the bubble, if it made one."""
        said = self._speak(account, person, action)
        if said is None:
            self._touch(account, person, action)
        return said

    def _speak(self, account: GraphAccount, person: GraphPerson, action: Action) -> str | None:
        """What adds a message to the thread."""
        said: str | None = None
        match action:
            case Say():
                content = {"type": "text", "text": {"body": action.text}}
                said = self._say(account, person, content, action.text, action.reply_to, action.details)
            case SendMedia():
                said = self._send_media(account, person, action)
            case SendLocation():
                spot = action.model_dump(exclude={"type"}, exclude_defaults=True)
                content = {"type": "location", "location": spot}
                said = self._say(account, person, content, action.name or "Location")
            case SendContact():
                said = self._say(account, person, _card(action), action.name)
            case Press():
                said = self._press(account, person, action)
            case Happen(name="message"):
                kind = str(action.values.get("type", ""))
                said = self._say(account, person, action.values, kind)
            case Happen(name="unsupported"):
                said = self._say(account, person, _unsupported(action.values), "(unsupported)")
            case _:
                pass
        return said

    def _touch(self, account: GraphAccount, person: GraphPerson, action: Action) -> None:
        """What changes something that is there."""
        match action:
            case React():
                self._react(account, person, action)
            case Edit():
                self._edit(account, person, action)
            case Unsend():
                self._unsend(account, person, action)
            case Read():
                self._read(account, person)
            case Block() | Unblock():
                person.blocked = isinstance(action, Block)
            case Happen():
                self._happen(account, person, action)
            case _:
                raise CannotDo("People cannot do that on WhatsApp.")

    def _say(
        self,
        account: GraphAccount,
        person: GraphPerson,
        content: dict[str, Any],
        shown: str,
        reply_to: str | None = None,
        details: dict[str, Any] | None = None,
        media: list[Media] | None = None,
    ) -> str:
        """Send a message and put it into the thread."""
        message = {
            **sender(account, person),
            "id": new_wamid(),
            "timestamp": moment(account, self._world.clock.stamp()),
            **content,
            **(details or {}),
        }
        if reply_to is not None:
            message["context"] = {"from": account.details["display_phone_number"], "id": reply_to}
        kind = str(message["type"])
        bubble = Bubble(
            message["id"],
            "person",
            kind,
            self._world.clock.stamp(),
            text=shown,
            media=media or [],
            reply_to=reply_to,
            details=message,
        )
        person.thread.add(bubble)
        self._opened(account, person, referred="referral" in message)
        self._tell(account, person, message)
        return bubble.id

    def _opened(self, account: GraphAccount, person: GraphPerson, *, referred: bool) -> None:
        clock = self._world.clock
        person.last_said_at = clock.now()
        # What comes in counts as well, and is never refused.
        number_bucket(clock, account).take(force=True)
        person.wrote = True
        if referred:
            person.free_entry_until = clock.after(FREE_ENTRY_SECONDS)
        self._world.touch(account, person)

    def _tell(self, account: GraphAccount, person: GraphPerson, message: dict[str, Any]) -> None:
        self._outbox.change(account, "messages", {**value_of(account, person), "messages": [message]})

    def _send_media(self, account: GraphAccount, person: GraphPerson, action: SendMedia) -> str:
        if action.kind not in _MEDIA:
            raise CannotDo(f"WhatsApp has {', '.join(sorted(_MEDIA))}.")
        kind = "audio" if action.kind == "voice" else action.kind
        file = self._files.keep(account, action.content, action.mime_type, action.filename)
        part: dict[str, Any] = {"id": file.id, "mime_type": file.mime_type, "sha256": digest(file.content)}
        if action.caption and kind in {"image", "video", "document"}:
            part["caption"] = action.caption
        if kind == "document":
            part["filename"] = action.filename or "file"
        if kind == "audio":
            part["voice"] = action.kind == "voice"
        if kind == "sticker":
            part["animated"] = False
        if account.details.get("media_urls"):
            part["url"] = self._files.address(account, file, private=True)
        media = Media(kind, file.mime_type, file.content, filename=action.filename)
        content = {"type": kind, kind: part}
        return self._say(account, person, content, action.caption, action.reply_to, action.details, [media])

    def _press(self, account: GraphAccount, person: GraphPerson, action: Press) -> str:
        bubble = person.thread.bubble(action.bubble)
        buttons = [*bubble.buttons, *(button for card in bubble.cards for button in card.buttons)]
        button = next((one for one in buttons if one.id == action.button), None)
        if button is None:
            raise CannotDo("There is no such button below this bubble.")
        if button.kind == "template":
            content = {"type": "button", "button": {"payload": button.payload, "text": button.title}}
        elif button.kind == "row":
            reply = {"id": button.payload, "title": button.title}
            if button.description:
                reply["description"] = button.description
            content = _interactive("list_reply", reply)
        elif button.kind == "reply":
            content = _interactive("button_reply", {"id": button.payload, "title": button.title})
        elif button.kind == "flow":
            reply = {"name": "flow", "body": "Sent", "response_json": f'{{"flow_token":"{button.payload}"}}'}
            content = _interactive("nfm_reply", reply)
        elif button.kind == "request_contact_info":
            content = _card(SendContact(name=person.name, phone=person.phone), origin="contact_request")
        else:
            raise CannotDo("Pressing this sends nothing to the account.")
        return self._say(account, person, content, button.title, bubble.id)

    def _react(self, account: GraphAccount, person: GraphPerson, action: React) -> None:
        bubble = person.thread.bubble(action.bubble)
        bubble.reactions.pop("person", None)
        reaction = {"message_id": bubble.id}
        if action.emoji:
            bubble.reactions["person"] = reaction["emoji"] = action.emoji
        self._opened(account, person, referred=False)
        self._tell(
            account, person, self._message(account, person, {"type": "reaction", "reaction": reaction})
        )

    def _edit(self, account: GraphAccount, person: GraphPerson, action: Edit) -> None:
        bubble = _own(person, action.bubble)
        bubble.text, bubble.edited = action.text, True
        inner: dict[str, Any] = {"type": "text", "text": {"body": action.text}}
        if bubble.kind in _MEDIA:
            inner = {
                "type": bubble.kind,
                bubble.kind: {**bubble.details[bubble.kind], "caption": action.text},
            }
        edit = {"original_message_id": bubble.id, "message": inner}
        self._tell(account, person, self._message(account, person, {"type": "edit", "edit": edit}))

    def _unsend(self, account: GraphAccount, person: GraphPerson, action: Unsend) -> None:
        bubble = _own(person, action.bubble)
        bubble.deleted = True
        content = {"type": "revoke", "revoke": {"original_message_id": bubble.id}}
        self._tell(account, person, self._message(account, person, content))

    def _read(self, account: GraphAccount, person: GraphPerson) -> None:
        for bubble in person.thread.bubbles:
            if bubble.side == "account" and bubble.tick in {"sent", "delivered"}:
                self._statuses.tell(account, person, bubble, "read")

    def _message(self, account: GraphAccount, person: GraphPerson, content: dict[str, Any]) -> dict[str, Any]:
        """A message that makes no bubble."""
        at = moment(account, self._world.clock.stamp())
        return {**sender(account, person), "id": new_wamid(), "timestamp": at, **content}

    def _happen(self, account: GraphAccount, person: GraphPerson, action: Happen) -> None:
        happenings: dict[str, Callable[[GraphAccount, GraphPerson, dict[str, Any]], None]] = {
            "user_changed_number": self._change_number,
            "user_id_update": self._change_user_id,
            "customer_identity_changed": self._change_identity,
            "user_preferences": self._prefer,
            "hide_phone": self._hide_phone,
        }
        if action.name not in happenings:
            raise CannotDo(
                f"The sandbox's WhatsApp people know message, unsupported, {', '.join(happenings)}."
            )
        happenings[action.name](account, person, action.values)

    def _change_number(self, account: GraphAccount, person: GraphPerson, values: dict[str, Any]) -> None:
        """Move to another phone number, and with it to another business-scoped id."""
        old, new = person.phone, str(values["wa_id"])
        if not is_nameless(account, person):
            body = f"User {person.name} changed from {old} to {new}"
            system = {"type": "user_changed_number", "body": body, "wa_id": new}
            self._tell_system(account, {"from": old, "system": system})
        account.addresses.pop(old, None)
        account.addresses[new] = person
        person.phone = new
        self._change_user_id(account, person, {"user_id": values.get("user_id", new_user_id(new))})

    def _change_user_id(self, account: GraphAccount, person: GraphPerson, values: dict[str, Any]) -> None:
        """Get another business-scoped id; the old one reaches nobody any more."""
        old, new = person.user_id, str(values.get("user_id") or new_user_id(person.phone))
        account.addresses.pop(old, None)
        account.addresses[new] = person
        person.user_id = person.details["user_id"] = new
        update: dict[str, Any] = {
            "detail": f"User id for {person.name} has been updated.",
            "user_id": {"previous": old, "current": new},
            "timestamp": moment(account, self._world.clock.stamp()),
        }
        known: dict[str, Any] = {"profile": {"name": person.name}}
        if is_nameless(account, person):
            body = f"User {person.name} changed from {old} to {new}"
            system = {"type": "user_changed_user_id", "body": body, "user_id": new, "previous_user_id": old}
            self._tell_system(account, {"system": system})
        else:
            known["wa_id"] = update["wa_id"] = person.phone
        value = {**value_of(account), "contacts": [known], "user_id_update": [update]}
        self._outbox.change(account, "user_id_update", value)

    def _tell_system(self, account: GraphAccount, content: dict[str, Any]) -> None:
        """Tell of a change of address, which comes without contacts."""
        at = moment(account, self._world.clock.stamp())
        message = {"id": new_wamid(), "timestamp": at, "type": "system", **content}
        self._outbox.change(account, "messages", {**value_of(account), "messages": [message]})

    def _change_identity(self, account: GraphAccount, person: GraphPerson, values: dict[str, Any]) -> None:
        at = moment(account, self._world.clock.stamp())
        message = self._message(
            account,
            person,
            {
                "type": "system",
                "system": {
                    "type": "customer_identity_changed",
                    "body": f"{person.name}'s security code changed",
                    "identity": str(values.get("hash", "q+7sV1")),
                    "customer": person.phone,
                },
                "identity": {
                    "acknowledged": True,
                    "created_timestamp": at,
                    "hash": str(values.get("hash", "q+7sV1")),
                },
            },
        )
        self._tell(account, person, message)

    def _prefer(self, account: GraphAccount, person: GraphPerson, values: dict[str, Any]) -> None:
        """Stop, resume or sign up for marketing messages."""
        choice = str(values.get("value", "stop"))
        person.stopped_marketing = choice == "stop"
        preference: dict[str, Any] = {
            "user_id": person.user_id,
            "detail": f"User requested to {choice} marketing messages",
            "category": "marketing_messages",
            "value": choice,
            # A number here, unlike everywhere else.
            "timestamp": int(moment(account, self._world.clock.stamp())),
        }
        if not is_nameless(account, person):
            preference["wa_id"] = person.phone
        value = {**value_of(account, person), "user_preferences": [preference]}
        self._outbox.change(account, "user_preferences", value)

    def _hide_phone(self, account: GraphAccount, person: GraphPerson, values: dict[str, Any]) -> None:
        """Take a username, with @ or without, as both were seen: webhooks leave the phone number out from now on."""
        made_up = "@" + person.name.lower().replace(" ", "")
        person.username = str(values.get("username") or person.username or made_up)
        person.phone_hidden = True
        self._world.touch(account, person)


def _own(person: GraphPerson, bubble_id: str) -> Bubble:
    bubble = person.thread.bubble(bubble_id)
    if bubble.side != "person" or bubble.deleted:
        raise CannotDo("Only one's own messages can be changed.")
    return bubble


def _interactive(kind: str, reply: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}


def _unsupported(values: dict[str, Any]) -> dict[str, Any]:
    problem = {
        "code": 131051,
        "title": "Message type unknown",
        "message": "Message type unknown",
        "error_data": {"details": "Message type is currently not supported."},
    }
    return {"type": "unsupported", "errors": [problem], "unsupported": {"type": values.get("type", "poll")}}


def _card(action: SendContact, origin: str = "other") -> dict[str, Any]:
    digits = "".join(filter(str.isdigit, action.phone))
    card = {
        "name": {"formatted_name": action.name, "first_name": action.name},
        "phones": [{"phone": action.phone, "wa_id": digits, "type": "CELL"}],
        "vcard": f"BEGIN:VCARD\nVERSION:3.0\nFN:{action.name}\nTEL;TYPE=CELL:{action.phone}\nEND:VCARD",
    }
    return {"type": "contacts", "origin": origin, "contacts": [card]}
