"""The database as rooms see it: named statements, run in the transaction of the current call.

A room's `store.py` declares its SQL as `Statement` values; each runs on the connection of the innermost
open transaction, which the pipeline (or a job) opened and will commit. No room opens or commits one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from chatwright.kernel.events import Event

Row = TypeVar("Row")
Record = Mapping[str, Any]


class Connection(Protocol):
    """The part of an asyncpg connection that rooms use."""

    async def fetch(self, query: str, *args: object) -> Sequence[Record]: ...
    async def fetchrow(self, query: str, *args: object) -> Record | None: ...
    async def execute(self, query: str, *args: object) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[object]]) -> None: ...


@dataclass(slots=True)
class Unit:
    """One transaction with what must happen when it commits."""

    connection: Connection
    events: list[Event] = field(default_factory=list[Event])
    """Events to write into the log, in the same transaction."""
    wakes: set[str] = field(default_factory=set[str])
    """Topics to announce after the commit, e.g. the name of a ledger that got new rows."""
    autocommit: bool = False
    """Whether this is no transaction, but one statement after the other."""


class Database(Protocol):
    """Opens transactions."""

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Begin a transaction; commit on a clean exit, roll back on an exception.

        Raises Unavailable when the server cannot be reached. Transactions do not nest: inside one,
        use it through `current_unit`.
        """
        ...

    def autocommit(self) -> AbstractAsyncContextManager[Unit]:
        """Borrow a connection without a transaction: each statement commits by itself, without a round trip.

        For what only reads, which sees no less this way: a transaction of ours shows each statement what was
        committed before it, too. And for a write that is one statement. Raises Unavailable likewise.
        """
        ...


current: ContextVar[Unit] = ContextVar("current_unit")


def current_unit() -> Unit:
    """The transaction of the current call; LookupError outside of one."""
    return current.get()


def emit(event: Event) -> None:
    """Announce an event: it is written in this transaction and seen by readers after its commit."""
    unit = current_unit()
    if unit.autocommit:
        message = f"{event.kind} outside of a transaction"
        raise LookupError(message)
    unit.events.append(event)


def wake(topic: str) -> None:
    """Announce, after the commit, that there is work for those who wait on a topic."""
    current_unit().wakes.add(topic)


@dataclass(frozen=True)
class Statement(Generic[Row]):
    """One named SQL statement and the type that its rows become.

    `row` is called with the columns as keyword arguments, so a model or a dataclass does.
    """

    name: str
    sql: str
    row: Callable[..., Row]

    async def all(self, *args: object) -> list[Row]:
        """Every row."""
        records = await current_unit().connection.fetch(self.sql, *args)
        return [self.row(**record) for record in records]

    async def first(self, *args: object) -> Row | None:
        """The first row, or None."""
        record = await current_unit().connection.fetchrow(self.sql, *args)
        return None if record is None else self.row(**record)

    async def one(self, *args: object) -> Row:
        """The row that must be there; LookupError names the statement when it is not."""
        row = await self.first(*args)
        if row is None:
            raise LookupError(self.name)
        return row

    async def run(self, *args: object) -> int:
        """Run without reading rows; returns how many were touched."""
        status = await current_unit().connection.execute(self.sql, *args)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def many(self, rows: Iterable[Sequence[object]]) -> None:
        """Run once per row of arguments, in one round trip, or none for no rows."""
        if rows := list(rows):
            await current_unit().connection.executemany(self.sql, rows)


def value(**columns: Any) -> Any:  # noqa: ANN401 - whatever the single column holds.
    """Row type for a statement of one column: the bare value."""
    (only,) = columns.values()
    return only


def record(**columns: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the columns hold.
    """Row type for a statement whose rows stay plain dicts."""
    return columns
