"""Thousands of sends to providers that refuse, break and fall silent, and workers that are killed: each goes once."""

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from chatwright.sandbox.graph.provider import Graph
from chatwright.sandbox.telegram.provider import Telegram
from chatwright.sandbox.zalo.provider import Zalo
from tests.e2e.programs import Home, Program
from tests.e2e.sending import Business, Outlet, connected, open_business

KINDS = ("whatsapp", "messenger", "instagram", "telegram", "zalo")
MESSAGES = int(os.environ.get("CRASH_SENDS", "1000"))
"""In all, over the providers. With 5,000 workers are killed twenty times."""
PEOPLE = 25
"""Customers of each inbox."""
KILLS = max(4, MESSAGES // 250)
WORKERS = 3
FAULTS = {"too_many": 0.05, "broken": 0.05, "silent": 0.05, "retry_after": 1, "latency": 0.05}
SETTLING = frozenset({"whatsapp", "messenger", "instagram", "zalo"})
"""Providers that give our id back, or show what they took: every uncertain send is settled by what they tell later."""
GIVE_UP_SECONDS = 300 + MESSAGES // 10

pytestmark = pytest.mark.timeout(GIVE_UP_SECONDS + 60)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def business(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Business]:
    settings = {"CHATWRIGHT_ALLOWED_HOSTS": "127.0.0.1", "CHATWRIGHT_LEASE_SECONDS": "3"}
    home = Home(tmp_path_factory.mktemp("sends"), settings)
    async with open_business(home, [Graph, Telegram, Zalo], workers=WORKERS) as opened:
        yield opened


class Reaper:
    """Kills a worker in the middle of its work, at random moments of the whole run, and starts it again."""

    def __init__(self, business: Business) -> None:
        self.kills = 0
        self.in_the_act = 0
        """Kills of a moment at which something was being sent."""
        self._business = business
        self._alive = list(business.workers)

    async def reap(self, total: int) -> None:
        points = sorted(random.sample(range(total // 50, total * 9 // 10), KILLS))
        async with asyncio.TaskGroup() as tasks:
            for point in points:
                while await self._ended() < point or len(self._alive) < WORKERS - 1:
                    await asyncio.sleep(0.02)
                tasks.create_task(self._raise(await self._strike()))

    async def _strike(self) -> Program:
        for _ in range(200):
            if await self._sending():
                break
            await asyncio.sleep(random.uniform(0, 0.01))
        self.in_the_act += int(await self._sending() > 0)
        victim = random.choice(self._alive)
        self._alive.remove(victim)
        victim.kill()
        self.kills += 1
        return victim

    async def _raise(self, victim: Program) -> None:
        await asyncio.sleep(random.uniform(0, 0.3))
        await victim.up()
        self._alive.append(victim)

    async def _ended(self) -> int:
        return await self._business.database.fetchval(
            "select count(*) from deliveries where state not in ('queued', 'leased')"
        )

    async def _sending(self) -> int:
        return await self._business.database.fetchval(
            "select count(*) from deliveries where state = 'leased' and sending_at is not null"
        )


async def hurry(business: Business) -> None:
    """Turn the clock: providers ask for minutes of silence, and a test has not so many."""
    while True:
        with contextlib.suppress(asyncpg.DeadlockDetectedError):
            await turn_on(business)
        await asyncio.sleep(0.5)


async def turn_on(business: Business) -> None:
    """Let no wait last longer than a moment from now."""
    async with business.database.acquire() as connection:
        await connection.execute(
            """update send_buckets set blocked_until = now() + interval '0.3 seconds',
                   free_at = least(free_at, now() + interval '0.3 seconds')
               where blocked_until > now() + interval '1 second'"""
        )
        await connection.execute(
            """update deliveries set due_at = now() + interval '0.3 seconds', slot_at = null where id in (
                   select id from deliveries
                   where state = 'queued' and due_at > now() + interval '1 second' and due_at < 'infinity'
                   for update skip locked)"""
        )


async def statuses(outlet: Outlet) -> dict[str, str]:
    """What the product says of each message, by its text."""
    rows = await outlet.business.database.fetch(
        "select content::jsonb ->> 'text' as text, status from messages where inbox_id = $1 and direction = 'out'",
        outlet.inbox_id,
    )
    assert len(rows) == len({row["text"] for row in rows})
    return {row["text"]: row["status"] for row in rows}


async def receipts_are_in(business: Business) -> None:
    """Wait until the providers have told everything, and all of it is worked."""
    await business.stage.settled()
    while await business.database.fetchval(
        "select exists (select from inbound_events where state in ('queued', 'leased'))"
    ):
        await asyncio.sleep(0.2)


async def test_nothing_is_lost_or_sent_twice(business: Business) -> None:
    each = MESSAGES // len(KINDS)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        # A chat of Telegram's takes one message a second, which is another test's matter.
        details: dict[str, dict[str, Any]] = {"telegram": {"details": {"chat_per_second": 1000}}}
        outlets = [await connected(business, kind, people=PEOPLE, **details.get(kind, {})) for kind in KINDS]
        for outlet in outlets:
            await business.stage.fault(outlet.account, **FAULTS)
        reaper = Reaper(business)
        clock = asyncio.create_task(hurry(business))
        try:
            await asyncio.gather(
                reaper.reap(each * len(KINDS)), *(outlet.send_all(each) for outlet in outlets)
            )
            await business.all_ended()
        finally:
            clock.cancel()
        await receipts_are_in(business)

    assert reaper.kills == KILLS
    assert reaper.in_the_act > 0
    for outlet in outlets:
        said = await statuses(outlet)
        took = Counter(send.text for send in outlet.ledger.accepted)
        ends = Counter(said.values())
        assert len(said) == each
        assert [text for text, times in took.items() if times > 1] == [], f"{outlet.kind} got copies"
        assert set(ends) <= {"sent", "delivered", "read", "unknown"}, f"{outlet.kind}: {ends}"
        lost = [text for text, status in said.items() if status != "unknown" and text not in took]
        assert lost == [], f"{outlet.kind} lost messages"
        if outlet.kind in SETTLING:
            unsettled = [text for text, status in said.items() if status == "unknown" and text in took]
            assert unsettled == [], f"{outlet.kind} told of them"
    uncertain = await business.database.fetchval(
        "select count(*) from delivery_attempts where outcome = 'unknown'"
    )
    assert uncertain > 0, "nothing ever was uncertain, so this proves little"
