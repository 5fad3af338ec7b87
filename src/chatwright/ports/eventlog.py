"""The log of committed changes, read from a cursor so that nobody misses one after a restart."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chatwright.kernel.events import Event, RecordedEvent

EVENTS_TOPIC = "events"


def events_topic(*ids: UUID | None) -> str:
    """The signal of new events: of a workspace, of one of its inboxes, or of a conversation there.

    Give the ids in that order; it ends before the first that is None.
    """
    parts = [EVENTS_TOPIC]
    for id_ in ids:
        if id_ is None:
            break
        parts.append(str(id_))
    return ":".join(parts)


@dataclass(frozen=True)
class Following:
    """What a room does about events, from the first in the log on."""

    name: str
    """Under which its position is kept; a new name begins anew."""
    kinds: frozenset[str]
    handle: Callable[[Event], Awaitable[None]]
    """Run in a transaction that it shares with the events around it; it opens none of its own."""


class EventLog(Protocol):
    """Reads the log in commit order."""

    async def end(self) -> str:
        """Where a reader starts that wants only news.

        What was committed a moment ago, while an older transaction still ran, comes as news too.
        """
        ...

    async def read(
        self, after: str, *, workspace_id: UUID | None = None, limit: int = 500
    ) -> Sequence[RecordedEvent]:
        """Events after a position, oldest first, of one workspace or of all.

        Raises InvalidCursor for a position that was not made by this log.
        """
        ...
