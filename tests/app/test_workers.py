"""The workers of one process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from chatwright.app import workers
from chatwright.app.wiring import Product
from chatwright.app.workers import PERIODIC, run_workers
from chatwright.kernel.ids import new_id
from chatwright.ports.ledger import Claim, Ledger
from tests.conftest import Desk


async def never(_: Claim) -> None:
    pytest.fail("no row was ever put here")


@asynccontextmanager
async def working(product: Product) -> AsyncGenerator[None]:
    task = asyncio.create_task(run_workers(product))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def never_ran(product: Product) -> None:
    """Make every periodic job due."""
    async with product.database.transaction() as unit:
        await unit.connection.execute("delete from periodic_runs")


async def expired_keys(product: Product) -> int:
    async with product.database.transaction() as unit:
        return len(await unit.connection.fetch("select from idempotency_keys where expires_at <= now()"))


async def test_what_has_expired_is_forgotten_though_another_worker_trips(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "RESTART_SECONDS", 0.01)
    product = replace(desk.product, ledgers=(Ledger("no_such_table", never), *desk.product.ledgers))
    await never_ran(product)
    async with product.database.transaction() as unit:
        await unit.connection.execute(
            "insert into idempotency_keys (principal, operation, key, arguments_hash, result, expires_at)"
            " values ('p', 'o', $1, '', '', now() - $2::interval)",
            new_id().hex,
            timedelta(hours=1),
        )
    assert await expired_keys(product) == 1
    async with working(product):
        while await expired_keys(product):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("job", PERIODIC, ids=lambda job: job.name)
async def test_every_periodic_job_runs_in_a_transaction(desk: Desk, job: workers.Periodic) -> None:
    async with desk.product.database.transaction():
        await job.run()


async def test_workers_end_when_they_are_told_to(desk: Desk) -> None:
    async with asyncio.timeout(5), working(desk.product):
        await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith(("claimer:", "periodic:"))]
