"""The two ways to a connection: a transaction, and statements that stand alone."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from chatwright.app.settings import Settings
from chatwright.app.wiring import Product
from chatwright.infra import database
from chatwright.infra.database import PoolDatabase, open_pool
from chatwright.kernel.errors import Unavailable
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit
from tests.conftest import Desk

SAVE = "insert into periodic_runs (name, ran_at) values ($1, now())"
SAVED = "select exists (select from periodic_runs where name = $1)"


async def is_saved(product: Product, name: str) -> bool:
    async with product.database.autocommit() as unit:
        (row,) = await unit.connection.fetch(SAVED, name)
        return row["exists"]


async def test_a_transaction_that_fails_leaves_nothing(product: Product) -> None:
    name = str(new_id())

    async def save_and_fail() -> None:
        async with product.database.transaction() as unit:
            await unit.connection.execute(SAVE, name)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await save_and_fail()
    assert not await is_saved(product, name)


async def test_a_statement_alone_is_committed_when_it_is_done(product: Product) -> None:
    name = str(new_id())
    async with product.database.autocommit() as unit:
        await unit.connection.execute(SAVE, name)
        assert await is_saved(product, name)


async def test_an_event_needs_a_transaction(product: Product, desk: Desk) -> None:
    event = Event("contact.created", desk.caller.workspace_id, new_id())
    async with product.database.autocommit():
        with pytest.raises(LookupError, match=r"contact\.created"):
            emit(event)


@pytest_asyncio.fixture(loop_scope="session")
async def narrow(settings: Settings, product: Product) -> AsyncGenerator[PoolDatabase]:
    """A database with one connection for all."""
    assert settings.database_url is not None
    pool = await open_pool(settings.database_url, size=1)
    yield PoolDatabase(pool, product.signals)
    await pool.close()


async def test_whoever_waits_too_long_for_a_connection_is_told(
    narrow: PoolDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "ACQUIRE_SECONDS", 0.05)
    async with narrow.autocommit():
        with pytest.raises(Unavailable, match="cannot be reached"):
            await narrow.autocommit().__aenter__()
    async with narrow.autocommit() as unit:
        assert await unit.connection.fetchrow("select 1")


async def test_whoever_asked_first_is_served_first(narrow: PoolDatabase) -> None:
    served: list[str] = []

    async def ask(name: str) -> None:
        for _ in range(5):
            async with narrow.autocommit() as unit:
                served.append(name)
                await unit.connection.fetchrow("select 1")

    await asyncio.gather(ask("a"), ask("b"), ask("c"))
    assert "".join(served) == "abc" * 5


async def test_who_gives_up_waiting_takes_nobodys_turn(narrow: PoolDatabase) -> None:
    async with narrow.autocommit():
        waiting = [asyncio.create_task(narrow.autocommit().__aenter__()) for _ in range(3)]
        await asyncio.sleep(0)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(5), narrow.autocommit() as unit:
        assert await unit.connection.fetchrow("select 1")
