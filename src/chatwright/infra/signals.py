"""Signals over LISTEN/NOTIFY: one publisher and one listener per process, on a connection of their own.

NOTIFY inside a business transaction takes a database-wide lock at commit, so announcements are made
after it, gathered for a moment and sent in one statement.
"""

import asyncio
import contextlib
from collections import defaultdict
from typing import Any

import asyncpg
import structlog

CHANNEL = "chatwright"
GATHER_SECONDS = 0.005
RECONNECT_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class PostgresSignals:
    """Announces topics to every process on the same database and lets tasks wait for them."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._outbox: set[str] = set()
        self._outbox_filled = asyncio.Event()

    def announce(self, topics: set[str]) -> None:
        """Wake local waiters at once and hand the topics to the publisher for the other processes."""
        self._wake(topics)
        self._outbox |= topics
        self._outbox_filled.set()

    async def wait(self, topic: str, timeout: float) -> bool:  # noqa: ASYNC109 - the port's contract.
        """Wait for the topic, at most `timeout` seconds."""
        event = asyncio.Event()
        self._waiters[topic].add(event)
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            return False
        else:
            return True
        finally:
            self._waiters[topic].discard(event)

    async def run(self) -> None:
        """Publish and listen until cancelled, reconnecting after a lost connection."""
        while True:
            try:
                await self._serve()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("signals.disconnected", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _serve(self) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.add_listener(CHANNEL, self._receive)
            while True:
                await self._outbox_filled.wait()
                await asyncio.sleep(GATHER_SECONDS)
                await self._publish(connection)
        finally:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)

    async def _publish(self, connection: Any) -> None:  # noqa: ANN401 - asyncpg's generic connection.
        topics, self._outbox = self._outbox, set()
        self._outbox_filled.clear()
        await connection.execute("select pg_notify($1, $2)", CHANNEL, ",".join(sorted(topics)))

    def _receive(self, *notification: object) -> None:
        payload = notification[-1]
        self._wake(set(str(payload).split(",")))

    def _wake(self, topics: set[str]) -> None:
        for topic in topics:
            for event in self._waiters.get(topic, ()):
                event.set()
