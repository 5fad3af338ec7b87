"""From a stored inbox to one that a channel can work for: its secrets opened, its channel at hand."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from chatwright.features.messaging.inboxes import store
from chatwright.features.messaging.inboxes.models import Health
from chatwright.features.messaging.inboxes.secrets import hook_token, hook_url, opened_secrets
from chatwright.features.messaging.inboxes.store import InboxRow
from chatwright.kernel.errors import Misconfigured
from chatwright.ports.channel import AnyChannel, InboxView, channel_named
from chatwright.ports.inbound import Inbound
from chatwright.ports.secret_settings import joined

LARGE = 1024 * 1024
"""Characters."""


@dataclass(frozen=True, slots=True)
class OpenInbox:
    """An inbox with its channel at hand."""

    name: str
    channel: AnyChannel
    view: InboxView[Any]
    health: Health = "ok"
    health_until: datetime | None = None
    per_second: float | None = None
    """A pace of its own, where the provider told us of one."""

    async def read(self, payload: Mapping[str, Any]) -> Sequence[Inbound]:
        """What a raw event says. A large one takes seconds, and is read in a thread meanwhile."""
        if is_large(payload):
            return await asyncio.to_thread(self.channel.parse, self.view, payload)
        return self.channel.parse(self.view, payload)


def is_large(payload: Mapping[str, Any]) -> bool:
    """Whether a raw event is so large that others should not wait while it is read: only mails are."""
    return any(isinstance(part, str) and len(part) > LARGE for part in payload.values())


async def find_inbox(inbox_id: UUID) -> OpenInbox | None:
    """The inbox of this id; None when there is none. Runs in the current transaction.

    Raises Misconfigured when its channel, its settings or the server's key are not what they were.
    """
    row = await store.OPEN_INBOX.first(inbox_id)
    return None if row is None else opened(row)


async def inbox_of_account(channel: str, account: str) -> OpenInbox | None:
    """The inbox that is connected to a provider account; None when there is none."""
    row = await store.INBOX_OF_ACCOUNT.first(channel, account)
    return None if row is None else opened(row)


def opened(row: InboxRow) -> OpenInbox:
    """The inbox of a row; raises Misconfigured."""
    channel = channel_named(row.channel)
    if channel is None:
        raise Misconfigured(f"No plug-in offers the channel '{row.channel}'.")
    secrets = opened_secrets(row.id, row.secrets)
    try:
        settings = joined(channel.Settings, row.settings, secrets)
    except ValidationError:
        # Not as its cause: pydantic's error quotes the values, secrets among them.
        raise Misconfigured(f"The settings of the inbox '{row.name}' do not fit its channel.") from None
    view = view_of(row.id, row.workspace_id, settings)
    return OpenInbox(row.name, channel, view, row.health, row.health_until, row.per_second)


def view_of(inbox_id: UUID, workspace_id: UUID, settings: BaseModel) -> InboxView[Any]:
    """What a channel is given of an inbox, stored or about to be."""
    return InboxView(inbox_id, workspace_id, settings, hook_url(inbox_id), hook_token(inbox_id))
