"""What goes in and out of inboxes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from chatwright.features.contacts.values import Name
from chatwright.kernel.operation import Input, Output
from chatwright.kernel.paging import PageRequest


class Inbox(Output):
    """A connected channel: one number, page, bot or website."""

    id: UUID
    """Id of the inbox."""
    channel: str
    """Name of its channel, e.g. `webchat`."""
    name: str
    """Name people see."""
    settings: dict[str, Any]
    """Settings of the channel; secrets are left out."""
    created_at: datetime
    """When it was connected."""


class ChannelKind(Output):
    """A kind of channel that an inbox can connect."""

    name: str
    """Its name, for `channel` of a new inbox."""
    settings_schema: dict[str, Any]
    """JSON Schema of its settings."""
    contents: list[str]
    """The types of content it shows as they are; others are sent as text."""
    text_limit: int
    """Longest text in characters."""


class ListChannels(PageRequest):
    """The channels of this server, in order of name."""


class CreateInbox(Input):
    """A new inbox."""

    channel: str
    """Name of the channel, e.g. `webchat`."""
    name: Name
    """Name people see."""
    settings: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Settings of the channel, as its `settings_schema` says."""


class UpdateInbox(Input):
    """Changes to an inbox; what is left out stays."""

    inbox_id: UUID
    """Id of the inbox."""
    name: Name | None = None
    """New name."""
    settings: dict[str, Any] | None = None
    """Settings to change, by name; the others stay."""


class ShowInbox(Input):
    """An inbox to show."""

    inbox_id: UUID
    """Id of the inbox."""


class DeleteInbox(Input):
    """An inbox to disconnect."""

    inbox_id: UUID
    """Id of the inbox."""


class ListInboxes(PageRequest):
    """The connected inboxes."""
