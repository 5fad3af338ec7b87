"""Thousands of sends to providers that refuse, break and fall silent, and workers that are killed: each goes once."""

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncGenerator
from math import ceil
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from chatwright.sandbox.graph.provider import Graph
from chatwright.sandbox.telegram.provider import Telegram
from chatwright.sandbox.zalo.provider import Zalo
from tests.e2e.mailing import Door, Mailbox, Trouble, connected_mailbox, opened_door
from tests.e2e.programs import Home, Program
from tests.e2e.sending import Business, Inbox, Outlet, connected, open_business
from tests.mail.authority import HOST
from tests.mail.servers import mail_servers

PROVIDERS = ("whatsapp", "messenger", "instagram", "telegram", "zalo")
MESSAGES = int(os.environ.get("CRASH_SENDS", "5000"))
"""At least, over all channels alike. With 5,000 workers are killed twenty times."""
PEOPLE = 25
"""Customers of each inbox."""
KILLS = max(4, MESSAGES // 250)
WORKERS = 3
FAULTS = {"too_many": 0.05, "broken": 0.05, "silent": 0.05, "retry_after": 1, "latency": 0.05}
SETTLING = frozenset({"whatsapp", "messenger", "instagram", "zalo", "email"})
"""Channels on which our id comes back, or that show what they took: every uncertain send that arrived is settled."""
GIVE_UP_SECONDS = 300 + MESSAGES // 10

pytestmark = pytest.mark.timeout(GIVE_UP_SECONDS + 60)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def business(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Business]:
    settings = {"CHATWRIGHT_ALLOWED_HOSTS": f"127.0.0.1,{HOST}", "CHATWRIGHT_LEASE_SECONDS": "3"}
    home = Home(tmp_path_factory.mktemp("sends"), settings)
    async with open_business(home, [Graph, Telegram, Zalo], workers=WORKERS) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def door() -> AsyncGenerator[Door]:
    with mail_servers() as servers:
        async with opened_door(servers) as opened:
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


async def statuses(inbox: Inbox) -> dict[str, str]:
    """What the product says of each message, by its text."""
    rows = await inbox.business.database.fetch(
        "select content::jsonb ->> 'text' as text, status from messages where inbox_id = $1 and direction = 'out'",
        inbox.inbox_id,
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


async def outlets_of(business: Business) -> list[Outlet]:
    """An inbox on each provider."""
    # A chat of Telegram's takes one message a second, which is another test's matter.
    details: dict[str, dict[str, Any]] = {"telegram": {"details": {"chat_per_second": 1000}}}
    return [await connected(business, kind, people=PEOPLE, **details.get(kind, {})) for kind in PROVIDERS]


async def judge(inbox: Inbox, sent: int) -> None:
    """Hold what the product says of its messages against what got through."""
    said, took = await statuses(inbox), await inbox.took()
    ends = Counter(said.values())
    assert len(said) == sent
    assert [text for text, times in took.items() if times > 1] == [], f"{inbox.kind} got copies"
    assert set(ends) <= {"sent", "delivered", "read", "unknown"}, f"{inbox.kind}: {ends}"
    lost = [text for text, status in said.items() if status != "unknown" and text not in took]
    assert lost == [], f"{inbox.kind} lost messages"
    if inbox.kind in SETTLING:
        unsettled = [text for text, status in said.items() if status == "unknown" and text in took]
        assert unsettled == [], f"{inbox.kind} told of them"


async def uncertain_sends(business: Business) -> dict[UUID, int]:
    """How many sends of each inbox were uncertain for a time, or still are."""
    rows = await business.database.fetch(
        """select messages.inbox_id, count(*) as sends from delivery_attempts
           join messages on messages.id = delivery_attempts.message_id
           where delivery_attempts.outcome = 'unknown' group by 1"""
    )
    return {row["inbox_id"]: row["sends"] for row in rows}


async def test_nothing_is_lost_or_sent_twice(business: Business, door: Door) -> None:
    async with asyncio.timeout(GIVE_UP_SECONDS):
        outlets = await outlets_of(business)
        mailbox: Mailbox = await connected_mailbox(business, door, people=PEOPLE)
        inboxes: list[Inbox] = [*outlets, mailbox]
        each = ceil(MESSAGES / len(inboxes))
        for outlet in outlets:
            await business.stage.fault(outlet.account, **FAULTS)
        door.troubled = True
        reaper = Reaper(business)
        clock = asyncio.create_task(hurry(business))
        try:
            await asyncio.gather(
                reaper.reap(each * len(inboxes)), *(inbox.send_all(each) for inbox in inboxes)
            )
            await business.all_ended()
        finally:
            clock.cancel()
        await mailbox.answer_uncertain()
        await receipts_are_in(business)

    assert reaper.kills == KILLS
    assert reaper.in_the_act > 0
    assert set(door.met) == set(Trouble)
    for inbox in inboxes:
        await judge(inbox, each)
    uncertain = await uncertain_sends(business)
    assert set(uncertain) == {inbox.inbox_id for inbox in inboxes}, "what never was uncertain proves little"
