"""What can come in on a channel, the same for every provider.

A channel's `parse` reads one raw event into these. What it does not know becomes `InboundUnknown`, so that
nothing from outside is dropped and nothing unknown stops the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from chatwright.ports.content import Content
from chatwright.ports.sending import Reaction


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One provider event cut out of a call, ready to be stored before anything is done with it."""

    dedupe_key: str
    """The same for every copy of the event, different for different events of the inbox."""
    lane: str
    """Events of one lane are worked in the order they were stored; usually the person who wrote."""
    payload: Mapping[str, Any]
    """The event as JSON, whole."""
    account: str | None = None
    """The provider account it is for, as `Channel.account` names it; None for the inbox that was called.

    One call may carry events of several accounts. An event of another account goes to the inbox of that account
    if the call's signature also holds under that inbox's own secrets; else it is kept here, as unknown.
    """


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the other side, under the names the channel knows them by."""

    identities: Mapping[str, str]
    """Kind to value, e.g. `{"visitor": "..."}`; at least one, the first is the address to answer."""
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Referral:
    """Where somebody came from: an ad, a ref link, a post."""

    source: str
    """The provider's word for it, e.g. `ad`, `SHORTLINK`, `start`."""
    ref: str | None = None
    """Our own word in the link."""
    ad_id: str | None = None
    click_id: str | None = None
    """What a conversion is reported with, e.g. WhatsApp's `ctwa_clid`."""
    url: str | None = None
    headline: str | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """Somebody wrote to us."""

    external_id: str
    """The channel's id of the message: the same for every copy of it."""
    person: Person
    content: Content
    sent_at: datetime | None = None
    media: str | None = None
    """What the channel's `download` fetches the file of a MediaContent by; never shown to anybody."""
    reply_to: str | None = None
    """The channel's id of the message it answers."""
    referral: Referral | None = None
    opens_window: bool = True
    """Whether we may answer freely now; a comment under a post does not allow that."""
    free_for: timedelta | None = None
    """How long the window is if it is longer than the channel's usual one."""
    automatic: bool = False
    """Written by a machine (RFC 3834), or answered by another app, so that no bot of ours may answer."""
    in_thread: tuple[str, ...] = ()
    """Ids of messages it answers, the nearest first; the first one known decides its conversation."""
    conversation_id: UUID | None = None
    """The conversation, where the address it was sent to proves it."""
    author: str | None = None
    """Name of who wrote it, where the person is a group."""
    spare_id: str | None = None
    """Its id where another message has `external_id` already: where senders make the ids, two may have the same.

    Only for channels whose raw events are one for all copies of a message.
    """


@dataclass(frozen=True, slots=True)
class InboundEcho:
    """A message went out from our account, by us or by a person in the provider's own app."""

    external_id: str
    person: Person
    """Whom it went to."""
    content: Content
    message_id: str | None = None
    """Our id, where the provider carries it."""
    sent_at: datetime | None = None
    by_app: bool = False
    """Whether the provider says that this product sent it. If not, a person did, and the bot pauses."""
    media: str | None = None
    author: str | None = None
    """Name or id of the person who wrote it in the provider's app."""


@dataclass(frozen=True, slots=True)
class InboundEdit:
    """Somebody changed a message."""

    external_id: str
    """The message that changed."""
    person: Person
    content: Content
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboundUnsend:
    """Somebody took a message back: its content must go."""

    external_id: str
    person: Person | None = None
    parts: tuple[str, ...] = ()
    """Further ids under which the rest of it may be known, where the channel made several messages of one."""


@dataclass(frozen=True, slots=True)
class InboundReaction:
    """Somebody reacted to a message."""

    external_id: str
    """The message reacted to: our id where the channel echoes it, else the channel's."""
    person: Person
    emoji: str
    """Empty when the reaction was taken back."""
    at: datetime | None = None


class DeliveryStatus(StrEnum):
    """How far a message got, in order."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pricing:
    """What the provider charges for a message."""

    billable: bool
    category: str
    """E.g. `marketing`, `utility`, `service`."""
    model: str | None = None
    """The provider's pricing model, e.g. `PMP`."""
    kind: str | None = None
    """Its pricing type, e.g. `regular`, `free_entry_point`."""


@dataclass(frozen=True, slots=True)
class InboundStatus:
    """A message of ours got further, or failed."""

    message_id: str
    """Our own message id where the channel echoes it, else the channel's."""
    status: DeliveryStatus
    person: Person | None = None
    external_id: str | None = None
    """The channel's id, where `message_id` is ours."""
    at: datetime | None = None
    reaction: Reaction | None = None
    """For a failure: what it asks of us, as for a refused send."""
    code: str | None = None
    detail: str | None = None
    pricing: Pricing | None = None


@dataclass(frozen=True, slots=True)
class InboundWatermark:
    """Somebody got or read everything of ours up to a point; give the message or the time."""

    person: Person
    status: Literal[DeliveryStatus.DELIVERED, DeliveryStatus.READ]
    up_to: str | None = None
    """Our id, or the channel's, of the last message."""
    before: datetime | None = None
    """Everything sent up to and including this time."""


@dataclass(frozen=True, slots=True)
class InboundReferral:
    """Somebody came through a link or an ad, without a message."""

    person: Person
    referral: Referral
    at: datetime | None = None
    opens_window: bool = True


@dataclass(frozen=True, slots=True)
class InboundConsent:
    """Somebody allowed or forbade us to write, on the channel itself."""

    person: Person
    given: bool
    purpose: Literal["all", "marketing"] = "all"
    source: str = ""
    """What they did, in words, e.g. `blocked the bot`, `one-click unsubscribe`."""
    at: datetime | None = None
    opens_window: bool = False
    conversation_id: UUID | None = None
    """The conversation whose contact said so, where an address of ours proves it; `person` is only a claim then."""


@dataclass(frozen=True, slots=True)
class InboundIdentity:
    """Somebody is known by other names from now on: a new number, a rotated id, a chat that moved."""

    person: Person
    """Under the names known before; these stay as aliases."""
    now: Person
    """Under the new names; the first is the address to answer from now on."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class InboundProfile:
    """Somebody told us about themselves, without a message."""

    person: Person
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    """What does not fit `Person`, by the provider's names."""


@dataclass(frozen=True, slots=True)
class InboundLead:
    """Somebody filled in a form at the provider (e.g. Meta Lead Ads)."""

    lead_id: str
    form_id: str | None = None
    ad_id: str | None = None
    answers: Mapping[str, str] | None = None
    """Values by field name; None while they have to be fetched with the channel's `fetch_lead`."""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboundTemplate:
    """A template changed at the provider."""

    name: str
    language: str
    status: str | None = None
    """As in `ports.templates.TemplateStatus`; unknown ones are kept as they are."""
    category: str | None = None
    quality: str | None = None
    reason: str | None = None
    template_id: str | None = None


@dataclass(frozen=True, slots=True)
class InboundAccount:
    """News of our account itself: restricted, verified, renamed, out of quota, its limits changed."""

    kind: str
    """The provider's word for it."""
    words: str
    """What happened, for people."""
    health: Literal["ok", "limited", "paused", "reconnect"] | None = None
    """What it means for sending; None when nothing."""
    per_second: float | None = None
    """A new pace for this inbox."""


@dataclass(frozen=True, slots=True)
class InboundHandover:
    """Another app of the business answers somebody from now on, so that the bot pauses."""

    person: Person


@dataclass(frozen=True, slots=True)
class InboundWithdrawal:
    """Somebody asked that everything about them be deleted."""

    person: Person


@dataclass(frozen=True, slots=True)
class InboundUnknown:
    """Something we do not know: kept with its raw event and counted under this kind."""

    kind: str


Inbound = (
    InboundMessage
    | InboundEcho
    | InboundEdit
    | InboundUnsend
    | InboundReaction
    | InboundStatus
    | InboundWatermark
    | InboundReferral
    | InboundConsent
    | InboundIdentity
    | InboundProfile
    | InboundLead
    | InboundTemplate
    | InboundAccount
    | InboundHandover
    | InboundWithdrawal
    | InboundUnknown
)
