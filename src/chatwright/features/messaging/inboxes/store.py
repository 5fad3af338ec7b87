"""Queries of inboxes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatwright.features.messaging.inboxes.models import Health
from chatwright.ports.database import Statement, value


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An inbox as stored."""

    id: UUID
    workspace_id: UUID
    channel: str
    name: str
    settings: Mapping[str, Any]
    secrets: bytes | None
    account: str | None
    health: Health
    health_words: str | None
    health_until: datetime | None
    per_second: float | None
    renew_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """Which inbox a provider account is connected to."""

    id: UUID
    workspace_id: UUID
    name: str


_INBOX = """id, workspace_id, channel, name, settings, secrets, account, health, health_words, health_until,
    per_second, renew_at, created_at"""
INSERT_INBOX = Statement(
    "messaging.insert_inbox",
    f"""
    insert into inboxes (id, workspace_id, channel, name, settings, secrets, account, renew_at, health,
        health_words)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning {_INBOX}
    """,
    InboxRow,
)
FIND_INBOX = Statement(
    "messaging.find_inbox",
    f"select {_INBOX} from inboxes where workspace_id = $1 and id = $2 and deleted_at is null",
    InboxRow,
)
LIST_INBOXES = Statement(
    "messaging.list_inboxes",
    f"""
    select {_INBOX} from inboxes
    where workspace_id = $1 and deleted_at is null and id > $2 and ($3::uuid[] is null or id = any($3))
    order by id limit $4
    """,
    InboxRow,
)
LOCK_INBOX = Statement(
    "messaging.lock_inbox",
    f"select {_INBOX} from inboxes where id = $1 and deleted_at is null for no key update",
    InboxRow,
)
"""Lets conversations begin meanwhile: they only want the inbox to stay."""
UPDATE_INBOX = Statement(
    "messaging.update_inbox",
    f"""
    update inboxes set name = coalesce($3, name), settings = $4, secrets = $5, account = $6, renew_at = $7
    where workspace_id = $1 and id = $2 and deleted_at is null returning {_INBOX}
    """,
    InboxRow,
)
DELETE_INBOX = Statement(
    "messaging.delete_inbox",
    """
    update inboxes set deleted_at = now(), secrets = null, renew_at = null
    where workspace_id = $1 and id = $2 and deleted_at is null returning id
    """,
    value,
)
SET_HEALTH = Statement(
    "messaging.set_health",
    """
    update inboxes set health = $3, health_words = $4, health_until = $5
    from (select id, health from inboxes where workspace_id = $1 and id = $2 for no key update) as before
    where inboxes.id = before.id and deleted_at is null
      and (inboxes.health, health_words, health_until) is distinct from ($3, $4, $5::timestamptz)
    returning before.health
    """,
    value,
)
"""Returns what the health was; nothing when there is no such inbox, or it is known to be so."""
SET_ACCOUNT = Statement(
    "messaging.set_account",
    "update inboxes set account = $3 where workspace_id = $1 and id = $2 and deleted_at is null",
    value,
)
SET_PACE = Statement(
    "messaging.set_pace", "update inboxes set per_second = $3 where workspace_id = $1 and id = $2", value
)
SET_RENEWAL = Statement(
    "messaging.set_renewal", "update inboxes set renew_at = $2 where id = $1 and deleted_at is null", value
)
DUE_RENEWALS: Statement[UUID] = Statement(
    "messaging.due_renewals",
    """
    select id from inboxes where deleted_at is null and renew_at <= now() and health <> 'reconnect'
    order by renew_at limit 100
    """,
    value,
)
OVER_HEALTHS = Statement(
    "messaging.over_healths",
    f"""
    select {_INBOX} from inboxes
    where deleted_at is null and health in ('limited', 'paused') and health_until <= now()
    order by id for no key update skip locked
    """,
    InboxRow,
)
LOCK_ACCOUNT = Statement(
    "messaging.lock_account", "select pg_advisory_xact_lock(hashtextextended($1, 1)) as locked", value
)
ACCOUNT_HOLDER = Statement(
    "messaging.account_holder",
    """
    select id, workspace_id, name from inboxes
    where channel = $1 and account = $2 and deleted_at is null and id <> $3
    """,
    AccountHolder,
)
STRANGE_INBOXES = Statement(
    "messaging.strange_inboxes",
    """
    select asked.id from unnest($2::uuid[]) as asked (id)
    where not exists (select from inboxes where inboxes.id = asked.id and inboxes.workspace_id = $1)
    """,
    value,
)
OPEN_INBOX = Statement(
    "messaging.open_inbox", f"select {_INBOX} from inboxes where id = $1 and deleted_at is null", InboxRow
)
INBOX_OF_ACCOUNT = Statement(
    "messaging.inbox_of_account",
    f"select {_INBOX} from inboxes where channel = $1 and account = $2 and deleted_at is null",
    InboxRow,
)
