"""The two ways to a connection: a transaction, and statements that stand alone."""

import pytest

from chatwright.app.wiring import Product
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
