"""A caller limited to one tag reaches nothing of contacts without it: made from the catalogue."""

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
from chatwright.ports.reach import reach_of_tags
from tests.conftest import Desk, open_desk
from tests.makers import World
from tests.sampling import IdOf, Place, arguments_for, id_places
from tests.test_isolation import filled, listing

BELONGS: frozenset[str] = frozenset({"contact", "conversation", "message"})
PLACES = [
    place
    for operation in CATALOGUE
    for place in id_places(operation)
    if place.noun in BELONGS and len(place.route) == 1
]
LISTS = [
    operation for operation in CATALOGUE if not operation.writes and "items" in operation.output.model_fields
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(product: Product) -> World:
    """A workspace with one thing of every kind, and with a tag that no contact carries."""
    world = World(await open_desk(product))
    await world.furnish()
    return world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def limited(world: World) -> Caller:
    """One that may do everything, but is limited to that tag."""
    tag = await world.call("tags.create", name="Nobody's")
    made = await world.call("token.create", name="limited", tag_ids=[tag["id"]])
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
async def test_nothing_of_a_contact_shows(operation: AnyOperation, world: World, limited: Caller) -> None:
    arguments = await listing(operation, world)
    if any(isinstance(value, IdOf) for value in arguments.values()):
        arguments = await filled(arguments, world, world)
    ended = await ending(world, limited, operation, arguments)
    if isinstance(ended, ChatwrightError):
        return
    text = orjson.dumps(ended).decode()
    for noun in BELONGS:
        assert await world.id_of(noun) not in text


async def test_the_names_are_of_operations_there_are() -> None:
    assert set(reach_of_tags().operations) <= {operation.name for operation in CATALOGUE}


class TestWithin:
    """The other way round: with the tag, the same caller reaches the contact and what belongs to it."""

    async def test_a_contact_with_the_tag_and_its_conversation_are_seen(self, desk: Desk) -> None:
        world = World(desk)
        conversation_id = await world.id_of("conversation")
        conversation = await world.call("conversations.get", conversation_id=conversation_id)
        contact_id = conversation["contact_id"]
        other = await world.fresh("contact")
        await world.call("contacts.add_tags", contact_id=contact_id, tags=["VIP"])
        (tag,) = (await world.call("tags.list"))["items"]
        made = await world.call("token.create", name="limited", tag_ids=[tag["id"]])
        here = Presented(Surface.HTTP, client="tests")
        caller = await desk.product.authenticator.by_token(made["token"], here)

        async def call(called: str, /, **arguments: Any) -> Any:
            operation = next(each for each in CATALOGUE if each.name == called)
            return await ending(world, caller, operation, arguments)

        assert [each["id"] for each in (await call("contacts.find"))["items"]] == [contact_id]
        assert [each["id"] for each in (await call("conversations.list"))["items"]] == [conversation_id]
        assert (await call("contacts.get", contact_id=contact_id))["id"] == contact_id
        assert (await call("messages.list", conversation_id=conversation_id))["items"]
        assert isinstance(await call("contacts.get", contact_id=other), NotFound)
        assert isinstance(await call("contacts.create", name="New"), Forbidden)
        assert isinstance(await call("token.create", name="x", tag_ids=[other]), NotFound)
