"""The two ways to a connection: a transaction, and statements that stand alone."""

import pytest

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


async def test_whoever_waits_too_long_for_a_connection_is_told(
    settings: Settings, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.database_url is not None
    pool = await open_pool(settings.database_url, size=1)
    small = PoolDatabase(pool, product.signals)
    monkeypatch.setattr(database, "ACQUIRE_SECONDS", 0.05)
    try:
        async with small.autocommit():
            with pytest.raises(Unavailable, match="cannot be reached"):
                await small.autocommit().__aenter__()
        async with small.autocommit() as unit:
            assert await unit.connection.fetchrow("select 1")
    finally:
        await pool.close()
