"""PostgreSQL through an asyncpg pool: transactions with their events and wake-up calls."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson

from chatwright.kernel.alarms import Deadline
from chatwright.kernel.begun import Begun
from chatwright.kernel.errors import Misconfigured, Unavailable
from chatwright.ports.database import Connection, Unit, current
from chatwright.ports.eventlog import events_topic

if TYPE_CHECKING:
    from chatwright.kernel.events import Event
    from chatwright.ports.signals import Signals

ACQUIRE_SECONDS = 10.0
STATEMENT_SECONDS = 60
"""No statement of ours should take so long; one that does is cancelled by the server."""
SESSION = {
    "application_name": "chatwright",
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    # What disks are like today. With the default of 4, made for spinning ones, a claimer of work reads and sorts
    # its whole backlog instead of taking the first rows of an index.
    "random_page_cost": "1.1",
}
"""How the server treats our connections."""

_UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.InterfaceError,
)

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.QueryCanceledError,
    ConnectionError,
)
"""What ends a transaction through no fault of its caller; the same call may go through later."""


@dataclass(frozen=True)
class PoolUse:
    """The connections of a process."""

    used: int
    idle: int
    most: int


class PoolDatabase:
    """The product's database: one pool per process."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", signals: "Signals") -> None:
        self._pool = pool
        self._signals = signals
        self._turns = asyncio.Semaphore(pool.get_max_size())
        """First come, first served: the pool gives a connection to whoever happens to ask when it comes back, and
        those who wait for one go to the end of the line."""

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Unit]:
        """Begin a transaction; its events are written before the commit, its wake-up calls made after."""
        borrowed = _Borrowed(self, autocommit=False)
        async with borrowed as unit, borrowed.connection.transaction():
            yield unit
            await _write_events(unit.connection, unit.events)

    def autocommit(self) -> "_Borrowed":
        """Borrow a connection without a transaction; wake-up calls are made at the end."""
        return _Borrowed(self, autocommit=True)

    def use(self) -> PoolUse:
        """How many connections are at work just now."""
        idle = self._pool.get_idle_size()
        return PoolUse(self._pool.get_size() - idle, idle, self._pool.get_max_size())

    async def acquire(self) -> Any:  # noqa: ANN401 - asyncpg's pool proxy has no public type.
        """Take a connection; raises Unavailable when there is none in time."""
        try:
            turn = Begun(self._turns.acquire())
            if not turn.done:
                with Deadline(ACQUIRE_SECONDS):
                    await turn
            return await self._connected()
        except _UNREACHABLE as error:
            message = "The database cannot be reached."
            raise Unavailable(message, retry_after_ms=1000) from error

    async def release(self, connection: Any) -> None:  # noqa: ANN401 - see acquire.
        """Give a connection back."""
        try:
            await self._pool.release(connection)
        finally:
            self._turns.release()

    async def _connected(self) -> Any:  # noqa: ANN401 - see acquire.
        try:
            taking = Begun(self._pool.acquire())
            if taking.done:
                return await taking
            with Deadline(ACQUIRE_SECONDS):
                return await taking
        except BaseException:
            self._turns.release()
            raise

    def announce(self, unit: Unit) -> None:
        """Make the wake-up calls of a unit that has come to its end."""
        news = {events_topic(e.workspace_id, e.inbox_id, e.conversation_id) for e in unit.events}
        topics = unit.wakes | news
        if topics:
            self._signals.announce(topics)


class _Borrowed:
    """A connection for one unit of work. A class and not a generator, which would cost five times as much."""

    __slots__ = ("_autocommit", "_database", "_token", "_unit", "connection")

    connection: Any

    def __init__(self, database: PoolDatabase, *, autocommit: bool) -> None:
        self._database = database
        self._autocommit = autocommit

    async def __aenter__(self) -> Unit:
        self.connection = await self._database.acquire()
        self._unit = Unit(self.connection, autocommit=self._autocommit)
        self._token = current.set(self._unit)
        return self._unit

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            current.reset(self._token)
            if error is None:
                # Before the connection is given back, where a cancellation could come in between.
                self._database.announce(self._unit)
        finally:
            await self._database.release(self.connection)
        if isinstance(error, _LOST):
            message = "The database went away, or could not take this just now."
            raise Unavailable(message, retry_after_ms=1000) from error


async def open_pool(dsn: str, *, size: int) -> "asyncpg.Pool[asyncpg.Record]":
    """Open the pool. Raises Unavailable when the server does not answer."""
    try:
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=ACQUIRE_SECONDS,
            init=prepare_connection,
            reset=_leave_as_it_is,
            server_settings=SESSION,
        )
    except _UNREACHABLE as error:
        message = "The database cannot be reached."
        raise Unavailable(message, retry_after_ms=1000) from error


async def connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection outside the pool. Raises Unavailable when nobody answers, Misconfigured when we are refused."""
    refused = (ValueError, asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
    try:
        return await asyncpg.connect(dsn)
    except refused as error:
        message = f"The database cannot be used: {error}."
        raise Misconfigured(message, hint="Check DATABASE_URL.") from error
    except _UNREACHABLE as error:
        message = f"The database cannot be reached: {error}."
        raise Unavailable(message, retry_after_ms=1000) from error


async def _leave_as_it_is(connection: Any) -> None:  # noqa: ANN401 - pool proxy.
    """Spare the round trip that would undo changes of the session: nothing here makes any."""


async def prepare_connection(connection: Any) -> None:  # noqa: ANN401 - pool proxy or plain connection.
    """Make JSON columns Python values on this connection."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, encoder=_encode_json, decoder=orjson.loads, schema="pg_catalog", format="text"
        )


def _encode_json(value: object) -> str:
    return orjson.dumps(value).decode()


_INSERT_EVENT = """
    insert into event_log (workspace_id, kind, subject_id, inbox_id, conversation_id, data)
    values ($1, $2, $3, $4, $5, $6)
"""


async def _write_events(connection: Connection, events: "list[Event]") -> None:
    if events:
        await connection.executemany(
            _INSERT_EVENT,
            [
                (e.workspace_id, e.kind, e.subject_id, e.inbox_id, e.conversation_id, dict(e.data))
                for e in events
            ],
        )
