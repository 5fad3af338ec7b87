"""Rate limits that several processes share. Each limiter here is as one process has it."""

import asyncio
import time
from collections.abc import Callable

import pytest

from chatwright.app.workers import PERIODIC
from chatwright.features.workspaces.limits import REFUSED_RATE, RateLimiter
from chatwright.features.workspaces.operations import get_workspace, list_audit, update_workspace
from chatwright.kernel.errors import RateLimitExceeded, ScopeMissing
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import RateClass
from tests.conftest import Desk

PROCESSES = 4


async def hammer(limiter: RateLimiter, bucket: str, rate: RateClass, going_on: Callable[[], bool]) -> int:
    """Call as fast as can be; gives how many calls were let through."""
    through = 0
    while going_on():
        try:
            await limiter.take(bucket, rate)
            through += 1
        except RateLimitExceeded:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)
    return through


class TestExactness:
    @pytest.mark.parametrize("rate", [RateClass(6_000, 600), RateClass(60_000, 600)], ids=str)
    async def test_many_processes_let_as_much_through_as_one(self, desk: Desk, rate: RateClass) -> None:
        """No burst is shorter than 0.6 s: what comes in while a busy machine stands still runs over its brim."""
        bucket = str(new_id())
        limiters = [RateLimiter(desk.product.database) for _ in range(PROCESSES)]
        await limiters[0].take(bucket, rate)
        began = time.monotonic()
        calls = [hammer(each, bucket, rate, lambda: time.monotonic() < began + 5) for each in limiters]
        through = 1 + sum(await asyncio.gather(*calls))
        allowed = rate.burst + rate.per_minute / 60 * (time.monotonic() - began)
        assert through == pytest.approx(allowed, rel=0.01)

    async def test_what_idle_processes_drew_serves_the_busy_one(self, desk: Desk) -> None:
        rate, bucket = RateClass(6_000, 600), str(new_id())
        busy, *idle = [RateLimiter(desk.product.database) for _ in range(PROCESSES)]
        began = time.monotonic()
        through = 0
        for limiter in idle:
            # For a moment it was busy too, so it holds a large block.
            for _ in range(40):
                await limiter.take(bucket, rate)
                through += 1
        through += await hammer(busy, bucket, rate, lambda: time.monotonic() < began + 5)
        allowed = rate.burst + rate.per_minute / 60 * (time.monotonic() - began)
        assert through == pytest.approx(allowed, rel=0.01)

    async def test_a_limiter_that_closes_gives_back_what_it_holds(self, desk: Desk) -> None:
        rate, bucket = RateClass(1, 400), str(new_id())
        first = RateLimiter(desk.product.database)
        for _ in range(100):
            await first.take(bucket, rate)
        await first.close()
        second = RateLimiter(desk.product.database)
        for _ in range(300):
            await second.take(bucket, rate)
        with pytest.raises(RateLimitExceeded) as caught:
            await second.take(bucket, rate)
        assert caught.value.retry_after_ms is not None
        assert 50_000 < caught.value.retry_after_ms <= 60_000


class TestLimitsOfACall:
    async def test_a_callers_own_rate_counts(self, desk: Desk) -> None:
        caller = desk.caller_with("workspace:read", calls_per_minute=60)
        for _ in range(6):
            await desk.call(get_workspace, as_=caller)
        with pytest.raises(RateLimitExceeded) as caught:
            await desk.call(get_workspace, as_=caller)
        assert caught.value.retry_after_ms is not None
        assert 0 < caught.value.retry_after_ms <= 1000
        await desk.call(get_workspace, as_=desk.caller_with("workspace:read"))

    async def test_one_refused_by_one_bucket_costs_nothing_of_the_others(self, desk: Desk) -> None:
        limiter = RateLimiter(desk.product.database)
        scarce, ample = str(new_id()), str(new_id())
        limits = {scarce: RateClass(1, 1), ample: RateClass(1, 2)}
        await limiter.take_all(limits)
        for _ in range(3):
            with pytest.raises(RateLimitExceeded):
                await limiter.take_all(limits)
        await limiter.take(ample, RateClass(1, 2))
        await limiter.close()


async def test_a_bucket_that_nobody_uses_is_forgotten(desk: Desk) -> None:
    """Strangers make them, by the addresses that they try to sign in with."""
    limiter = RateLimiter(desk.product.database)
    old, used = str(new_id()), str(new_id())
    await limiter.take_all({old: RateClass(60, 10), used: RateClass(60, 10)})
    await limiter.close()
    async with desk.product.database.transaction() as unit:
        aged = "update rate_buckets set updated_at = now() - interval '2 days' where bucket = $1"
        await unit.connection.execute(aged, old)
        (job,) = (each for each in PERIODIC if each.name == "workspaces.forget_rates")
        await job.run()
        left = await unit.connection.fetch(
            "select bucket from rate_buckets where bucket = any($1)", [old, used]
        )
    assert [row["bucket"] for row in left] == [used]


async def test_a_flood_of_refused_calls_does_not_flood_the_trail(desk: Desk) -> None:
    caller = desk.caller_with("contacts:read")
    for _ in range(REFUSED_RATE.burst + 20):
        with pytest.raises(ScopeMissing):
            await desk.call(update_workspace, as_=caller, name="Mine")
    page = await desk.call(list_audit, outcome="refused", limit=200)
    assert REFUSED_RATE.burst <= len(page["items"]) < REFUSED_RATE.burst + 20
