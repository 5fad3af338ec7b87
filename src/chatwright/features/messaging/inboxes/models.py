"""What goes in and out of inboxes."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chatwright.features.contacts.values import Name
from chatwright.kernel.lengths import LooseFields
from chatwright.kernel.operation import DETAIL, OUTSIDE, PRIVATE, Input, Output
from chatwright.kernel.paging import PageRequest

Health = Literal["ok", "limited", "paused", "reconnect"]
ChannelSettings = Annotated[LooseFields, PRIVATE]


class Inbox(Output):
    """A connected channel: one number, page, bot or website."""

    id: UUID
    """Id of the inbox."""
    channel: str
    """Name of its channel, e.g. `webchat`."""
    name: str
    """Name people see."""
    settings: Annotated[dict[str, Any], DETAIL]
    """Settings of the channel; secrets are left out."""
    secrets_set: Annotated[list[str], DETAIL]
    """Names of the secret settings that have a value. The values can be written, never read."""
    account: str | None
    """The provider account behind it, e.g. a phone number's id; null where there is no such thing, and until a live
    look has shown that it is this inbox's."""
    health: Health
    """`ok`; `limited` by the provider; `paused` by it, nothing goes out; or it has to `reconnect`."""
    health_words: Annotated[str | None, OUTSIDE]
    """What is the matter, if anything is."""
    health_until: datetime | None
    """When it is over by itself, where that is known."""
    hook_url: str
    """Where the provider calls us for this inbox."""
    hook_token: str | None
    """What to give the provider beside `hook_url` to confirm it, where it asks for such a word."""
    created_at: datetime
    """When it was connected."""


class ChannelLimits(Output):
    """What a channel lets through, and when; the provider's rules."""

    reply_hours: float | None
    """How long we may answer freely after somebody wrote, in hours; null for always."""
    human_hours: float | None
    """How long a person of ours still may, where that is longer."""
    templates: bool
    """Whether approved templates go after that, too."""
    per_second: float | None
    """Messages of one inbox a second at most; null where the provider names none."""
    per_second_to_one: float | None
    """Messages to one person a second at most."""
    buttons: int
    """Most buttons of one message; 0 where they become text."""
    quick_replies: int
    """Most quick replies of one message."""
    list_rows: int
    """Most rows of a list."""
    cards: int
    """Most cards of a carousel."""
    file_bytes: dict[str, int]
    """Largest file by kind (`image`, `video`, ...); a kind that is missing cannot be sent."""
    tells_read: bool
    """Whether we hear that the contact read a message."""


class ChannelKind(Output):
    """A kind of channel that an inbox can connect."""

    name: str
    """Its name, for `channel` of a new inbox."""
    settings_schema: Annotated[dict[str, Any], DETAIL]
    """JSON Schema of its settings; those marked `writeOnly` are secrets."""
    contents: list[str]
    """The types of content it shows as they are; others are sent as text."""
    text_limit: int
    """Longest text in characters."""
    limits: Annotated[ChannelLimits | None, DETAIL] = None
    """What else it lets through, and when."""


class ListChannels(PageRequest):
    """The channels of this server, in order of name."""


class CreateInbox(Input):
    """A new inbox."""

    channel: Annotated[str, Field(max_length=100)]
    """Name of the channel, e.g. `webchat`."""
    name: Name
    """Name people see."""
    settings: ChannelSettings = Field(default_factory=dict[str, Any])
    """Settings of the channel, as its `settings_schema` says, secrets among them."""


class ConnectInbox(CreateInbox):
    """A provider account to connect as a new inbox."""


class UpdateInbox(Input):
    """Changes to an inbox; what is left out stays."""

    inbox_id: UUID
    """Id of the inbox."""
    name: Name | None = None
    """New name."""
    settings: Annotated[LooseFields | None, PRIVATE] = None
    """Settings to change, by name, secrets among them; the others stay."""


class ReconnectInbox(Input):
    """New credentials for an inbox."""

    inbox_id: UUID
    """Id of the inbox."""
    settings: ChannelSettings = Field(default_factory=dict[str, Any])
    """Settings to change, by name, usually the secrets; the others stay."""


class ShowInbox(Input):
    """An inbox to show."""

    inbox_id: UUID
    """Id of the inbox."""


class CheckInbox(ShowInbox):
    """An inbox to look at live."""


class DeleteInbox(Input):
    """An inbox to disconnect."""

    inbox_id: UUID
    """Id of the inbox."""


class ListInboxes(PageRequest):
    """The connected inboxes."""


class CheckFinding(Output):
    """One thing that a check looked at."""

    name: str
    """What it is, e.g. `token`, `webhook`, `permissions`."""
    ok: bool
    """Whether it is as it should be."""
    words: str
    """What was found; where it is wrong, what to do about it."""


class InboxCheck(Output):
    """An inbox with what a live look at its provider found."""

    inbox: Inbox
    """The inbox, with its health after the check."""
    findings: list[CheckFinding]
    """What was looked at, the most basic first."""
