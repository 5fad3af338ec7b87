"""Followers of the event log: each event handled once, in order, by whichever process gets to it.

The position is kept in the transaction that handles the events, so a killed process loses and repeats nothing.
"""

from collections.abc import Sequence

import structlog

from chatwright.infra.eventlog import READ_ALL, START
from chatwright.kernel.events import RecordedEvent
from chatwright.kernel.paging import decode_cursor
from chatwright.ports.database import Database, Statement, Unit, value
from chatwright.ports.eventlog import EVENTS_TOPIC, Following
from chatwright.ports.signals import Signals

POLL_SECONDS = 1.0
BATCH = 200

_log = structlog.get_logger(__name__)

BEGIN = Statement(
    "following.begin",
    "insert into event_cursors (name, position) values ($1, $2) on conflict (name) do nothing",
    value,
)
TAKE = Statement(
    "following.take", "select position from event_cursors where name = $1 for update skip locked", value
)
MOVE = Statement("following.move", "update event_cursors set position = $2 where name = $1", value)


class EventFollower:
    """Follows the log for one purpose until cancelled."""

    def __init__(self, database: Database, signals: Signals, following: Following) -> None:
        self._database = database
        self._signals = signals
        self._following = following

    async def run(self) -> None:
        """Handle what there is; between, wait for news or the poll."""
        with self._signals.follow(EVENTS_TOPIC) as follower:
            while True:
                if await self.run_once() == 0:
                    await follower.next(POLL_SECONDS)

    async def run_once(self) -> int:
        """Handle the next events in one transaction; returns how many were read, 0 if another process is at it."""
        async with self._database.transaction() as unit:
            await BEGIN.run(self._following.name, START)
            position = await TAKE.first(self._following.name)
            if position is None:
                return 0
            events: Sequence[RecordedEvent] = await READ_ALL.all(*decode_cursor(position, int, int), BATCH)
            for recorded in events:
                if recorded.event.kind in self._following.kinds:
                    await self._handle(unit, recorded)
            if events:
                await MOVE.run(self._following.name, events[-1].position)
            return len(events)

    async def _handle(self, unit: Unit, recorded: RecordedEvent) -> None:
        """One event that cannot be handled is undone, logged and passed: those behind it still count."""
        await unit.connection.execute("savepoint one_event")
        try:
            await self._following.handle(recorded.event)
        except Exception:  # noqa: BLE001 - whatever it was; it is logged with its trace.
            await unit.connection.execute("rollback to savepoint one_event")
            _log.exception("following.passed", follower=self._following.name, position=recorded.position)
