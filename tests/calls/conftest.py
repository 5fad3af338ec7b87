"""A product of its own, whose database keeps count of what each transaction wrote."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
import pytest_asyncio

from chatwright.app.settings import Settings
from chatwright.app.wiring import Product
from chatwright.kernel.ids import new_id
from tests.calls.callers import somebody_like
from tests.calls.writes import count_writes
from tests.conftest import cheap_product, create_database, open_desk
from tests.makers import World
from tests.situations import Sample


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def product(settings: Settings, postgres: str) -> AsyncGenerator[Product]:
    database_url = await create_database(postgres, f"counted_{new_id().hex}")
    async with cheap_product(replace(settings, database_url=database_url)) as opened:
        await count_writes(opened)
        yield opened


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def place(product: Product) -> World:
    """The workspace that all these tests share."""
    return World(await open_desk(product))


@pytest.fixture
def world(place: World) -> World:
    """That workspace with an owner of this test's own, whose rate and keys nobody else has used."""
    place.desk = replace(place.desk, caller=somebody_like(place.desk.caller))
    return place


@pytest.fixture(scope="package")
def samples() -> dict[str, Sample]:
    """By operation, a call for tests in which it does not happen."""
    return {}
