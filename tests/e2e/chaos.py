"""Programs killed at random moments while calls come in, and what is to be seen when they are done."""

import asyncio
import contextlib
import random
from typing import Any

import asyncpg
import httpx2

from tests.e2e.programs import Program


class Chaos:
    """Kills a program whenever the senders have come to one of its random points, and starts it again."""

    def __init__(self, database: "asyncpg.Connection[asyncpg.Record]", victims: dict[int, Program]) -> None:
        self.kills = 0
        self._database = database
        self._victims = victims
        """By the number of calls made before the blow."""
        self._blow: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def reached(self, calls: int) -> None:
        """Strike if it is time, once the victim before is back: all programs down at once would be no test."""
        if calls in self._victims:
            async with self._one_at_a_time:
                await self.over()
                self._blow = asyncio.create_task(self._strike(self._victims[calls]))

    async def over(self) -> None:
        """Wait until the last victim is back."""
        if self._blow is not None:
            await self._blow

    async def _strike(self, victim: Program) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._work_is_under_way()
        victim.kill()
        self.kills += 1
        await asyncio.sleep(random.uniform(0, 0.5))
        await victim.up()

    async def _work_is_under_way(self) -> None:
        while not await self._database.fetchval(
            "select exists (select from inbound_events where state = 'leased')"
        ):
            await asyncio.sleep(random.uniform(0, 0.01))


async def drained(database: "asyncpg.Connection[asyncpg.Record]") -> None:
    while await database.fetchval(
        "select exists (select from inbound_events where state in ('queued', 'leased'))"
    ):
        await asyncio.sleep(0.1)


async def pages(client: httpx2.AsyncClient, path: str) -> list[dict[str, Any]]:
    """All items of a list."""
    items: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 100}
    while True:
        answer = await client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]
