"""A caller limited to one inbox reaches nothing of another one: made from the catalogue."""

from typing import Any

import orjson
import pytest
import pytest_asyncio

from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.features.workspaces.authentication import Presented
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.errors import ChatwrightError, Forbidden, NotFound
from chatwright.kernel.operation import AnyOperation
from tests.conftest import open_desk
from tests.makers import World
from tests.sampling import IdOf, Place, arguments_for, id_places
from tests.test_isolation import filled, listing

BELONGS: frozenset[str] = frozenset({"inbox", "conversation", "message", "attachment", "event"})
PLACES = [
    place
    for operation in CATALOGUE
    for place in id_places(operation)
    if place.noun in BELONGS and len(place.route) == 1
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(product: Product) -> World:
    """A workspace with one thing of every kind."""
    world = World(await open_desk(product))
    await world.furnish()
    return world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def limited(world: World) -> Caller:
    """One that may do everything, but in another inbox than that of all these things."""
    made = await world.call("token.create", name="limited", inbox_ids=[await world.fresh("inbox")])
    here = Presented(Surface.HTTP, client="tests")
    return await world.desk.product.authenticator.by_token(made["token"], here)


async def ending(world: World, caller: Caller, operation: AnyOperation, arguments: dict[str, Any]) -> Any:
    try:
        return (await world.desk.product.pipeline.run(caller, operation, arguments)).value
    except ChatwrightError as error:
        return error


@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_what_belongs_to_others_is_out_of_reach(place: Place, world: World, limited: Caller) -> None:
    arguments = await filled(arguments_for(place.operation, place), world, world)
    ended = await ending(world, limited, place.operation, arguments)
    assert isinstance(ended, NotFound | Forbidden), ended


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda operation: operation.name)
async def test_nothing_of_the_other_inbox_shows(
    operation: AnyOperation, world: World, limited: Caller
) -> None:
    arguments = await listing(operation, world)
    if any(isinstance(value, IdOf) for value in arguments.values()):
        arguments = await filled(arguments, world, world)
    ended = await ending(world, limited, operation, arguments)
    if isinstance(ended, ChatwrightError):
        return
    text = orjson.dumps(ended).decode()
    for noun in BELONGS:
        assert await world.id_of(noun) not in text
