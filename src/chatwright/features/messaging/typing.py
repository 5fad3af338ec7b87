"""Who is typing: a signal that passes by and is kept nowhere."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import orjson

from chatwright.kernel.errors import InvalidInput

_TOPIC = "typing"


class Side(StrEnum):
    """Who of the two."""

    CONTACT = "contact"
    US = "us"


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody began or stopped typing."""

    inbox_id: UUID
    conversation_id: UUID
    side: Side
    typing: bool


def typing_topic(*path: UUID | Side) -> str:
    """What to follow: a workspace, one of its inboxes, a conversation there, one side of it; in that order."""
    return ":".join([_TOPIC, *map(str, path)])


def typing_signal(workspace_id: UUID, news: Typing) -> str:
    """What to announce."""
    topic = typing_topic(workspace_id, news.inbox_id, news.conversation_id, news.side)
    return f"{topic}:{'on' if news.typing else 'off'}"


def read_signals(topics: set[str]) -> list[Typing]:
    """What the signals of this kind among these say; where somebody did both at once, the end goes last."""
    return [news for topic in sorted(topics, reverse=True) if (news := _read(topic))]


def typing_in(body: bytes) -> bool:
    """What a call says, `{"typing": true}` or `{"typing": false}`; raises InvalidInput for anything else."""
    try:
        match orjson.loads(body):
            case {"typing": bool(typing)}:
                return typing
            case _:
                pass
    except orjson.JSONDecodeError:
        pass
    message = 'The body is {"typing": true} or {"typing": false}.'
    raise InvalidInput(message)


def _read(topic: str) -> Typing | None:
    match topic.split(":"):
        case [kind, _, inbox_id, conversation_id, side, state] if kind == _TOPIC:
            return Typing(UUID(inbox_id), UUID(conversation_id), Side(side), state == "on")
        case _:
            return None
