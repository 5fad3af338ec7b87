"""Chats and the people in them, as a bot is told of them. A group is a person of the sandbox with a negative id."""

from typing import Any

from chatwright.sandbox.telegram.bot import Bot
from chatwright.sandbox.telegram.refusals import Refused, bad_request, forbidden
from chatwright.sandbox.world import Person

GROUP_TYPES = frozenset({"group", "supergroup", "channel"})


def is_group(person: Person) -> bool:
    return chat_type(person) in GROUP_TYPES


def chat_type(person: Person) -> str:
    return str(person.details.get("chat_type", "private"))


def chat_of(person: Person) -> dict[str, Any]:
    """The chat with somebody, or a group."""
    kind = chat_type(person)
    if kind == "private":
        chat = {"id": int(person.id), "type": kind, **_names(person)}
    else:
        chat = {"id": int(person.id), "type": kind, "title": person.name}
        if person.details.get("is_forum"):
            chat["is_forum"] = True
    return chat | ({"username": person.username} if person.username else {})


def user_of(person: Person) -> dict[str, Any]:
    """Who writes: the person, or, in a group, a member of it."""
    if is_group(person):
        member = {"id": abs(int(person.id)) % 10**9 + 1, "is_bot": False, "first_name": "Member"}
        return member | dict(person.details.get("sender", {}))
    user = {"id": int(person.id), "is_bot": False, **_names(person)}
    if person.username:
        user["username"] = person.username
    return user | {"language_code": person.locale.partition("_")[0]}


def _names(person: Person) -> dict[str, str]:
    first, _, last = person.name.partition(" ")
    last = str(person.details.get("last_name", last))
    return {"first_name": first or person.name} | ({"last_name": last} if last else {})


def chat_to_write_to(bot: Bot, chat_id: str) -> Person:
    """The chat that a bot names; raises Refused where it may not write."""
    chat_id = chat_id.strip()
    if not chat_id:
        raise bad_request("chat_id is empty")
    if moved_to := bot.migrated.get(chat_id):
        raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=int(moved_to))
    person = _find(bot, chat_id)
    if person is None:
        raise bad_request("chat not found")
    if (refusal := _why_not(person)) is not None:
        raise refusal
    return person


def _find(bot: Bot, chat_id: str) -> Person | None:
    if chat_id.startswith("@"):
        named = (person for person in bot.people.values() if is_group(person))
        return next((person for person in named if f"@{person.username}" == chat_id), None)
    return bot.people.get(chat_id)


def _why_not(person: Person) -> Refused | None:
    if person.details.get("deactivated"):
        return forbidden("user is deactivated")
    if is_group(person):
        kicked = person.details.get("kicked") or person.blocked
        return forbidden(f"bot was kicked from the {chat_type(person)} chat") if kicked else None
    if person.blocked:
        return forbidden("bot was blocked by the user")
    if person.last_said_at is None:
        return forbidden("bot can't initiate conversation with a user")
    return None
