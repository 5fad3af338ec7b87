"""Chats and the people in them, as updates tell of them.

Whoever writes in private is a person under the chat's id. A group is one person under its own id, and so is each
topic of a forum: that is where the answer goes. Who of the group wrote is told beside.
"""

from collections.abc import Mapping
from typing import Any

from chatwright.channels.telegram.addresses import Chat
from chatwright.net.reading import as_map, as_text, dig
from chatwright.ports.inbound import Person

IDENTITY = "telegram"
BUSINESS_IDENTITY = "telegram_business"


def chat_of(message: Mapping[str, Any]) -> Chat | None:
    """The chat that a message stands in; None when it does not say."""
    chat_id = as_text(dig(message, "chat", "id"))
    if chat_id is None:
        return None
    topic = as_text(message.get("message_thread_id")) if message.get("is_topic_message") is True else None
    # Topics in the chat with the bot itself are the person's own order; an answer without one always arrives.
    in_forum = topic if chat_id.startswith("-") else None
    return Chat(chat_id, in_forum, as_text(message.get("business_connection_id")))


def person_in(chat: Chat, message: Mapping[str, Any]) -> Person:
    """Who is answered in this chat, from a message or another update that names `chat` and `from`."""
    about = as_map(message.get("chat"))
    if chat.is_group:
        return Person({IDENTITY: chat.text}, name=_group_name(chat, message), username=_username(about))
    user = _partner(chat, message) or about
    return Person(
        _identities(chat),
        name=name_of(user),
        username=_username(user),
        locale=as_text(user.get("language_code")),
    )


def person_of(user: Mapping[str, Any]) -> Person | None:
    """Somebody known by their user id alone, which is also the id of their chat with the bot."""
    user_id = as_text(user.get("id"))
    if user_id is None:
        return None
    locale = as_text(user.get("language_code"))
    return Person({IDENTITY: user_id}, name=name_of(user), username=_username(user), locale=locale)


def name_of(user: Mapping[str, Any]) -> str | None:
    """First and last name, or the title of a chat that speaks for itself."""
    parts = (as_text(user.get("first_name")), as_text(user.get("last_name")))
    return " ".join(part for part in parts if part) or as_text(user.get("title"))


def author_of(message: Mapping[str, Any]) -> str | None:
    """Who of a group wrote; somebody writing as the group or as a channel goes by its title."""
    return name_of(as_map(message.get("sender_chat"))) or name_of(as_map(message.get("from")))


def _identities(chat: Chat) -> dict[str, str]:
    if chat.business is None:
        return {IDENTITY: chat.id}
    return {BUSINESS_IDENTITY: chat.text, IDENTITY: chat.id}


def _partner(chat: Chat, message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The sender, unless somebody wrote from our side."""
    sender = as_map(message.get("from"))
    return sender if as_text(sender.get("id")) == chat.id else None


def _username(about: Mapping[str, Any]) -> str | None:
    return as_text(about.get("username"))


def _group_name(chat: Chat, message: Mapping[str, Any]) -> str | None:
    title = as_text(dig(message, "chat", "title"))
    topic = as_text(dig(message, "reply_to_message", "forum_topic_created", "name")) if chat.topic else None
    return f"{title}: {topic}" if title and topic else title
