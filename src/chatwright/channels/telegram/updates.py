"""Updates, cut out of a call and read (Bot API, Update)."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from chatwright.channels.telegram.addresses import Chat
from chatwright.channels.telegram.contents import Said, kind_of, said_in
from chatwright.channels.telegram.keyboards import pressed
from chatwright.channels.telegram.people import IDENTITY, author_of, chat_of, name_of, person_in, person_of
from chatwright.channels.telegram.reactions import emoji_in
from chatwright.kernel.errors import InvalidInput
from chatwright.net.reading import as_list, as_map, as_moment, as_text, dig
from chatwright.ports.content import ReplyContent, TextContent
from chatwright.ports.inbound import (
    Inbound,
    InboundAccount,
    InboundConsent,
    InboundEcho,
    InboundEdit,
    InboundIdentity,
    InboundMessage,
    InboundReaction,
    InboundUnknown,
    InboundUnsend,
    Person,
    RawEvent,
    Referral,
)

ALLOWED_UPDATES = (
    *("message", "edited_message", "callback_query", "message_reaction", "my_chat_member", "chat_member"),
    *("business_connection", "business_message", "edited_business_message", "deleted_business_messages"),
)
"""What the bot asks for. Reactions and `chat_member` come only to those who name them (Bot API, setWebhook)."""

_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<ref>\S+))?\s*")
_STOP = re.compile(r"/stop(?:@\w+)?\s*", re.IGNORECASE)
_IN = frozenset({"creator", "administrator", "member"})

Json = Mapping[str, Any]
Read = Callable[[Json], list[Inbound]]


def split_call(body: bytes) -> list[RawEvent]:
    """The update of one call, which carries one; raises InvalidInput when the body is no JSON."""
    try:
        update: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = "The body is not JSON."
        raise InvalidInput(message) from error
    payload = as_map(update)
    if not payload:
        return [RawEvent(_digest(body), "", {"unreadable": update})]
    return [RawEvent(as_text(payload.get("update_id")) or _digest(body), _lane(payload), payload)]


def parse_update(update: Json) -> list[Inbound]:
    """Read one update of any kind, also in the shapes of earlier years."""
    for kind, read in _READERS.items():
        if kind in update:
            return read(as_map(update[kind])) or [InboundUnknown(kind)]
    return [InboundUnknown(next((name for name in update if name != "update_id"), "empty"))]


def query_to_answer(body: bytes) -> str | None:
    """The id of the press that a call tells of: its button shows that it is busy until somebody answers."""
    try:
        return as_text(dig(orjson.loads(body), "callback_query", "id"))
    except orjson.JSONDecodeError:
        return None


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _lane(update: Json) -> str:
    """The chat; what names none goes with its sender, so that one person's events keep their order."""
    part = as_map(next((update[name] for name in update if name != "update_id"), None))
    message = as_map(part.get("message")) or part
    chat_id = as_text(dig(message, "chat", "id")) or as_text(dig(part, "from", "id"))
    return chat_id or as_text(dig(part, "user", "id")) or ""


def _message(message: Json) -> list[Inbound]:
    chat, external_id = _place_of(message)
    if chat is None or external_id is None:
        return []
    moved = _moved(chat, message)
    if moved is not None:
        return [moved]
    said = said_in(message)
    if said is None:
        return [InboundUnknown(f"message.{kind_of(message)}")]
    if chat.business is not None and not _is_from_partner(chat, message):
        return [_echo(chat, external_id, message, said)]
    person = _with_own_phone(person_in(chat, message), chat, message)
    return _with_commands(_inbound(chat, external_id, message, said, person))


def _place_of(message: Json) -> tuple[Chat | None, str | None]:
    chat, number = chat_of(message), as_text(message.get("message_id"))
    return chat, chat.message(number) if chat and number else None


def _inbound(chat: Chat, external_id: str, message: Json, said: Said, person: Person) -> InboundMessage:
    answered = as_text(dig(message, "reply_to_message", "message_id"))
    # In a forum every message answers the note that its topic was made.
    real = answered is not None and answered != as_text(message.get("message_thread_id"))
    return InboundMessage(
        external_id,
        person,
        said.content,
        sent_at=as_moment(message.get("date")),
        media=said.file.to_text() if said.file else None,
        reply_to=chat.message(answered) if answered and real else None,
        automatic=_is_by_machine(message),
        author=author_of(message) if chat.is_group else None,
    )


def _is_by_machine(message: Json) -> bool:
    """A bot wrote, or a post of the group's channel was copied; who speaks as a chat has a bot's name beside."""
    if message.get("is_automatic_forward") is True:
        return True
    return dig(message, "from", "is_bot") is True and "sender_chat" not in message


def _with_commands(inbound: InboundMessage) -> list[Inbound]:
    """What /start and /stop mean besides being said."""
    text = inbound.content.text if isinstance(inbound.content, TextContent) else ""
    if start := _START.fullmatch(text):
        referral = Referral("start", start["ref"]) if start["ref"] else None
        given = InboundConsent(inbound.person, given=True, source="/start", at=inbound.sent_at)
        return [replace(inbound, referral=referral), given]
    if _STOP.fullmatch(text):
        return [inbound, InboundConsent(inbound.person, given=False, source="/stop", at=inbound.sent_at)]
    return [inbound]


def _with_own_phone(person: Person, chat: Chat, message: Json) -> Person:
    """A shared contact proves a number only where it is the sender's own; any other could be anybody's."""
    contact = as_map(message.get("contact"))
    owner = as_text(contact.get("user_id"))
    if chat.is_group or owner is None or owner != as_text(dig(message, "from", "id")):
        return person
    return replace(person, phone=as_text(contact.get("phone_number")))


def _is_from_partner(chat: Chat, message: Json) -> bool:
    return as_text(dig(message, "from", "id")) in {chat.id, None}


def _echo(chat: Chat, external_id: str, message: Json, said: Said) -> InboundEcho:
    """The owner of the business account wrote, or the bot did in their name."""
    return InboundEcho(
        external_id,
        person_in(chat, message),
        said.content,
        sent_at=as_moment(message.get("date")),
        by_app="sender_business_bot" in message,
        media=said.file.to_text() if said.file else None,
        author=name_of(as_map(message.get("from"))),
    )


def _moved(chat: Chat, message: Json) -> InboundIdentity | None:
    """A group that became a supergroup has another id; both chats tell of it."""
    now, before = as_text(message.get("migrate_to_chat_id")), as_text(message.get("migrate_from_chat_id"))
    old, new = (chat.id, now) if now else (before, chat.id)
    if old is None:
        return None
    person = person_in(chat, message)
    return InboundIdentity(
        replace(person, identities={IDENTITY: old}),
        replace(person, identities={IDENTITY: new}),
        reason="the group became a supergroup",
    )


def _edited(message: Json) -> list[Inbound]:
    chat, external_id = _place_of(message)
    said = said_in(message)
    if chat is None or external_id is None or said is None:
        return []
    return [
        InboundEdit(external_id, person_in(chat, message), said.content, as_moment(message.get("edit_date")))
    ]


def _unsent(deleted: Json) -> list[Inbound]:
    chat = chat_of(deleted)
    if chat is None:
        return []
    person = person_in(chat, deleted)
    numbers = map(as_text, as_list(deleted.get("message_ids")))
    return [InboundUnsend(chat.message(number), person) for number in numbers if number]


def _callback(query: Json) -> list[Inbound]:
    """A press on an inline button. Its message may be gone (date 0), or never have been in a chat of the bot's."""
    query_id, data = as_text(query.get("id")), as_text(query.get("data"))
    message, user = as_map(query.get("message")), as_map(query.get("from"))
    chat, external_id = _place_of(message)
    person = person_in(chat, {**message, "from": user}) if chat else person_of(user)
    if query_id is None or data is None or person is None:
        return []
    label, payload = pressed(data, message.get("reply_markup"))
    return [
        InboundMessage(
            f"callback/{query_id}",
            person,
            ReplyContent(text=label, payload=payload),
            reply_to=external_id,
            author=name_of(user) if chat and chat.is_group else None,
        )
    ]


def _reaction(reaction: Json) -> list[Inbound]:
    chat, external_id = _place_of(reaction)
    if chat is None or external_id is None:
        return []
    person = person_in(chat, {**reaction, "from": reaction.get("user")})
    return [
        InboundReaction(
            external_id, person, emoji_in(reaction.get("new_reaction")), as_moment(reaction.get("date"))
        )
    ]


def _own_membership(change: Json) -> list[Inbound]:
    """Somebody blocked the bot or let it in again; a group threw it out or took it in."""
    chat = chat_of(change)
    now, before = _is_in(change.get("new_chat_member")), _is_in(change.get("old_chat_member"))
    if chat is None or now is None or now == before:
        return []
    words = {
        (True, True): "took the bot into the group",
        (True, False): "removed the bot from the group",
        (False, True): "unblocked the bot",
        (False, False): "blocked the bot",
    }
    source = words[chat.is_group, now]
    return [
        InboundConsent(person_in(chat, change), given=now, source=source, at=as_moment(change.get("date")))
    ]


def _is_in(member: object) -> bool | None:
    """Whether the bot may write there; None when nobody says."""
    status = as_text(dig(member, "status"))
    if status == "restricted":
        return dig(member, "is_member") is True
    return status in _IN if status else None


def _business(connection: Json) -> list[Inbound]:
    owner = name_of(as_map(connection.get("user"))) or "Somebody"
    # Before Bot API 9.0 the right to answer was a field of its own.
    may_reply = dig(connection, "rights", "can_reply") is True or connection.get("can_reply") is True
    if connection.get("is_enabled") is not True:
        words = f"{owner} took the bot off their business account."
    elif may_reply:
        words = f"{owner} lets the bot answer for their business account."
    else:
        words = f"{owner} lets the bot read along in their business account, but not answer."
    return [InboundAccount("business_connection", words)]


_READERS: Mapping[str, Read] = {
    "message": _message,
    "edited_message": _edited,
    "callback_query": _callback,
    "message_reaction": _reaction,
    "my_chat_member": _own_membership,
    "business_connection": _business,
    "business_message": _message,
    "edited_business_message": _edited,
    "deleted_business_messages": _unsent,
}
