"""Credentials that end: exchanged one at a time, and committed before anybody uses the new ones."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel

from chatwright.features.messaging.inboxes import store
from chatwright.features.messaging.inboxes.health import set_health
from chatwright.features.messaging.inboxes.opening import OpenInbox, opened, view_of
from chatwright.features.messaging.inboxes.secrets import sealed_secrets
from chatwright.kernel.errors import ChatwrightError
from chatwright.ports.channel import CredentialsLost, InboxView, Renewing
from chatwright.ports.database import Database
from chatwright.ports.secret_settings import public_part

RETRY_AFTER = timedelta(minutes=5)
"""How soon a renewal that failed is tried again; channels renew long before the end."""

_log = structlog.get_logger(__name__)


async def renew_now(database: Database, inbox_id: UUID, seen_settings: BaseModel) -> InboxView[Any]:
    """The inbox with credentials newer than the ones seen.

    Runs in a transaction of its own under a lock of the inbox; never call it inside another. Who comes second
    finds the new credentials there and exchanges nothing: many providers take a refresh token once. Raises
    CredentialsLost, with the inbox's health set to `reconnect`, when only a person can help, and Unavailable when
    the provider cannot be reached.
    """
    lost: CredentialsLost
    async with database.transaction():
        row = await store.LOCK_INBOX.first(inbox_id)
        if row is None:
            message = "The inbox was disconnected."
            raise CredentialsLost(message)
        inbox = opened(row)
        if inbox.view.settings != seen_settings:
            return inbox.view
        try:
            return await _renewed(inbox, row.account)
        except CredentialsLost as error:
            await set_health(row.workspace_id, row.id, "reconnect", error.message)
            lost = error
    raise lost


async def renew_due(database: Database) -> int:
    """Renew whatever is about to end, one inbox after the other; returns how many were due."""
    async with database.autocommit():
        due = await store.DUE_RENEWALS.all()
    for inbox_id in due:
        try:
            await _renew_if_due(database, inbox_id)
        except ChatwrightError as error:
            _log.warning("inbox.not_renewed", inbox_id=str(inbox_id), error=error.code)
            async with database.autocommit():
                await store.SET_RENEWAL.run(inbox_id, datetime.now(UTC) + RETRY_AFTER)
    return len(due)


async def _renew_if_due(database: Database, inbox_id: UUID) -> None:
    async with database.autocommit():
        row = await store.OPEN_INBOX.first(inbox_id)
    if row is not None and row.renew_at is not None and row.renew_at <= datetime.now(UTC):
        await renew_now(database, inbox_id, opened(row).view.settings)


async def _renewed(inbox: OpenInbox, account: str | None) -> InboxView[Any]:
    channel: object = inbox.channel
    if not isinstance(channel, Renewing):
        message = "The provider no longer takes the credentials of this inbox."
        raise CredentialsLost(message)
    settings = await channel.renew(inbox.view)
    view = view_of(inbox.view.id, inbox.view.workspace_id, settings)
    await store.UPDATE_INBOX.one(
        view.workspace_id,
        view.id,
        None,
        public_part(settings),
        sealed_secrets(view.id, settings),
        account,
        channel.renew_at(view),
    )
    return view
