"""Tables of the machinery itself."""

from sqlalchemy import BigInteger, Column, Identity, Index, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID
from sqlalchemy.types import UserDefinedType

metadata = MetaData()


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


event_log = Table(
    "event_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("workspace_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", UUID, nullable=False),
    Column("inbox_id", UUID),
    Column("conversation_id", UUID),
    Column("data", JSONB, nullable=False),
    Index("event_log_position", "xid", "id"),
    Index("event_log_workspace", "workspace_id", "xid", "id"),
)
"""Positions are (transaction id, id): a transaction that commits late still sorts where readers have
not been yet, because they stop before the oldest transaction that is still running."""

event_cursors = Table(
    "event_cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", Text, nullable=False),
)
"""How far each follower of the log has come."""

periodic_runs = Table(
    "periodic_runs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("ran_at", TIMESTAMP(timezone=True), nullable=False),
)
