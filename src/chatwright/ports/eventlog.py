"""The log of committed changes, read from a cursor so that nobody misses one after a restart."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from chatwright.kernel.events import RecordedEvent


class EventLog(Protocol):
    """Reads the log in commit order."""

    async def end(self) -> str:
        """The position after everything committed so far: where a reader starts that wants only news."""
        ...

    async def read(
        self, after: str, *, workspace_id: UUID | None = None, limit: int = 500
    ) -> Sequence[RecordedEvent]:
        """Events after a position, oldest first, of one workspace or of all.

        Raises InvalidCursor for a position that was not made by this log.
        """
        ...
