"""The event log in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chatwright.kernel.events import Event, RecordedEvent
from chatwright.kernel.paging import decode_cursor, encode_cursor
from chatwright.ports.database import Database, Statement, value

START = encode_cursor(0, 0)


def _recorded(xid: int, id: int, at: datetime, **event: Any) -> RecordedEvent:  # noqa: A002, ANN401 - columns.
    return RecordedEvent(encode_cursor(xid, id), at, Event(**event))


def _position(xid: int, id: int) -> str:  # noqa: A002 - a column.
    return encode_cursor(xid, id)


_COLUMNS = "xid::text::bigint as xid, id, at, workspace_id, kind, subject_id, inbox_id, conversation_id, data"

READ_ALL = Statement(
    "eventlog.read_all",
    f"""
    select {_COLUMNS} from event_log
    where (xid, id) > ($1::bigint::text::xid8, $2::bigint)
      and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by xid, id limit $3
    """,
    _recorded,
)
READ_WORKSPACE = Statement(
    "eventlog.read_workspace",
    f"""
    select {_COLUMNS} from event_log
    where workspace_id = $4 and (xid, id) > ($1::bigint::text::xid8, $2::bigint)
      and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by xid, id limit $3
    """,
    _recorded,
)
END = Statement(
    "eventlog.end",
    "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 as xid, coalesce(max(id), 0) as id"
    " from event_log",
    _position,
)
ADOPT = Statement(
    "eventlog.adopt",
    "update event_log set xid = '3' where xid > pg_current_xact_id()",
    value,
)
"""Rows restored from a dump carry the transaction ids of another server, which lie in this one's future.
They are all committed, so they move to the beginning."""


class PostgresEventLog:
    """Reads committed events; opens a transaction of its own for each read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def end(self) -> str:
        """The position after everything committed so far."""
        async with self._database.autocommit():
            return await END.one()

    async def read(
        self, after: str, *, workspace_id: UUID | None = None, limit: int = 500
    ) -> Sequence[RecordedEvent]:
        """Events after a position, oldest first."""
        xid, number = decode_cursor(after, int, int)
        async with self._database.autocommit():
            if workspace_id is None:
                return await READ_ALL.all(xid, number, limit)
            return await READ_WORKSPACE.all(xid, number, limit, workspace_id)
