"""Storing what came in, for many calls at once: a commit costs the same for one event as for a hundred."""

import asyncio
from collections.abc import Sequence

from chatwright.features.messaging.receiving import Arrival, accept
from chatwright.ports.database import Database

MOST_CALLS = 100
"""Calls whose events are stored together."""

Waiting = tuple[Sequence[Arrival], asyncio.Future[int]]


class Intake:
    """Stores the events of one call after the other; those that come meanwhile gather and go together.

    Nobody waits for company: a call that comes alone is stored at once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Waiting] = []
        self._storing: asyncio.Task[None] | None = None

    async def store(self, arrivals: Sequence[Arrival]) -> int:
        """Store the events of one call; returns, when they are committed, how many were new."""
        stored: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrivals, stored))
        if self._storing is None:
            self._storing = asyncio.create_task(self._run(), name="intake")
        return await stored

    async def _run(self) -> None:
        try:
            while self._waiting:
                calls, self._waiting = self._waiting[:MOST_CALLS], self._waiting[MOST_CALLS:]
                await self._store(calls)
        finally:
            self._storing = None

    async def _store(self, calls: Sequence[Waiting]) -> None:
        try:
            async with self._database.autocommit():
                new = await accept([arrival for arrivals, _ in calls for arrival in arrivals])
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the calls that wait.
            await self._refuse(calls, error)
            return
        for arrivals, stored in calls:
            if not stored.done():
                stored.set_result(sum(arrival.id in new for arrival in arrivals))

    async def _refuse(self, calls: Sequence[Waiting], error: Exception) -> None:
        """Of several calls one may be at fault: each has another try by itself."""
        if len(calls) > 1:
            for call in calls:
                await self._store([call])
        elif not calls[0][1].done():
            calls[0][1].set_exception(error)
