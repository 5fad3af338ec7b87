"""What people do in their Zalo, and what the account's app hears of it."""

from collections.abc import Mapping
from typing import Any

import orjson

from chatwright.sandbox.provider import (
    Action,
    Block,
    CannotDo,
    Follow,
    Happen,
    Press,
    React,
    Read,
    Say,
    SendContact,
    SendLocation,
    SendMedia,
    Unblock,
    Unfollow,
)
from chatwright.sandbox.world import Bubble, Media, Person, World, unique
from chatwright.sandbox.zalo.account import OfficialAccount
from chatwright.sandbox.zalo.events import Events, message_id
from chatwright.sandbox.zalo.sending import REACTIONS, TAKE_BACK, Sending, by_app

KINDS = {"document": "file", "voice": "audio", "animation": "image"}
_ICONS = {emoji: icon for icon, emoji in REACTIONS.items()}
INTERACTIONS = frozenset({"user_call_oa", "user_click_chatnow", "user_reply_consent", "user_submit_info"})
"""What opens the window besides messages and following."""


class Deeds:
    """Does what people do."""

    def __init__(self, world: World, events: Events, sending: Sending) -> None:
        self._world = world
        self._events = events
        self._sending = sending
        self.shared: dict[str, Media] = {}
        """Files that people sent, by the name in their address."""

    def do(self, account: OfficialAccount, person: Person, action: Action) -> str | None:  # noqa: PLR0911 - one line for each.
        """Do one thing; returns the id of the bubble it made, if any. Raises CannotDo."""
        match action:
            case Say():
                return self._say(account, person, action)
            case SendMedia():
                return self._send_media(account, person, action)
            case SendLocation() | SendContact():
                return self._send_card(account, person, action)
            case Press():
                return self._press(account, person, action)
            case React():
                return self._react(account, person, action)
            case Read():
                return self._sending.read(account, person)
            case Follow() | Unfollow():
                return self._follow(account, person, action)
            case Block() | Unblock():
                person.blocked = isinstance(action, Block)
                return None
            case Happen():
                return self._happen(account, person, action)
            case _:
                raise CannotDo("Nobody can do that in Zalo, or no account hears of it.")

    def _say(self, account: OfficialAccount, person: Person, action: Say) -> str:
        parts: dict[str, Any] = {"text": action.text, **action.details}
        event = "user_send_text"
        if action.text.startswith(("http://", "https://")) and " " not in action.text:
            event, link = "user_send_link", {"url": action.text, "thumbnail": "", "description": ""}
            parts["attachments"] = [{"type": "link", "payload": link}]
        if action.reply_to:
            parts["quote_msg_id"] = person.thread.bubble(action.reply_to).id
        bubble = Bubble("", "person", "text", self._world.clock.stamp(), action.text)
        bubble.reply_to = action.reply_to
        return self._write(account, person, event, bubble, parts)

    def _send_media(self, account: OfficialAccount, person: Person, action: SendMedia) -> str:
        kind = KINDS.get(action.kind, action.kind)
        media = Media(kind, action.mime_type, action.content, filename=action.filename)
        media.url = self._share(media)
        bubble = Bubble("", "person", kind, self._world.clock.stamp(), action.caption, media=[media])
        payload = _media_payload(media)
        parts = {
            "text": action.caption,
            "attachments": [{"type": kind, "payload": payload}],
            **action.details,
        }
        return self._write(account, person, f"user_send_{kind}", bubble, parts)

    def _share(self, media: Media) -> str:
        name = unique()
        self.shared[name] = media
        return f"{self._world.address}/zalo/shared/{name}"

    def _send_card(self, account: OfficialAccount, person: Person, action: SendLocation | SendContact) -> str:
        if isinstance(action, SendLocation):
            # The provider writes coordinates as strings.
            place = {"latitude": str(action.latitude), "longitude": str(action.longitude)}
            kind, text, payload = "location", ", ".join(place.values()), {"coordinates": place}
        else:
            # A business card is a link whose description is JSON in a string.
            about = orjson.dumps({"phone": action.phone, "qrCodeUrl": ""}).decode()
            kind, text = "business_card", f"{action.name} {action.phone}"
            payload = {"url": "", "thumbnail": "", "title": action.name, "description": about}
        attachment = {"type": "location" if kind == "location" else "link", "payload": payload}
        bubble = Bubble("", "person", kind, self._world.clock.stamp(), text)
        return self._write(
            account, person, f"user_send_{kind}", bubble, {"text": "", "attachments": [attachment]}
        )

    def _write(
        self, account: OfficialAccount, person: Person, event: str, bubble: Bubble, parts: Mapping[str, Any]
    ) -> str:
        bubble.id = message_id()
        bubble.tick = "delivered"
        message = {"msg_id": bubble.id, **parts}
        bubble.details = dict(message)
        person.thread.add(bubble)
        self._interact(person)
        self._events.tell(account, event, {**_to_account(account, person), "message": message})
        return bubble.id

    def _press(self, account: OfficialAccount, person: Person, action: Press) -> str | None:
        bubble = person.thread.bubble(action.bubble)
        button = next((found for found in bubble.buttons if found.id == action.button), None)
        if button is None:
            raise CannotDo("There is no such button.")
        match button.kind:
            case "oa.query.show":
                return self._say(account, person, Say(text=button.payload))
            case "oa.query.hide":
                self._interact(person)
                message = {"msg_id": message_id(), "text": button.payload}
                self._events.tell(
                    account, "user_send_text", {**_to_account(account, person), "message": message}
                )
            case "request_user_info":
                self._submit(account, person)
            case _:
                pass
        return None

    def _submit(self, account: OfficialAccount, person: Person) -> None:
        info = {
            "name": person.name,
            "phone": person.phone.removeprefix("+"),
            "address": "1 Hang Bac",
            "city": "Ha Noi",
            "district": "Hoan Kiem",
        }
        person.details["shared_info"] = info
        self._interact(person)
        self._events.tell(account, "user_submit_info", {**_to_account(account, person), "info": info})

    def _react(self, account: OfficialAccount, person: Person, action: React) -> None:
        bubble = person.thread.bubble(action.bubble)
        icon = _ICONS.get(action.emoji, "") if action.emoji else TAKE_BACK
        if not icon:
            raise CannotDo(f"Zalo has only {' '.join(_ICONS)}.")
        bubble.reactions.pop("person", None)
        if action.emoji:
            bubble.reactions["person"] = action.emoji
        parts = {"message": {"msg_id": bubble.id, "react_icon": icon}}
        self._events.tell(account, "user_reacted_message", {**_to_account(account, person), **parts})

    def _follow(self, account: OfficialAccount, person: Person, action: Follow | Unfollow) -> None:
        person.follows = isinstance(action, Follow)
        if isinstance(action, Follow):
            self._interact(person)
        source = action.ref if isinstance(action, Follow) and action.ref else "oa_profile"
        parts = {
            "oa_id": account.id,
            "follower": {"id": person.id},
            "user_id_by_app": by_app(person),
            "source": source,
        }
        self._events.tell(account, "follow" if person.follows else "unfollow", parts)

    def _happen(self, account: OfficialAccount, person: Person, action: Happen) -> None:
        """Any other event, with its values beside the two ids."""
        if action.name in INTERACTIONS:
            self._interact(person)
        self._events.tell(account, action.name, {**_to_account(account, person), **action.values})

    def _interact(self, person: Person) -> None:
        person.last_said_at = self._world.clock.now()


def _media_payload(media: Media) -> dict[str, Any]:
    payload: dict[str, Any] = {"url": media.url, "thumbnail": media.url}
    if media.kind == "file":
        payload |= {
            "size": str(len(media.content)),
            "name": media.filename,
            "checksum": "",
            "type": media.filename.rpartition(".")[2],
        }
    if media.kind == "sticker":
        payload["id"] = "46345"
    return payload


def _to_account(account: OfficialAccount, person: Person) -> dict[str, Any]:
    return {"sender": {"id": person.id}, "recipient": {"id": account.id}, "user_id_by_app": by_app(person)}
