"""How chats and messages are named outside of Telegram.

A chat is `[business connection/]chat id[:topic]`, so that an address alone says how to answer. Ids of messages
count within their chat, so a message is `[business connection/]chat id/message id`.
"""

import re
from dataclasses import dataclass, replace

_ADDRESS = re.compile(r"(?:(?P<business>[A-Za-z0-9_-]+)/)?(?P<id>-?\d{1,18})(?::(?P<topic>\d{1,18}))?")
_MESSAGE = re.compile(r"(?P<chat>(?:[A-Za-z0-9_-]+/)?-?\d{1,18})/(?P<id>\d{1,18})")


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that can be written to."""

    id: str
    topic: str | None = None
    """The topic within a forum."""
    business: str | None = None
    """The connection to somebody's business account, for whom the bot writes there."""

    @property
    def is_group(self) -> bool:
        """Whether several people read along: only those chats have negative ids."""
        return self.id.startswith("-")

    @property
    def text(self) -> str:
        """The address, as it is stored."""
        return f"{self.place}:{self.topic}" if self.topic else self.place

    @property
    def place(self) -> str:
        """The chat as a whole, whatever the topic."""
        return f"{self.business}/{self.id}" if self.business else self.id

    def message(self, message_id: str) -> str:
        """The name of one of its messages."""
        return f"{self.place}/{message_id}"

    def moved_to(self, chat_id: str) -> "Chat":
        """The same under another id."""
        return replace(self, id=chat_id)


def read_chat(address: str) -> Chat | None:
    """The chat behind an address; None when it is no address of one."""
    found = _ADDRESS.fullmatch(address)
    return Chat(found["id"], found["topic"], found["business"]) if found else None


def message_id_in(reference: str | None) -> int | None:
    """The message's id within its chat; None when this names no message of Telegram's."""
    found = _MESSAGE.fullmatch(reference or "")
    return int(found["id"]) if found else None
