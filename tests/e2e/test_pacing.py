"""Four worker processes keep one pace: the inbox's, and that to each person."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise
from statistics import median

import pytest
import pytest_asyncio

from chatwright.features.messaging.deliveries.pacing import LATE_SECONDS
from chatwright.sandbox.graph.provider import Graph
from chatwright.sandbox.telegram.provider import Telegram
from tests.e2e.programs import Home
from tests.e2e.sending import Business, Outlet, connected, open_business

WORKERS = 4
PER_SECOND = 20.0
"""Well below what two processors can do, so that it is the pace that is measured and not the machine."""
MESSAGES = 400
WARM = 100
"""The first messages, which four processes send late that have only just begun, and so too close to the next."""
PEOPLE = 40
GIVE_UP_SECONDS = 150

pytestmark = pytest.mark.timeout(GIVE_UP_SECONDS + 60)


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


async def test_an_inbox_keeps_its_pace_within_one_percent(business: Business) -> None:
    outlet = await connected(business, "whatsapp", people=PEOPLE)
    await business.database.execute(
        "update inboxes set per_second = $2 where id = $1", outlet.inbox_id, PER_SECOND
    )
    async with asyncio.timeout(GIVE_UP_SECONDS):
        async with business.workers_away():
            await outlet.send_all(MESSAGES)
        await business.all_ended()
    moments = accepted_at(outlet)
    assert len(moments) == MESSAGES
    assert abs(rate_of(moments[WARM:]) - PER_SECOND) <= 0.01 * PER_SECOND
    # A slot that is missed by less is still used, which brings its message closer to those after it.
    assert most_within(moments[WARM:], 10.0) <= PER_SECOND * (10.0 + LATE_SECONDS) + 1


async def test_a_person_is_written_to_no_faster_than_the_channel_allows(business: Business) -> None:
    outlet = await connected(business, "telegram", people=3)
    async with asyncio.timeout(GIVE_UP_SECONDS):
        await outlet.send_all(18)
        await business.all_ended()
    assert outlet.ledger.refused == {}
    by_person: dict[str, list[float]] = {}
    for send in sorted(outlet.ledger.accepted, key=lambda send: send.at):
        by_person.setdefault(send.to, []).append(send.at.timestamp())
    gaps = [later - earlier for moments in by_person.values() for earlier, later in pairwise(moments)]
    assert len(gaps) == 15
    assert min(gaps) > 0.95
