"""Tables of the approval queue."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP, UUID

from chatwright.features.workspaces.tables import metadata

__all__ = ["metadata"]

_WAITING = text("status = 'waiting'")

approvals = Table(
    "approvals",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, ForeignKey("workspaces.id"), nullable=False),
    Column("operation", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("requested_by", JSONB, nullable=False),
    Column("person_id", UUID),
    Column("shown", JSONB, nullable=False),
    Column("sealed", BYTEA),
    Column("digest", BYTEA, nullable=False),
    Column("status", Text, nullable=False, server_default="waiting"),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
    Column("decided_at", TIMESTAMP(timezone=True)),
    Column("decided_by", JSONB),
    Column("reason", Text),
    Column("edited", Boolean, nullable=False, server_default="false"),
    Column("result", BYTEA),
    Index("approvals_workspace", "workspace_id", "id"),
    Index("approvals_same", "workspace_id", "digest", unique=True, postgresql_where=_WAITING),
    Index("approvals_expiry", "expires_at", postgresql_where=_WAITING),
)
"""`sealed` is the call as it was asked for, as long as it waits; `shown` are its arguments for people to read.
`person_id` is the member behind the requester. `digest` is the same for the same call of the same principal, so
that who asks again while it waits does not fill the queue."""

approval_policies = Table(
    "approval_policies",
    metadata,
    Column("workspace_id", UUID, ForeignKey("workspaces.id"), primary_key=True),
    Column("supervision", Text, nullable=False),
    Column("hours", Integer, nullable=False),
)
"""What a workspace wants approved; one without a row wants nothing."""
