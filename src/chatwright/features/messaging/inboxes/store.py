"""Queries of inboxes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatwright.features.messaging.inboxes.models import Inbox
from chatwright.ports.database import Statement, value


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An inbox as stored."""

    id: UUID
    workspace_id: UUID
    channel: str
    name: str
    settings: Mapping[str, Any]


_INBOX = "id, channel, name, settings, created_at"
INSERT_INBOX = Statement(
    "messaging.insert_inbox",
    f"""
    insert into inboxes (id, workspace_id, channel, name, settings) values ($1, $2, $3, $4, $5)
    returning {_INBOX}
    """,
    Inbox,
)
FIND_INBOX = Statement(
    "messaging.find_inbox",
    f"select {_INBOX} from inboxes where workspace_id = $1 and id = $2 and deleted_at is null",
    Inbox,
)
LIST_INBOXES = Statement(
    "messaging.list_inboxes",
    f"""
    select {_INBOX} from inboxes
    where workspace_id = $1 and deleted_at is null and id > $2 and ($3::uuid[] is null or id = any($3))
    order by id limit $4
    """,
    Inbox,
)
UPDATE_INBOX = Statement(
    "messaging.update_inbox",
    f"""
    update inboxes set name = coalesce($3, name), settings = $4
    where workspace_id = $1 and id = $2 and deleted_at is null returning {_INBOX}
    """,
    Inbox,
)
DELETE_INBOX = Statement(
    "messaging.delete_inbox",
    """
    update inboxes set deleted_at = now()
    where workspace_id = $1 and id = $2 and deleted_at is null returning id
    """,
    value,
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
    "messaging.open_inbox",
    "select id, workspace_id, channel, name, settings from inboxes where id = $1 and deleted_at is null",
    InboxRow,
)
