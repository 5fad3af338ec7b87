"""Queries of listeners."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatwright.ports.database import Statement, value


@dataclass(frozen=True, slots=True)
class ListenerRow:
    """A listener as claimed."""

    inbox_id: UUID
    workspace_id: UUID
    cursor: Mapping[str, Any]
    failures: int


ADD_LISTENERS = Statement(
    "messaging.add_listeners",
    """
    insert into listeners (inbox_id, workspace_id, cursor)
    select id, workspace_id, jsonb_build_object('since', created_at) from inboxes
    where channel = any($1::text[]) and deleted_at is null
      and not exists (select from listeners where inbox_id = inboxes.id)
    on conflict (inbox_id) do nothing
    """,
    value,
)
CLAIM_LISTENERS = Statement(
    "messaging.claim_listeners",
    """
    update listeners set lease_owner = $1, due_at = clock_timestamp() + make_interval(secs => $2)
    where inbox_id in (
        select inbox_id from listeners join inboxes on inboxes.id = inbox_id
        where due_at <= now() and deleted_at is null and health <> 'reconnect'
        order by due_at limit $3 for no key update of listeners skip locked)
    returning inbox_id, workspace_id, cursor, failures
    """,
    ListenerRow,
)
"""An inbox that a person has to connect again waits for that."""
RENEW_LISTENER = Statement(
    "messaging.renew_listener",
    """
    update listeners set due_at = clock_timestamp() + make_interval(secs => $3)
    where inbox_id = $1 and lease_owner = $2 returning inbox_id
    """,
    value,
)
MOVE_LISTENER = Statement(
    "messaging.move_listener",
    """
    update listeners set cursor = $3, failures = 0, error = null, moved_at = clock_timestamp()
    where inbox_id = $1 and lease_owner = $2 returning inbox_id
    """,
    value,
)
END_LISTENER = Statement(
    "messaging.end_listener",
    """
    update listeners set lease_owner = null, due_at = clock_timestamp() + make_interval(secs => $3),
        failures = case when $4::text is null then 0 else failures + 1 end, error = $4
    where inbox_id = $1 and lease_owner = $2
    """,
    value,
)
RELEASE_LISTENERS = Statement(
    "messaging.release_listeners",
    "update listeners set lease_owner = null, due_at = clock_timestamp() where lease_owner = $1",
    value,
)
