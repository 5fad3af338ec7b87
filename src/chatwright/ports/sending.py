"""What goes out on a channel, and what may become of it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from chatwright.ports.content import Content


class Reaction(StrEnum):
    """What a refusal asks of us. A channel maps its provider's errors onto these; only delivery acts on them."""

    RETRY = "retry"
    """Their trouble, or the way there: again after a while."""
    RETRY_AFTER = "retry_after"
    """Too fast: again after `retry_after` seconds, and until then nothing else in its `scope`."""
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a word, not a secret.
    """The access token has ended: renew it once, and send again at once."""
    RECONNECT = "reconnect"
    """Only a person can let us in again: the inbox waits for that, with everything in it."""
    WINDOW_CLOSED = "window_closed"
    """Nothing but a template may be sent now."""
    OPTED_OUT = "opted_out"
    """This person does not want it."""
    UNREACHABLE = "unreachable"
    """Nobody is at this address."""
    BAD_PAYLOAD = "bad_payload"
    """The message is wrong and will never go."""
    PAUSE_CHANNEL = "pause_channel"
    """The provider has stopped the account: the inbox waits `retry_after` seconds, or for a person."""
    UNKNOWN = "unknown"
    """It may have gone out: nobody answered after the provider could have taken it. Never repeated blindly."""


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A stored file on its way out."""

    filename: str
    media_type: str
    size: int
    """Bytes."""
    read: Callable[[], AsyncIterator[bytes]]
    """Its bytes, from the start at every call."""
    url: str
    """Where a provider may fetch it for a while, without a password; needs a server the provider can reach."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to put on the wire."""

    message_id: UUID
    """Our id; carried along wherever the provider carries one."""
    to: str
    """The person's address on this channel."""
    content: Content
    """Already within the channel's `Capabilities`."""
    conversation_id: UUID | None = None
    file: OutgoingFile | None = None
    """The file of a MediaContent with an `attachment_id`."""
    reply_to: str | None = None
    """The channel's id of the message it answers; of a comment, to answer it privately."""
    reply_to_comment: bool = False
    """Whether `reply_to` is a comment under a post."""
    by_person: bool = True
    """Written by a person of ours; else by a flow, an agent or a broadcast."""
    window: Literal["open", "human", "closed"] = "open"
    """Whether we may write freely, or only as a person (Meta's HUMAN_AGENT), or only what needs no window."""
    thread: tuple[str, ...] = ()
    """The channel's ids of the conversation's messages so far, the oldest first, the latest fifty."""
    subject: str | None = None
    """Subject of the conversation, where the channel has such a thing."""


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of a send."""

    external_id: str | None = None
    """The provider's id, when it took the message."""
    more_ids: tuple[str, ...] = ()
    """Further ids, where the provider made several messages of one."""
    reaction: Reaction | None = None
    """None when it went through."""
    code: str | None = None
    """The provider's code."""
    detail: str | None = None
    """What it says, in words fit for people; never a secret."""
    retry_after: float | None = None
    """Seconds."""
    scope: Literal["inbox", "pair"] = "inbox"
    """What has to wait with RETRY_AFTER: the whole inbox, or this person alone."""
    load: float | None = None
    """How much of its quota the provider says is used, 0 to 1; delivery slows down above 0.8."""
    moved_to: str | None = None
    """The address the person has now, where the provider says so; with RETRY it is used at once."""


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message that the provider's own look-up knows."""

    external_id: str
    at: datetime | None = None
