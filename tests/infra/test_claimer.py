"""The claimer's promises, on a ledger of its own."""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from chatwright.app.wiring import Product
from chatwright.infra.claimer import Claimer
from chatwright.kernel.errors import Internal, InvalidInput, Misconfigured
from chatwright.kernel.ids import new_id
from chatwright.ports.database import current_unit
from chatwright.ports.ledger import Claim, LeaseLost, Ledger

TABLE = "errands"
CREATE = f"""
    create table {TABLE} (
        id uuid primary key, position bigint generated always as identity, lane text,
        state text not null default 'queued', due_at timestamptz not null default now(), lease_owner uuid,
        attempts int not null default 0, error text, created_at timestamptz not null default now(),
        name text not null)
"""


class Errands:
    """Rows to work and a record of what was done, in the database and in memory."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.done: list[str] = []
        self.work: Callable[[Claim], Any] = self.finish

    async def add(self, *names: str, lane: str | None = None) -> None:
        async with self.product.database.transaction() as unit:
            for name in names:
                await unit.connection.execute(
                    f"insert into {TABLE} (id, lane, name) values ($1, $2, $3)", new_id(), lane, name
                )

    async def finish(self, claim: Claim) -> None:
        async with claim.settling():
            self.done.append(claim.row["name"])

    async def _work(self, claim: Claim) -> None:
        await self.work(claim)

    def claimer(self, *, concurrency: int = 4, lease: float = 30.0, attempts: int = 8) -> Claimer:
        ledger = Ledger(TABLE, self._work, lease_seconds=lease, max_attempts=attempts)
        return Claimer(self.product.database, self.product.signals, ledger, concurrency=concurrency)

    async def until_done(self, *names: str) -> None:
        """Wait until exactly these were done, in this order."""
        async with asyncio.timeout(20):
            while self.done != list(names):
                await asyncio.sleep(0.01)

    async def drain(self, claimer: Claimer) -> None:
        while await claimer.run_once():
            pass

    async def states(self) -> dict[str, tuple[str, int]]:
        async with self.product.database.transaction() as unit:
            rows = await unit.connection.fetch(f"select name, state, attempts from {TABLE}")
        return {row["name"]: (row["state"], row["attempts"]) for row in rows}

    async def make_due(self) -> None:
        async with self.product.database.transaction() as unit:
            await unit.connection.execute(f"update {TABLE} set due_at = now()")


@pytest_asyncio.fixture(loop_scope="session")
async def errands(product: Product) -> AsyncGenerator[Errands]:
    async with product.database.transaction() as unit:
        await unit.connection.execute(CREATE)
    yield Errands(product)
    async with product.database.transaction() as unit:
        await unit.connection.execute(f"drop table {TABLE}")


class TestLanes:
    async def test_a_lane_is_worked_in_order_by_many_workers(self, errands: Errands) -> None:
        names = [f"a{number:02}" for number in range(30)]
        await errands.add(*names, lane="a")
        await errands.add(*(f"b{number:02}" for number in range(30)), lane="b")
        await asyncio.gather(*(errands.drain(errands.claimer()) for _ in range(3)))
        assert [name for name in errands.done if name.startswith("a")] == names
        assert len(errands.done) == 60

    async def test_rows_without_a_lane_wait_for_nobody(self, errands: Errands) -> None:
        await errands.add("one", "two", "three")
        assert await errands.claimer().run_once() == 3


class TestFailures:
    async def test_a_failing_row_is_tried_again_and_holds_its_lane(self, errands: Errands) -> None:
        await errands.add("first", "second", lane="a")
        attempts: list[str] = []

        async def stumble(claim: Claim) -> None:
            attempts.append(claim.row["name"])
            if claim.attempts == 1 and claim.row["name"] == "first":
                raise RuntimeError("not yet")
            await errands.finish(claim)

        errands.work = stumble
        await errands.drain(errands.claimer())
        assert errands.done == []
        assert await errands.states() == {"first": ("queued", 1), "second": ("queued", 0)}
        await errands.make_due()
        await errands.drain(errands.claimer())
        assert errands.done == ["first", "second"]
        assert attempts == ["first", "first", "second"]

    async def test_what_cannot_succeed_fails_at_once_and_frees_its_lane(self, errands: Errands) -> None:
        await errands.add("bad", "good", lane="a")

        async def refuse(claim: Claim) -> None:
            if claim.row["name"] == "bad":
                raise InvalidInput("Never.")
            await errands.finish(claim)

        errands.work = refuse
        await errands.drain(errands.claimer())
        assert await errands.states() == {"bad": ("failed", 1), "good": ("done", 1)}

    @pytest.mark.parametrize("error", [Misconfigured("Not set up."), Internal("Broken.")])
    async def test_what_is_our_own_fault_is_tried_again(self, errands: Errands, error: Exception) -> None:
        await errands.add("good")

        async def stumble(claim: Claim) -> None:
            if claim.attempts == 1:
                raise error
            await errands.finish(claim)

        errands.work = stumble
        await errands.drain(errands.claimer())
        assert await errands.states() == {"good": ("queued", 1)}
        await errands.make_due()
        await errands.drain(errands.claimer())
        assert await errands.states() == {"good": ("done", 2)}

    async def test_an_error_that_cannot_be_written_down_stops_nobody(self, errands: Errands) -> None:
        await errands.add("bad", "good")

        async def crash(claim: Claim) -> None:
            if claim.row["name"] == "bad":
                raise RuntimeError("\0\ud800")
            await errands.finish(claim)

        errands.work = crash
        assert await errands.claimer().run_once() == 2
        assert errands.done == ["good"]
        assert await errands.states() == {"bad": ("queued", 1), "good": ("done", 1)}

    async def test_the_last_attempt_ends_in_failed(self, errands: Errands) -> None:
        await errands.add("hopeless")

        async def crash(claim: Claim) -> None:
            raise RuntimeError("again")

        errands.work = crash
        for _ in range(2):
            await errands.drain(errands.claimer(attempts=2))
            if (await errands.states())["hopeless"][0] == "queued":
                await errands.make_due()
        assert await errands.states() == {"hopeless": ("failed", 2)}


class TestLeases:
    async def test_a_dead_workers_row_comes_back_and_its_late_settle_is_void(self, errands: Errands) -> None:
        await errands.add("slow")
        lost: list[bool] = []

        async def dawdle(claim: Claim) -> None:
            if claim.attempts > 1:
                await errands.finish(claim)
                return
            await errands.make_due()
            await errands.drain(errands.claimer())
            try:
                async with claim.settling():
                    await current_unit().connection.execute(
                        f"insert into {TABLE} (id, name) values ($1, 'x')", new_id()
                    )
            except LeaseLost:
                lost.append(True)

        errands.work = dawdle
        await errands.claimer().run_once()
        assert lost == [True]
        assert errands.done == ["slow"]
        assert await errands.states() == {"slow": ("done", 2)}

    async def test_nobody_takes_a_row_under_lease(self, errands: Errands) -> None:
        await errands.add("mine")
        others: list[int] = []

        async def look(claim: Claim) -> None:
            others.append(await errands.claimer().run_once())
            await errands.finish(claim)

        errands.work = look
        await errands.claimer().run_once()
        assert others == [0]

    async def test_a_lease_is_kept_for_as_long_as_the_work_takes(self, errands: Errands) -> None:
        await errands.add("slow")

        async def wait(claim: Claim) -> None:
            async with claim.keeping():
                await asyncio.sleep(0.6)
            await errands.finish(claim)

        errands.work = wait
        claimer = errands.claimer(lease=0.15)
        slow = asyncio.create_task(claimer.run_once())
        for _ in range(5):
            await asyncio.sleep(0.1)
            assert await errands.claimer().run_once() == 0
        await slow
        assert errands.done == ["slow"]


class TestPuttingBack:
    async def test_a_row_can_wait_in_its_lane_for_somebody_to_make_it_due(self, errands: Errands) -> None:
        await errands.add("first", "second", lane="a")

        async def put_back(claim: Claim) -> None:
            async with claim.settling("queued", again_in=math.inf):
                pass

        errands.work = put_back
        await errands.drain(errands.claimer())
        errands.work = errands.finish
        await errands.drain(errands.claimer())
        assert errands.done == []
        await errands.make_due()
        await errands.drain(errands.claimer())
        assert errands.done == ["first", "second"]

    async def test_a_running_claimer_comes_back_to_a_row_at_its_moment(
        self, errands: Errands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chatwright.infra.claimer.POLL_SECONDS", 3600.0)
        await errands.add("patient")

        async def once(claim: Claim) -> None:
            if claim.attempts > 1:
                await errands.finish(claim)
                return
            async with claim.settling("queued", again_in=0.2):
                pass

        errands.work = once
        running = asyncio.create_task(errands.claimer().run())
        await errands.until_done("patient")
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class TestExpecting:
    async def test_a_running_claimer_looks_for_a_row_when_another_said_it_is_due(
        self, errands: Errands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chatwright.infra.claimer.POLL_SECONDS", 3600.0)
        await errands.add("first")

        async def with_another(claim: Claim) -> None:
            await errands.finish(claim)
            if errands.done == ["first"]:
                async with errands.product.database.transaction() as unit:
                    await unit.connection.execute(
                        f"insert into {TABLE} (id, name, due_at) values ($1, 'second', now() + interval '0.2 s')",
                        new_id(),
                    )
                claim.expect(0.2)

        errands.work = with_another
        running = asyncio.create_task(errands.claimer().run())
        await errands.until_done("first", "second")
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class TestWaking:
    async def test_a_running_claimer_works_what_is_announced(self, errands: Errands) -> None:
        task = asyncio.create_task(errands.claimer().run())
        try:
            await asyncio.sleep(0.05)
            await errands.add("news")
            errands.product.signals.announce({TABLE})
            await errands.until_done("news")
        finally:
            task.cancel()

    async def test_a_slow_row_holds_up_only_its_own_lane(self, errands: Errands) -> None:
        finish = asyncio.Event()

        async def dawdle(claim: Claim) -> None:
            if claim.row["name"] == "slow":
                await finish.wait()
            await errands.finish(claim)

        errands.work = dawdle
        await errands.add("slow", "behind", lane="a")
        await errands.add(*(f"b{number}" for number in range(9)), lane="b")
        task = asyncio.create_task(errands.claimer(concurrency=3).run())
        try:
            await errands.until_done(*(f"b{number}" for number in range(9)))
            finish.set()
            await errands.until_done(*(f"b{number}" for number in range(9)), "slow", "behind")
        finally:
            task.cancel()


async def test_a_claim_that_fails_leaves_what_is_under_way_alone(
    errands: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatwright.infra.claimer.POLL_SECONDS", 0.05)
    begun, finish = asyncio.Event(), asyncio.Event()

    async def dawdle(claim: Claim) -> None:
        begun.set()
        await finish.wait()
        await errands.finish(claim)

    errands.work = dawdle
    await errands.add("slow")
    task = asyncio.create_task(errands.claimer().run())
    try:
        async with asyncio.timeout(20):
            await begun.wait()
            with capture_logs() as logs:
                await rename(errands, TABLE, "elsewhere")
                while not any(log["event"] == "claimer.paused" for log in logs):
                    assert not task.done()
                    await asyncio.sleep(0.01)
                await rename(errands, "elsewhere", TABLE)
        await errands.add("next")
        finish.set()
        await errands.until_done("slow", "next")
    finally:
        task.cancel()


async def rename(errands: Errands, table: str, name: str) -> None:
    async with errands.product.database.transaction() as unit:
        await unit.connection.execute(f"alter table {table} rename to {name}")
