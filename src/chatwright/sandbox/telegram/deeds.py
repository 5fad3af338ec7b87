"""What people do in their Telegram, and what the bot hears of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chatwright.sandbox.provider import (
    Action,
    Block,
    CannotDo,
    Edit,
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
    Unsend,
)
from chatwright.sandbox.telegram.bot import Bot
from chatwright.sandbox.telegram.chats import chat_of, chat_type, is_group, user_of
from chatwright.sandbox.telegram.entities import recognised
from chatwright.sandbox.telegram.files import kind_of, part_of, store
from chatwright.sandbox.telegram.messages import bubble_of, compose, text_of
from chatwright.sandbox.telegram.reactions import reaction
from chatwright.sandbox.telegram.updates import Updates
from chatwright.sandbox.world import Bubble, Media, Person, World, unique

MESSAGES = frozenset({"message", "edited_message", "channel_post", "edited_channel_post"})
"""Kinds of updates that carry a message."""

Parts = dict[str, Any]


class Deeds:
    """Does what people do."""

    def __init__(self, world: World, updates: Updates) -> None:
        self._world = world
        self._updates = updates

    def do(self, bot: Bot, person: Person, action: Action) -> str | None:  # noqa: PLR0911 - one line for each.
        """Do one thing; returns the id of the bubble it made, if any. Raises CannotDo."""
        match action:
            case Say() | SendMedia() | SendLocation() | SendContact() | Follow():
                return self._write(bot, person, action)
            case Press():
                return self._press(bot, person, action)
            case React():
                return self._react(bot, person, action)
            case Edit():
                return self._edit(bot, person, action)
            case Unsend():
                _own(person, action.bubble).deleted = True
                return action.bubble
            case Read():
                return _read(person)
            case Block() | Unblock():
                return self._block(bot, person, blocked=isinstance(action, Block))
            case Happen():
                return self.happen(bot, person, action.name, action.values)
            case _:
                raise CannotDo("Nobody can do that in Telegram.")

    def happen(self, bot: Bot, person: Person, name: str, values: Mapping[str, Any]) -> str | None:
        """What only Telegram knows: `migrate`, `deactivate`, or any kind of update with its values."""
        if name == "migrate":
            return self._migrate(bot, person)
        if name == "deactivate":
            person.details["deactivated"] = True
            return None
        if name == "message":
            return self._say(bot, person, dict(values))
        value = dict(values)
        if name in MESSAGES:
            value = compose(bot, person, values, by="person", at=self._now())
        self._updates.tell(bot, name, value, lane=person.id)
        return None

    def _write(
        self, bot: Bot, person: Person, action: Say | SendMedia | SendLocation | SendContact | Follow
    ) -> str:
        match action:
            case Say():
                return self._say(bot, person, _text(action.text) | action.details, reply_to=action.reply_to)
            case Follow():
                return self._say(bot, person, _text(f"/start {action.ref}".strip()))
            case SendLocation():
                return self._say(bot, person, _place(action))
            case SendContact():
                return self._say(bot, person, {"contact": _card(person, action)})
            case SendMedia():
                kind = kind_of(action.kind)
                media = Media(kind, action.mime_type, action.content, filename=action.filename)
                caption = {"caption": action.caption} if action.caption else {}
                parts = part_of(kind, store(bot, media)) | caption | action.details
                return self._say(bot, person, parts, media=media, reply_to=action.reply_to)

    def _say(
        self,
        bot: Bot,
        person: Person,
        parts: Parts,
        *,
        media: Media | None = None,
        reply_to: str | None = None,
    ) -> str:
        if person.blocked:
            raise CannotDo("They blocked the bot, and must unblock it before they can write.")
        at = self._now()
        answered = person.thread.bubble(reply_to) if reply_to else None
        message = compose(bot, person, parts, by="person", at=at, reply_to=answered)
        person.thread.add(bubble_of(message, side="person", at=at, media=[media] if media else []))
        person.last_said_at = self._world.clock.now()
        self._updates.tell(bot, "message", message, lane=person.id)
        return str(message["message_id"])

    def _press(self, bot: Bot, person: Person, action: Press) -> str | None:
        bubble = person.thread.bubble(action.bubble)
        button = next((found for found in bubble.buttons if found.id == action.button), None)
        if button is None or bubble.deleted:
            raise CannotDo("There is no such button any more.")
        match button.kind:
            case "callback":
                return self._ask(bot, person, bubble, button.payload)
            case "request_contact":
                return self._write(bot, person, SendContact(name=person.name, phone=person.phone))
            case "request_location":
                return self._write(bot, person, SendLocation(latitude=10.7769, longitude=106.7009))
            case "keyboard":
                return self._write(bot, person, Say(text=button.title))
            case _:
                return None

    def _ask(self, bot: Bot, person: Person, bubble: Bubble, data: str) -> None:
        query_id = str(10**17 + self._world.number())
        bot.queries[query_id] = (person.id, self._world.clock.now())
        query = {
            "id": query_id,
            "from": user_of(person),
            "message": bubble.details,
            "chat_instance": str(abs(int(person.id)) * 7919),
            "data": data,
        }
        self._updates.tell(bot, "callback_query", query, lane=person.id)

    def _react(self, bot: Bot, person: Person, action: React) -> None:
        bubble = person.thread.bubble(action.bubble)
        before = bubble.reactions.pop("person", "")
        if action.emoji:
            bubble.reactions["person"] = action.emoji
        change = {
            "chat": chat_of(person),
            "message_id": int(bubble.id),
            "user": user_of(person),
            "date": self._date(),
            "old_reaction": reaction(before),
            "new_reaction": reaction(action.emoji),
        }
        self._updates.tell(bot, "message_reaction", change, lane=person.id)

    def _edit(self, bot: Bot, person: Person, action: Edit) -> str:
        bubble = _own(person, action.bubble)
        name = "text" if "text" in bubble.details else "caption"
        bubble.details = {
            key: part for key, part in bubble.details.items() if key not in {"entities", "caption_entities"}
        }
        bubble.details |= {name: action.text, "edit_date": self._date()}
        bubble.text, bubble.edited = text_of(bubble.details), True
        self._updates.tell(bot, "edited_message", bubble.details, lane=person.id)
        return bubble.id

    def _block(self, bot: Bot, person: Person, *, blocked: bool) -> None:
        if person.blocked == blocked:
            return
        person.blocked = blocked
        out = "left" if is_group(person) else "kicked"
        change = {
            "chat": chat_of(person),
            "from": user_of(person),
            "date": self._date(),
            "old_chat_member": _member(bot, "member" if blocked else out),
            "new_chat_member": _member(bot, out if blocked else "member"),
        }
        self._updates.tell(bot, "my_chat_member", change, lane=person.id)

    def _migrate(self, bot: Bot, person: Person) -> None:
        if chat_type(person) != "group":
            raise CannotDo("Only a group can become a supergroup.")
        old = person.id
        new = f"-100{abs(int(old)):010d}"
        farewell = compose(bot, person, {"migrate_to_chat_id": int(new)}, by="person", at=self._now())
        self._updates.tell(bot, "message", farewell, lane=old)
        bot.migrated[old] = new
        bot.people[new] = bot.people.pop(old)
        person.id = new
        person.details["chat_type"] = "supergroup"
        arrival = compose(bot, person, {"migrate_from_chat_id": int(old)}, by="person", at=self._now())
        self._updates.tell(bot, "message", arrival, lane=new)

    def _now(self) -> datetime:
        return self._world.clock.stamp()

    def _date(self) -> int:
        return int(self._now().timestamp())


def _text(text: str) -> Parts:
    entities = recognised(text)
    return {"text": text} | ({"entities": entities} if entities else {})


def _place(action: SendLocation) -> Parts:
    location = {"latitude": action.latitude, "longitude": action.longitude}
    if not action.name:
        return {"location": location}
    venue = {"location": location, "title": action.name, "address": action.address}
    return {"venue": venue, "location": location}


def _card(person: Person, action: SendContact) -> Parts:
    """A contact card; Telegram tells whose account it is, which proves a number only when it is the sender's."""
    first, _, last = action.name.partition(" ")
    card: Parts = {"phone_number": action.phone, "first_name": first}
    if last:
        card["last_name"] = last
    if action.phone and action.phone == person.phone:
        card["user_id"] = int(user_of(person)["id"])
    return card


def _own(person: Person, bubble_id: str) -> Bubble:
    bubble = person.thread.bubble(bubble_id)
    if bubble.side != "person" or bubble.deleted:
        raise CannotDo("People can do that with their own messages only.")
    return bubble


def _read(person: Person) -> None:
    """Bots never learn that somebody read; only the phone shows it."""
    for bubble in person.thread.bubbles:
        if bubble.side == "account" and bubble.tick:
            bubble.tick = "read"


def _member(bot: Bot, status: str) -> Parts:
    until = {"until_date": 0} if status == "kicked" else {}
    return {"user": bot.me(), "status": status, **until}


def new_group_id() -> str:
    return str(-(int(unique()[-7:], 16) + 1_000_000))
