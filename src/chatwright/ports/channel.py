"""What a channel is: a folder that turns a provider's wire format into ours and back.

A channel holds no state and touches no database. It is given its inbox's settings and says what came in
(`verify`, `parse`) and what became of a send (`send`); the product does the rest. What it can show and
how fast it may speak is data, in `Capabilities`, so that no room ever asks which channel it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from pydantic import BaseModel

from chatwright.ports.content import Content

SettingsT = TypeVar("SettingsT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can carry. Limits are the provider's, with the source beside each value."""

    contents: frozenset[str]
    """The `type`s of content it shows as they are; others degrade to text."""
    text_limit: int
    """Longest text in characters."""
    buttons_limit: int = 0
    typing: bool = False
    read_receipts: bool = False
    repeatable: bool = False
    """Whether sending the same message twice shows it once, so that an uncertain send may be repeated."""
    attachment_limit: int = 0
    """Largest attachment in bytes; 0 for none."""


@dataclass(frozen=True, slots=True)
class InboxView(Generic[SettingsT]):
    """The inbox a channel works for, as far as the channel needs to know it."""

    id: UUID
    workspace_id: UUID
    settings: SettingsT


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One inbound HTTP call, body untouched: signatures are over the bytes received."""

    method: str
    headers: Mapping[str, str]
    """Names in lower case."""
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """A call that is what it claims to be, with whatever verification learned."""

    address: str | None = None
    """Who calls, as the address to answer, where the call itself proves it."""
    claims: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the other side, under the names the channel knows them by."""

    identities: Mapping[str, str]
    """Kind to value, e.g. `{"visitor": "..."}`; at least one, the first is the address to answer."""
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """Somebody wrote to us."""

    external_id: str
    """The channel's id of the message: the same for every copy of it."""
    person: Person
    content: Content
    sent_at: datetime | None = None


class DeliveryStatus(StrEnum):
    """How far a message got, in order."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class InboundStatus:
    """A message of ours got further, or failed."""

    message_id: str
    """Our own message id where the channel echoes it, else the channel's."""
    status: DeliveryStatus
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class InboundRead:
    """Somebody read everything of ours up to one message."""

    person: Person
    up_to: str
    """Our id of the last message they saw."""


@dataclass(frozen=True, slots=True)
class InboundUnknown:
    """Something we do not know: kept with its raw event and counted under this kind."""

    kind: str


Inbound = InboundMessage | InboundStatus | InboundRead | InboundUnknown


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One provider event cut out of a call, ready to be stored before anything is done with it."""

    dedupe_key: str
    """The same for every copy of the event, different for different events of the inbox."""
    lane: str
    """Events of one lane are worked in the order they were stored; usually the person who wrote."""
    payload: Mapping[str, Any]
    """The event as JSON, whole."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to put on the wire."""

    message_id: UUID
    """Our id; carried along wherever the provider carries one."""
    to: str
    """The person's address on this channel."""
    content: Content


class Reaction(StrEnum):
    """What to do about a send that did not go through."""

    RETRY = "retry"
    GIVE_UP = "give_up"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of a send."""

    external_id: str | None = None
    """The provider's id, when it took the message."""
    reaction: Reaction | None = None
    """None when it went through."""
    code: str | None = None
    detail: str | None = None
    retry_after: float | None = None
    """Seconds."""


class Channel(Protocol[SettingsT]):
    """A channel. All methods are pure but `send`."""

    name: ClassVar[str]
    Settings: type[SettingsT]
    capabilities: ClassVar[Capabilities]

    def verify(self, inbox: InboxView[SettingsT], request: HookRequest) -> Verified:
        """Check signature, origin and freshness over the raw bytes; raises Unauthenticated or Forbidden."""
        ...

    def split(
        self, inbox: InboxView[SettingsT], request: HookRequest, verified: Verified
    ) -> Sequence[RawEvent]:
        """Cut a verified call into raw events.

        Raises InvalidInput only when the body is no JSON at all, or when only our own page could have made it.
        """
        ...

    def parse(self, inbox: InboxView[SettingsT], payload: Mapping[str, Any]) -> Sequence[Inbound]:
        """Read one raw event. What it does not know becomes InboundUnknown, never an exception."""
        ...

    async def send(self, inbox: InboxView[SettingsT], outgoing: Outgoing) -> SendOutcome:
        """Put a message on the wire once. Never raises for what a provider may answer."""
        ...


AnyChannel = Channel[Any]


@dataclass(frozen=True, slots=True)
class Welcome:
    """A session of somebody on a page."""

    token: str
    """What the page presents from now on, as a bearer token."""
    address: str
    """Under which messages to them are kept."""


@runtime_checkable
class HostedChannel(Protocol):
    """What a channel offers besides when no provider stands between: pages in browsers call this server.

    `verify` of such a channel proves `Verified.address`, and external ids of messages begin with that address
    and a slash, so that nobody can take an id before its owner does.
    """

    def allowed_origin(self, inbox: InboxView[Any], request: HookRequest) -> str | None:
        """The website whose page calls and may; raises Forbidden when it may not.

        None when the call names none, which only reads from our own pages may do: browsers leave it out there.
        """
        ...

    def profile(self, inbox: InboxView[Any]) -> Mapping[str, Any]:
        """What the page shows of the inbox before anything is said."""
        ...

    def welcome(self, inbox: InboxView[Any], request: HookRequest) -> Welcome:
        """Renew the session that the body's `token` proves, or begin one for somebody new."""
        ...


_channels: dict[str, AnyChannel] = {}


def register_channel(channel: AnyChannel) -> None:
    """Make a channel known under its name, once per process, before anything is served."""
    _channels[channel.name] = channel


def channel_named(name: str) -> AnyChannel | None:
    """The channel of this name, or None when no plug-in offers it."""
    return _channels.get(name)


def channel_names() -> list[str]:
    """The names of all channels there are, sorted."""
    return sorted(_channels)
