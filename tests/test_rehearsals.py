"""Dry runs keep nothing and send nothing: made from the catalogue, so new operations are covered."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from chatwright.app.schema import METADATA
from chatwright.app.settings import Settings
from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from tests.conftest import Desk, cheap_product, create_database
from tests.features.messaging.paper import PaperChannel
from tests.features.messaging.postal import PostalChannel
from tests.makers import World
from tests.situations import sample_of

OUTWARD = [operation for operation in CATALOGUE if operation.outward]
PROVIDER = ("send", "check", "connect", "disconnect", "list_templates", "create_template", "delete_template")
"""What of a channel reaches its provider."""
UNSHARED = {"rate_buckets"}
"""What every call writes, dry or not: its rate."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def product(settings: Settings, postgres: str) -> AsyncGenerator[Product]:
    """One of its own, since all that its database holds is read before and after each call."""
    database_url = await create_database(postgres, f"rehearsed_{new_id().hex}")
    async with cheap_product(replace(settings, database_url=database_url)) as opened:
        yield opened


async def dump(desk: Desk) -> dict[str, str]:
    """Every row of every table."""
    tables = [table.name for metadata in METADATA for table in metadata.sorted_tables]
    async with desk.product.database.autocommit() as unit:
        return {
            name: str(await unit.connection.fetch(f'select t::text as row from "{name}" t order by t::text'))
            for name in tables
            if name not in UNSHARED
        }


@pytest.mark.parametrize("operation", OUTWARD, ids=lambda operation: operation.name)
async def test_they_keep_nothing_and_ask_no_provider(
    desk: Desk, operation: AnyOperation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = await sample_of(operation, World(desk))
    reached: list[str] = []

    def unreachable(name: str) -> Any:
        async def reach(*_: object) -> object:
            reached.append(name)
            raise AssertionError(name)

        return reach

    for channel in (PaperChannel, PostalChannel):
        for name in PROVIDER:
            if hasattr(channel, name):
                monkeypatch.setattr(channel, name, unreachable(name))
    before = await dump(desk)
    outcome = await desk.product.pipeline.rehearse(sample.caller, operation, sample.arguments)
    assert outcome.rehearsed
    operation.output.model_validate(outcome.value)
    assert await dump(desk) == before
    assert reached == []
