"""Workspaces never see each other, whatever the operation: made from the catalogue, so new ones are covered."""

from dataclasses import dataclass, replace
from typing import Any, cast

import orjson
import pytest
import pytest_asyncio

from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.kernel.errors import ChatwrightError, InvalidInput, NotFound
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from tests.conftest import Desk, open_desk
from tests.makers import MAKERS, World
from tests.sampling import IdOf, Place, arguments_for, id_places, schema_of

PLACES = [place for operation in CATALOGUE for place in id_places(operation)]
LISTS = [
    operation for operation in CATALOGUE if not operation.writes and "items" in operation.output.model_fields
]
OPEN_LISTS = [
    operation
    for operation in LISTS
    if operation.noun != "audit" and not schema_of(operation.input).get("required")
]
"""Those that need to be told nothing. The audit trail grows by looking."""


@pytest_asyncio.fixture(loop_scope="session")
async def ours(desk: Desk) -> World:
    return World(desk)


@dataclass(frozen=True)
class Neighbour:
    """Another workspace, with one thing of every kind in it. Nothing that we do may change what it sees."""

    world: World
    sight: dict[str, Any]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def neighbour(product: Product) -> Neighbour:
    world = World(await open_desk(product))
    await world.furnish()
    return Neighbour(world, await sight_of(world))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def second(product: Product) -> World:
    """One more workspace with one thing of every kind."""
    world = World(await open_desk(product))
    await world.furnish()
    return world


async def filled(arguments: Any, ours: World, theirs: World) -> Any:
    """The arguments with ids; each of ours is of a new thing, for some operations refuse the same twice."""
    match arguments:
        case IdOf(noun, foreign):
            return await theirs.id_of(noun) if foreign else await ours.fresh(noun)
        case dict():
            fields = cast("dict[str, Any]", arguments)
            return {name: await filled(inner, ours, theirs) for name, inner in fields.items()}
        case list():
            return [await filled(inner, ours, theirs) for inner in cast("list[Any]", arguments)]
        case _:
            return arguments


async def ending(world: World, operation: AnyOperation, arguments: dict[str, Any]) -> Any:
    """What a call answers, or the error it ends with."""
    try:
        return (await world.desk.product.pipeline.run(world.desk.caller, operation, arguments)).value
    except ChatwrightError as error:
        return error


async def sight_of(world: World) -> dict[str, Any]:
    """All that the lists of a workspace show, to another owner each time, whose rate nobody has used."""
    desk = world.desk
    looking = World(replace(desk, caller=replace(desk.caller, principal_id=str(new_id()))))
    return {operation.name: await ending(looking, operation, {}) for operation in OPEN_LISTS}


def ids_in(value: Any, world: World) -> set[str]:
    """The ids of a workspace's things that a value shows."""
    text = orjson.dumps(value).decode()
    return {known for known in world.ids if known in text}


def test_every_id_has_a_maker() -> None:
    assert sorted({place.noun for place in PLACES} - MAKERS.keys()) == []


@pytest.mark.parametrize("place", PLACES, ids=str)
class TestForeignIds:
    async def test_they_are_not_found(self, place: Place, ours: World, neighbour: Neighbour) -> None:
        theirs = neighbour.world
        arguments = await filled(arguments_for(place.operation, place), ours, theirs)
        ended = await ending(ours, place.operation, arguments)
        assert await sight_of(theirs) == neighbour.sight
        assert isinstance(ended, NotFound), ended

    async def test_own_ones_are(self, place: Place, ours: World) -> None:
        """The same call works within one workspace, so that it is the id that the other one refuses."""
        arguments = await filled(arguments_for(place.operation, place), ours, ours)
        ended = await ending(ours, place.operation, arguments)
        assert not isinstance(ended, NotFound | InvalidInput), ended


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.name)
async def test_lists_show_only_ones_own(operation: AnyOperation, neighbour: Neighbour, second: World) -> None:
    for world, other in ((second, neighbour.world), (neighbour.world, second)):
        page = await ending(world, operation, await listing(operation, world))
        assert page["items"], "nothing was made that this list shows, so it proves nothing"
        assert ids_in(page, other) == set()


async def listing(operation: AnyOperation, world: World) -> dict[str, Any]:
    """Arguments that list what furnishing made: required ids are those of the first things."""
    arguments = arguments_for(operation)
    return {
        name: await world.id_of(value.noun) if isinstance(value, IdOf) else value
        for name, value in arguments.items()
    }
