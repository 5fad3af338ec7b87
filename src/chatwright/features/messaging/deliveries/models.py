"""What goes in and out of deliveries."""

from datetime import datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from chatwright.features.messaging.models import HeldFor
from chatwright.kernel.operation import DETAIL, OUTSIDE, Input, Output


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = "There is no such time zone; it is named like Europe/Berlin."
        raise ValueError(message) from error
    return name


class QuietHours(BaseModel):
    """When flows, agents and broadcasts keep silent; people may always write."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    start: time
    """When they begin, e.g. `21:00`."""
    end: time
    """When they end; before `start`, it is on the next day."""
    time_zone: Annotated[str, Field(max_length=60), AfterValidator(_known_zone)]
    """Whose clock counts, e.g. `Asia/Ho_Chi_Minh`."""


class SetQuietHours(Input):
    """The quiet hours of an inbox."""

    inbox_id: UUID
    """Id of the inbox."""
    quiet_hours: QuietHours | None
    """From when to when nothing is sent by itself; null for never."""


class ShowQuietHours(Input):
    """An inbox whose quiet hours to show."""

    inbox_id: UUID
    """Id of the inbox."""


class InboxQuietHours(Output):
    """The quiet hours of an inbox."""

    inbox_id: UUID
    """Id of the inbox."""
    quiet_hours: QuietHours | None
    """From when to when nothing is sent by itself; null for never."""


class ResendMessage(Input):
    """A message to send once more."""

    message_id: UUID
    """Id of a message that failed, or of which nobody knows whether it went out."""


class MarkSent(Input):
    """A message that somebody knows went out."""

    message_id: UUID
    """Id of a message of which nobody knew whether it went out."""


class CancelMessage(Input):
    """A message that must not go out."""

    message_id: UUID
    """Id of a message that still waits."""


class ReleaseMessage(Input):
    """A message that may go out."""

    message_id: UUID
    """Id of a message that waits for approval."""


class CheckSend(Input):
    """Whom somebody wants to write to."""

    conversation_id: UUID | None = None
    """A conversation. Give either this or `contact_id`."""
    contact_id: UUID | None = None
    """A contact, for all of its conversations."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.conversation_id is None) == (self.contact_id is None):
            message = "give either conversation_id or contact_id"
            raise ValueError(message)
        return self


MaySend = Literal["free", "human", "template", "nothing"]


class ConsentEvidence(Output):
    """What a contact last said about being written to."""

    state: Literal["opted_in", "opted_out"]
    """Whether they agreed or objected."""
    source: Annotated[str, OUTSIDE]
    """Where that comes from."""
    given_at: datetime
    """When they said so."""


class SendEvidence(Output):
    """The facts that decide what may be sent."""

    last_inbound_at: datetime | None
    """When the contact last wrote."""
    window_ends_at: datetime | None
    """Until when we may write freely; null where that never ends, or never began."""
    human_ends_at: datetime | None
    """Until when a person of ours may still write, where that is longer."""
    consent: ConsentEvidence | None
    """What the contact last said; null when nothing."""
    blocked: bool
    """Whether we blocked the contact."""
    unreachable: Annotated[str | None, OUTSIDE]
    """What the provider last said, where nobody is at the address."""
    health: str
    """How the inbox is: ok, limited, paused or reconnect."""
    health_words: Annotated[str | None, OUTSIDE]
    """What is the matter with it."""
    health_until: datetime | None
    """When that is over by itself, where it is known."""


class UsableTemplate(Output):
    """An approved template."""

    name: str
    """Its name, for a template message."""
    language: str
    """Its language code."""
    category: str
    """Its category at the provider, e.g. utility."""


class SendOption(Output):
    """What may be sent now in one conversation."""

    conversation_id: UUID
    """Id of the conversation."""
    inbox_id: UUID
    """The inbox it runs in."""
    channel: str
    """Name of its channel."""
    may: MaySend
    """Anything (`free`), only a person's words (`human`), only an approved `template`, or `nothing`."""
    code: str | None
    """Why not everything may be sent, as the code of the error that sending would give."""
    words: str
    """The same in words."""
    evidence: SendEvidence
    """The facts behind it."""
    templates: list[UsableTemplate]
    """Approved templates of the inbox, where those are what may be sent; the first twenty by name."""


class SendCheck(Output):
    """What may be sent now, and where."""

    options: list[SendOption]
    """One for each conversation; the one asked for, or the latest, first."""
    fallback_conversation_id: UUID | None
    """Another conversation of the contact where anything may be sent, when it may not in the first."""


class TraceMessage(Input):
    """A message to trace."""

    message_id: UUID
    """Id of the message."""


class TracedEvent(Output):
    """A raw event of the provider that said something of a message."""

    id: UUID
    """Id of the raw event."""
    what: str
    """What it said of the message, e.g. received or delivered."""
    received_at: datetime
    """When it came in."""
    state: str
    """Whether it was worked: queued, leased, done or failed."""
    kinds: list[str]
    """What was read in it."""


class TracedAttempt(Output):
    """One call to the channel."""

    part: int
    """Which part of the message, from 1."""
    round: int
    """Which round of sending, from 1; a further one begins when somebody sends the message again."""
    started_at: datetime
    """When the intent was committed."""
    ended_at: datetime | None
    """When the outcome was; null while nobody knows it."""
    outcome: str | None
    """`sent`, or what the refusal asked of us; null while nobody knows."""
    code: str | None
    """The provider's code."""
    detail: Annotated[str | None, OUTSIDE]
    """What it says, in words."""
    answer: Annotated[dict[str, Any] | None, DETAIL, OUTSIDE]
    """What else the provider answered: ids, how long to wait, its load."""


class TracedPart(Output):
    """A part of a message, in one round of sending."""

    part: int
    """Which part, from 1."""
    round: int
    """Which round, from 1."""
    status: str
    """How far it got."""
    held: HeldFor | None
    """Why it waits, if it does."""
    external_ids: list[str]
    """What the channel calls it."""


class TracedStatus(Output):
    """A status that a message got."""

    status: str
    """The status."""
    at: datetime
    """When it got it first, by the provider's clock where it told."""
    code: str | None
    """The provider's code, for a failure."""
    detail: Annotated[str | None, OUTSIDE]
    """More about it."""


class MessageTrace(Output):
    """A message's whole life."""

    message_id: UUID
    """Id of the message."""
    direction: str
    """`in`, `out` or `note`."""
    status: str
    """How far it got."""
    external_id: str | None
    """What the channel calls it."""
    rules: list[str]
    """Which rules let it pass, in words."""
    degraded: list[str]
    """What was changed in it for its channel, in words."""
    events: list[TracedEvent]
    """Raw events about it, in the order they came in."""
    parts: list[TracedPart]
    """Its deliveries."""
    attempts: list[TracedAttempt]
    """The calls to the channel, in order."""
    statuses: list[TracedStatus]
    """Its statuses with their own times."""
    pricing: Annotated[dict[str, Any] | None, DETAIL]
    """What the provider charges for it."""
