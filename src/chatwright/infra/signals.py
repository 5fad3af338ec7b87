"""Signals over LISTEN/NOTIFY: one publisher and one listener per process, on a connection of their own.

NOTIFY inside a business transaction takes a database-wide lock at commit, so announcements are made
after it, gathered for a moment and sent in one statement.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import structlog

CHANNEL = "chatwright"
GATHER_SECONDS = 0.005
RECONNECT_SECONDS = 1.0
MOST_IN_ONE = 40
"""Topics in one NOTIFY: its payload must stay under 8000 bytes, and a topic has up to four ids."""

_log = structlog.get_logger(__name__)


class TopicFollower:
    """See `ports.signals.Follower`."""

    def __init__(self) -> None:
        self._heard: set[str] = set()
        self._some = asyncio.Event()

    def hear(self, topic: str) -> None:
        """Keep a topic for the next call of `next`."""
        self._heard.add(topic)
        self._some.set()

    async def next(self, timeout: float) -> set[str]:  # noqa: ASYNC109 - the port's contract.
        """What was announced since the last call, or within `timeout` seconds from now."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._some.wait()
        heard, self._heard = self._heard, set()
        self._some.clear()
        return heard


class PostgresSignals:
    """Announces topics to every process on the same database and lets tasks wait for them."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._followers: defaultdict[str, set[TopicFollower]] = defaultdict(set)
        self._outbox: set[str] = set()
        self._outbox_filled = asyncio.Event()
        self.connected = False
        """Whether this process hears the others just now."""

    def announce(self, topics: set[str]) -> None:
        """Wake local waiters at once and hand the topics to the publisher for the other processes."""
        self._wake(topics)
        self._outbox |= topics
        self._outbox_filled.set()

    async def wait(self, topic: str, timeout: float) -> bool:  # noqa: ASYNC109 - the port's contract.
        """Wait for the topic, at most `timeout` seconds."""
        with self.follow(topic) as follower:
            return bool(await follower.next(timeout))

    @contextmanager
    def follow(self, *topics: str) -> Generator[TopicFollower]:
        """Listen to topics from now on."""
        follower = TopicFollower()
        for topic in topics:
            self._followers[topic].add(follower)
        try:
            yield follower
        finally:
            for topic in topics:
                self._unfollow(topic, follower)

    def _unfollow(self, topic: str, follower: TopicFollower) -> None:
        followers = self._followers[topic]
        followers.discard(follower)
        if not followers:
            del self._followers[topic]

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
            self.connected = True
            # Else a process that announces little would not notice that it hears nothing any more.
            connection.add_termination_listener(lambda _: self._outbox_filled.set())
            while True:
                await self._outbox_filled.wait()
                await asyncio.sleep(GATHER_SECONDS)
                await self._publish(connection)
        finally:
            self.connected = False
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)

    async def _publish(self, connection: Any) -> None:  # noqa: ANN401 - asyncpg's generic connection.
        topics, self._outbox = self._outbox, set()
        self._outbox_filled.clear()
        ordered = sorted(topics)
        payloads = [
            ",".join(ordered[start : start + MOST_IN_ONE]) for start in range(0, len(ordered), MOST_IN_ONE)
        ]
        await connection.execute(
            "select pg_notify($1, payload) from unnest($2::text[]) payload", CHANNEL, payloads
        )

    def _receive(self, connection: Any, sender: int, _channel: str, payload: Any) -> None:  # noqa: ANN401 - asyncpg's.
        # What this process announced, its own waiters have heard already.
        if sender != connection.get_server_pid():
            self._wake(set(str(payload).split(",")))

    def _wake(self, topics: set[str]) -> None:
        for topic in topics:
            for level in _levels(topic):
                for follower in self._followers.get(level, ()):
                    follower.hear(topic)


def _levels(topic: str) -> Iterator[str]:
    """`a`, `a:b` and `a:b:c` for `a:b:c`."""
    end = topic.find(":")
    while end >= 0:
        yield topic[:end]
        end = topic.find(":", end + 1)
    yield topic
