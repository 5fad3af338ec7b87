"""What a channel is: a folder that turns a provider's wire format into ours and back.

A channel holds no state and touches no database. It is given its inbox's settings and says what came in
(`verify`, `parse`) and what became of a send (`send`); the product does the rest. What it can show and
how fast it may speak is data, in `Capabilities`, so that no room ever asks which channel it is.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from pydantic import BaseModel

from chatwright.kernel.errors import Conflict, Unavailable
from chatwright.ports.inbound import Inbound, InboundLead, Person, RawEvent
from chatwright.ports.sending import FoundMessage, Outgoing, Reaction, SendOutcome
from chatwright.ports.templates import ProviderTemplate, TemplateDraft

SettingsT = TypeVar("SettingsT", bound=BaseModel)


class CredentialsLost(Conflict):
    code = "RECONNECT_NEEDED"
    hint = "Connect the inbox again with new credentials."


class ProviderRefused(Conflict):
    code = "PROVIDER_REFUSED"


class TemplateTaken(ProviderRefused):
    code = "TEMPLATE_TAKEN"
    hint = "Choose another name, or read the templates anew and delete that one first."

    def __init__(self, there: ProviderTemplate) -> None:
        """`there` is what the provider has under the name, in the language."""
        super().__init__(
            f"The provider has another template called '{there.name}' in '{there.language}' already."
        )
        self.there = there


class DownloadFailed(Unavailable):
    code = "DOWNLOAD_FAILED"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast messages may go out."""

    per_second: float
    burst: int = 1
    """How many may go at once after a pause. Where a limit is strict, 1: a burst shows in the worst second."""


@dataclass(frozen=True, slots=True)
class ReplyWindow:
    """How long we may answer freely after somebody wrote, and what goes after that."""

    open_for: timedelta
    human_for: timedelta | None = None
    """How long a person of ours may still answer, counted from the same moment (Meta's HUMAN_AGENT)."""
    templates: bool = False
    """Whether approved templates go at any time."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can carry. Limits are the provider's, with the source beside each value.

    Content beyond them is degraded before it reaches the channel: buttons to numbered text, a carousel to
    messages, a longer text to several, a longer label to a shorter one.
    """

    contents: frozenset[str]
    """The `type`s of content it shows as they are; others degrade to text."""
    text_limit: int
    """Longest text in characters."""
    text_bytes: int | None = None
    """Longest text in bytes of UTF-8, where the provider counts those."""
    caption_limit: int = 1024
    """Longest text beside a file, in characters; what is longer follows as a text."""
    uncaptioned: frozenset[str] = frozenset()
    """Kinds of MediaContent that take no text beside them at all; it follows likewise."""
    buttons_limit: int = 0
    """Most buttons of one message."""
    button_text_limit: int = 1024
    """Longest text above buttons, quick replies or a list, in characters."""
    label_limit: int = 80
    """Longest words on a button or quick reply, in characters."""
    payload_bytes: int = 1000
    """Longest answer of a button, in bytes of UTF-8."""
    link_buttons: bool = True
    """Whether a button can open a page beside buttons that answer; else the link goes into the text."""
    quick_replies_limit: int = 0
    list_rows_limit: int = 0
    """Most rows of a list, in all sections together."""
    row_limit: int = 80
    """Longest title of a row, in characters."""
    cards_limit: int = 0
    """Most cards of a carousel."""
    typing: bool = False
    read_receipts: bool = False
    """Whether the contact's reading reaches us."""
    marks_read: bool = False
    """Whether our reading reaches the contact."""
    repeatable: bool = False
    """Whether sending the same message twice shows it once, so that an uncertain send may be repeated."""
    files: Mapping[str, int] = field(default_factory=dict[str, int])
    """Largest file in bytes by kind of MediaContent; a kind left out cannot be sent."""
    media_types: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Media types taken by kind of MediaContent; a kind left out takes any."""
    window: ReplyWindow | None = None
    """None where we may always write."""
    pace: Pace | None = None
    """Of one inbox; an inbox can have one of its own, set or learned."""
    pair_pace: Pace | None = None
    """To one person."""
    bounces: bool = False
    """Whether it takes messages before it knows that anybody is at the address, and tells later. Then its taking one
    proves nothing, and one such word ends the address."""
    people_per_hour: int | None = None
    """Messages of one contact within an hour from which on a machine is taken to write them, so that no bot answers;
    None where machines do not write by themselves."""
    comments: bool = False
    """Whether a comment under a post can be answered privately."""


@dataclass(frozen=True, slots=True)
class InboxView(Generic[SettingsT]):
    """The inbox a channel works for, as far as the channel needs to know it."""

    id: UUID
    workspace_id: UUID
    settings: SettingsT
    """With its secrets in the clear."""
    hook_url: str = ""
    """Where the provider calls us for this inbox."""
    hook_token: str = ""
    """A word that only this server and this inbox's provider know, for handshakes and secret headers."""


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
class Finding:
    """One thing that a check of an inbox looked at."""

    name: str
    """E.g. `token`, `webhook`, `permissions`."""
    ok: bool
    words: str
    """What was found; where it is wrong, what to do about it. Never a secret."""
    reaction: Reaction | None = None
    """What a fault means for the inbox: RECONNECT, PAUSE_CHANNEL or RETRY."""


class Channel(Protocol[SettingsT]):
    """A channel. All methods are pure but `send` and `check`.

    `Settings` is a pydantic model that forbids unknown fields. Its `SecretStr` fields are sealed at rest and can
    be written but never read; everything else is shown as it is.
    """

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

    def account(self, settings: SettingsT) -> str | None:
        """The provider account of an inbox, e.g. a phone number's id, which has one inbox; None: no such thing."""
        ...

    async def check(self, inbox: InboxView[SettingsT]) -> Sequence[Finding]:
        """Look live whether everything is in place, the most basic first. Never raises for a provider's answer."""
        ...


@runtime_checkable
class Handshaking(Protocol):
    """A provider that wants its webhook confirmed by a GET call first."""

    def handshake(self, inbox: InboxView[Any], request: HookRequest) -> str:
        """The text to answer; raises Forbidden when the call does not know the inbox's `hook_token`.

        Nothing but the token may be looked at: an inbox that is just being connected has no settings yet.
        """
        ...


@runtime_checkable
class Answering(Protocol):
    """A provider that does what we answer its call with."""

    def answer(self, inbox: InboxView[Any], request: HookRequest) -> Mapping[str, Any] | None:
        """The JSON to answer a verified call with, once its events are stored; None where nothing is to be said."""
        ...


@runtime_checkable
class Connecting(Protocol):
    """A channel that sets its webhook up at the provider itself."""

    async def connect(self, inbox: InboxView[Any]) -> Sequence[Finding]:
        """Point the provider at `hook_url`; doing it again changes nothing. Never raises for a provider's answer."""
        ...

    async def disconnect(self, inbox: InboxView[Any]) -> None:
        """Take the webhook down, as far as the provider lets us; never raises."""
        ...


@runtime_checkable
class Renewing(Protocol):
    """A channel whose credentials end and have to be exchanged.

    The product calls `renew` under a lock of the inbox, with settings read under that lock, and commits what it
    returns before anybody uses it.
    """

    def renew_at(self, inbox: InboxView[Any]) -> datetime | None:
        """When the credentials should be renewed; None for never."""
        ...

    async def renew(self, inbox: InboxView[Any]) -> BaseModel:
        """New settings with the new credentials. Raises CredentialsLost when a person has to connect again."""
        ...


@runtime_checkable
class Downloading(Protocol):
    """A channel whose files have to be fetched from the provider."""

    async def download(self, inbox: InboxView[Any], media: str) -> "Download":
        """Fetch what `InboundMessage.media` names. Raises DownloadFailed, retryable or not."""
        ...


@dataclass(frozen=True, slots=True)
class Download:
    """A file being fetched."""

    media_type: str
    content: AsyncIterator[bytes]
    filename: str | None = None


@runtime_checkable
class Typing(Protocol):
    """A channel that can show that we are typing, and that we have read."""

    async def show_typing(self, inbox: InboxView[Any], to: str, last_external_id: str | None) -> None:
        """Show it for as long as the provider does; never raises for what a provider may answer."""
        ...


@runtime_checkable
class MarkingRead(Protocol):
    """A channel on which people see that we have read their messages."""

    async def mark_read(self, inbox: InboxView[Any], to: str, last_external_id: str) -> None:
        """Say that everything up to this message is read; never raises for what a provider may answer."""
        ...


@runtime_checkable
class Introducing(Protocol):
    """A provider whose events do not say who somebody is, but which can be asked."""

    async def introduce(self, inbox: InboxView[Any], address: str) -> Person | None:
        """Who is at this address, as far as the provider tells; never raises for what a provider may answer."""
        ...


@runtime_checkable
class LookingUp(Protocol):
    """A provider that can be asked whether it took a message."""

    async def look_up(self, inbox: InboxView[Any], outgoing: Outgoing) -> FoundMessage | None:
        """The message as the provider has it; None when it says that it never took it.

        Raises Unavailable when it cannot say.
        """
        ...


@runtime_checkable
class Templating(Protocol):
    """A channel whose provider approves templates. Each method raises ProviderRefused with the provider's reason."""

    async def list_templates(self, inbox: InboxView[Any]) -> Sequence[ProviderTemplate]: ...
    async def create_template(self, inbox: InboxView[Any], draft: TemplateDraft) -> ProviderTemplate:
        """Submit a template; raises TemplateTaken with the one that the provider has by that name and language."""
        ...

    async def delete_template(self, inbox: InboxView[Any], name: str, language: str) -> None: ...


@runtime_checkable
class FetchingLeads(Protocol):
    """A provider whose form answers have to be fetched."""

    async def fetch_lead(self, inbox: InboxView[Any], lead: InboundLead) -> InboundLead:
        """The lead with its answers; raises Unavailable or ProviderRefused."""
        ...


Take = Callable[[Sequence[RawEvent], Mapping[str, Any]], Awaitable[None]]
"""Commits events together with the cursor after them."""


@runtime_checkable
class Listening(Protocol):
    """A channel that fetches what came in, where the provider calls nobody (IMAP)."""

    async def listen(self, inbox: InboxView[Any], cursor: Mapping[str, Any], take: Take) -> None:
        """Hand over everything after the cursor and whatever comes, until cancelled or the connection breaks.

        The first cursor of an inbox is `{"since": <when it was connected, ISO 8601>}`. It takes once it is connected,
        be it nothing. Raises Unavailable when trying again later may help, and CredentialsLost when a person has
        to look at it.
        """
        ...


@runtime_checkable
class Unpacking(Protocol):
    """A channel whose files came along in the raw event, so that nothing has to be fetched."""

    async def unpack(self, inbox: InboxView[Any], payload: Mapping[str, Any], media: str) -> "Download":
        """The file that `InboundMessage.media` names, out of the event it came with. Raises DownloadFailed."""
        ...


@runtime_checkable
class Unsubscribing(Protocol):
    """A channel whose messages carry a link that stops them, `/u/{token}` (RFC 8058).

    A token begins with the 32 hex digits of its inbox's id, and is proof enough by itself.
    """

    def unsubscription(self, inbox: InboxView[Any], token: str) -> RawEvent | None:
        """The event that somebody followed the link, to be stored like any other; None when it was not made here."""
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
