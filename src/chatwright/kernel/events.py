"""What happened: facts that rooms announce and everyone else may follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """A committed change, named in the past tense (`message.created`), with ids rather than contents.

    Readers look the subject up when they need more, so an event never shows what its reader may not see.
    """

    kind: str
    workspace_id: UUID
    subject_id: UUID
    """The id of the thing that changed."""
    inbox_id: UUID | None = None
    """The inbox it happened in, for readers limited to some inboxes."""
    conversation_id: UUID | None = None
    """The conversation it happened in, for those who follow one."""
    data: Mapping[str, object] = field(default_factory=dict[str, object])
    """Small JSON facts: states, versions, counts."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the log keeps it."""

    position: str
    """Opaque cursor: read on from here."""
    at: datetime
    event: Event
