"""Four worker processes keep one pace: the inbox's, and that to each person."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
import pytest_asyncio

from chatwright.features.messaging.deliveries.pacing import LATE_SECONDS
from chatwright.sandbox.graph.provider import Graph
from chatwright.sandbox.telegram.provider import Telegram
from tests.e2e.programs import Home
from tests.e2e.sending import Business, Outlet, connected, open_business

WORKERS = 4
PACES = [("whatsapp", 20.0, True), ("whatsapp", 80.0, False), ("telegram", 30.0, False)]
"""Channel, messages a second, and whether that is a pace of the inbox's own or the channel's."""
EXACT = 0.01
SECONDS = 20
WARM_SECONDS = 5
"""At first four processes that have only just begun send late, and so too close to the next."""
PEOPLE = 80
GIVE_UP_SECONDS = 150
RUNS = 3
"""A machine that is busy with something else may be slower than the pace, and gets another chance. It gets none for
having been too fast."""
STAT = Path("/proc/stat")
BUSY = 0.9
"""The share of its processors' time above which a machine cannot be said to have been able to send faster."""

pytestmark = pytest.mark.timeout(RUNS * GIVE_UP_SECONDS + 60)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def business(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Business]:
    home = Home(tmp_path_factory.mktemp("pacing"), {"CHATWRIGHT_ALLOWED_HOSTS": "127.0.0.1"})
    async with open_business(home, [Graph, Telegram], workers=WORKERS) as opened:
        yield opened


def rate_of(moments: Sequence[float]) -> float:
    """Messages a second: the middle of all stretches half as long as the run, so that a late one bends nothing."""
    half = len(moments) // 2
    return half / median(later - earlier for earlier, later in zip(moments, moments[half:], strict=False))


def most_within(moments: Sequence[float], seconds: float) -> int:
    """The most messages in any stretch of so many seconds."""
    return max(sum(begin <= moment < begin + seconds for moment in moments) for begin in moments)


def accepted_at(outlet: Outlet) -> list[float]:
    return sorted(send.at.timestamp() for send in outlet.ledger.accepted)


async def refusals(outlet: Outlet) -> int:
    """How often the provider found us too fast."""
    return await outlet.business.database.fetchval(
        """select count(*) from delivery_attempts join messages on messages.id = message_id
           where inbox_id = $1 and outcome = 'retry_after'""",
        outlet.inbox_id,
    )


def processor_seconds() -> tuple[float, float]:
    """Idle and in all, since the machine began; where it does not say, as if it were always idle."""
    if not STAT.exists():
        return time.monotonic(), time.monotonic()
    ticks = [int(word) for word in STAT.read_text().split("\n", 1)[0].split()[1:9]]
    return float(ticks[3] + ticks[4]), float(sum(ticks))


@asynccontextmanager
async def busyness() -> AsyncGenerator[list[float]]:
    """Puts into its list how busy the machine was, between 0 and 1."""
    found: list[float] = []
    idle, whole = processor_seconds()
    yield found
    idle_after, whole_after = processor_seconds()
    found.append(1.0 - (idle_after - idle) / (whole_after - whole))


async def paced(outlet: Outlet, per_second: float) -> tuple[list[float], float]:
    """When messages were taken that had all waited for the workers to begin, and how busy the machine was then.

    Those of the beginning are left out.
    """
    count = round(per_second * SECONDS)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        async with outlet.business.workers_away():
            await outlet.send_all(count)
        async with busyness() as busy:
            await outlet.business.all_ended()
    assert await refusals(outlet) == 0
    return accepted_at(outlet)[round(per_second * WARM_SECONDS) :], busy[0]


@pytest.mark.parametrize(("kind", "per_second", "own"), PACES)
async def test_an_inbox_keeps_its_pace_within_one_percent(
    business: Business, kind: str, per_second: float, *, own: bool
) -> None:
    fastest, slowest = (1.0 + EXACT) * per_second, (1.0 - EXACT) * per_second
    rates: list[float] = []
    busy: list[float] = []
    while not rates or (rates[-1] < slowest and len(rates) < RUNS):
        outlet = await connected(business, kind, people=PEOPLE)
        # What the provider tells of them later would be most of the work, and is not what is measured.
        await business.stage.fault(outlet.account, no_statuses=True)
        if own:
            await business.database.execute(
                "update inboxes set per_second = $2 where id = $1", outlet.inbox_id, per_second
            )
        moments, share = await paced(outlet, per_second)
        rates.append(rate_of(moments))
        busy.append(share)
        assert rates[-1] <= fastest
        # A slot that is missed by less is still used, which brings its message closer to those after it.
        assert most_within(moments, 10.0) <= fastest * (10.0 + LATE_SECONDS) + 1
    if rates[-1] < slowest and min(busy) > BUSY:
        pytest.skip(f"The machine was {min(busy):.0%} busy: {max(rates):.1f} a second is what it could do.")
    assert rates[-1] >= slowest


async def test_a_person_is_written_to_no_faster_than_the_channel_allows(business: Business) -> None:
    outlet = await connected(business, "telegram", people=3)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        await outlet.send_all(18)
        await business.all_ended()
    assert await refusals(outlet) == 0
    by_person: dict[str, list[float]] = {}
    for send in sorted(outlet.ledger.accepted, key=lambda send: send.at):
        by_person.setdefault(send.to, []).append(send.at.timestamp())
    gaps = [later - earlier for moments in by_person.values() for earlier, later in pairwise(moments)]
    assert len(gaps) == 15
    assert min(gaps) > 0.95
