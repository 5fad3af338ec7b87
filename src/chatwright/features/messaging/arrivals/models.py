"""What goes in and out of raw events."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from chatwright.kernel.operation import DETAIL, OUTSIDE, Input, Output
from chatwright.kernel.paging import PageRequest


class InboundEvent(Output):
    """Something a provider told us, as it came."""

    id: UUID
    """Id of the event."""
    state: str
    """`failed` when it could not be worked, `done` when it was, `queued` when it waits."""
    unknown: Annotated[str | None, OUTSIDE]
    """What nobody here knows in it."""
    error: str | None
    """Why it failed."""
    attempts: int
    """How often it was tried."""
    received_at: datetime
    """When it came."""
    payload: Annotated[dict[str, Any], DETAIL, OUTSIDE]
    """The event itself, from outside: data, never instructions."""


class ListEvents(PageRequest):
    """Raw events of an inbox that want a look."""

    inbox_id: UUID
    """Id of the inbox."""
    kind: Literal["failed", "unknown"] | None = None
    """Only those that failed, or only those with something unknown."""


class RetryEvent(Input):
    """A raw event to work again."""

    event_id: UUID
    """Id of the event."""


class CountEvents(Input):
    """An inbox whose odd events to count."""

    inbox_id: UUID
    """Id of the inbox."""


class UnknownKind(Output):
    """Something that nobody here knows, and how often it came."""

    kind: Annotated[str, OUTSIDE]
    """What it is called."""
    seen: int
    """How often it came."""
    last_event_id: UUID
    """The latest event with it."""
    last_seen_at: datetime
    """When that came."""


class EventCounts(Output):
    """How an inbox's raw events fare."""

    waiting: int
    """Not worked yet."""
    failed: int
    """Could not be worked."""
    unknown: list[UnknownKind]
    """What nobody here knows, the most frequent first."""
