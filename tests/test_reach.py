"""A caller limited to one tag, or to one inbox, reaches nothing beyond it: made from the catalogue."""

from dataclasses import dataclass
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

BEYOND = {
    "tag": ("contact", "conversation", "message"),
    "inbox": ("inbox", "conversation", "message", "attachment", "event"),
}
"""What is out of reach of a caller so limited, in a workspace whose things are all beyond the limit."""
PLACES = [
    pytest.param(limit, place, id=f"{limit}-{place}")
    for limit, nouns in BEYOND.items()
    for operation in CATALOGUE
    for place in id_places(operation)
    if place.noun in nouns and len(place.route) == 1
]
OPERATIONS = [
    pytest.param(limit, operation, id=f"{limit}-{operation.name}")
    for limit in BEYOND
    for operation in CATALOGUE
]


@dataclass(frozen=True)
class Bounds:
    """A workspace with one thing of every kind, and a caller who may do everything within a limit.

    The limit is a tag that no contact carries, or an inbox that none of these things belongs to.
    """

    world: World
    limited: Caller
    beyond: tuple[str, ...]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def all_bounds(product: Product) -> dict[str, Bounds]:
    """... of every limit."""
    made: dict[str, Bounds] = {}
    for limit, nouns in BEYOND.items():
        world = World(await open_desk(product))
        await world.furnish()
        tag = await world.call("tags.create", name="Nobody's")
        one = tag["id"] if limit == "tag" else await world.fresh(limit)
        made[limit] = Bounds(world, await caller_within(world, **{f"{limit}_ids": [one]}), nouns)
    return made


@pytest.fixture
def bounds(limit: str, all_bounds: dict[str, Bounds]) -> Bounds:
    """... of the limit that the test names."""
    return all_bounds[limit]


async def caller_within(world: World, **limits: list[str]) -> Caller:
    made = await world.call("token.create", name="limited", **limits)
    here = Presented(Surface.HTTP, client="tests")
    return await world.desk.product.authenticator.by_token(made["token"], here)


async def ending(world: World, caller: Caller, operation: AnyOperation, arguments: dict[str, Any]) -> Any:
    try:
        return (await world.desk.product.pipeline.run(caller, operation, arguments)).value
    except ChatwrightError as error:
        return error


@pytest.mark.parametrize(("limit", "place"), PLACES)
async def test_what_belongs_to_others_is_out_of_reach(bounds: Bounds, place: Place) -> None:
    arguments = await filled(arguments_for(place.operation, place), bounds.world, bounds.world)
    ended = await ending(bounds.world, bounds.limited, place.operation, arguments)
    assert isinstance(ended, NotFound | Forbidden), ended


@pytest.mark.parametrize(("limit", "operation"), OPERATIONS)
async def test_nothing_beyond_shows(bounds: Bounds, operation: AnyOperation) -> None:
    arguments = await listing(operation, bounds.world)
    if any(isinstance(value, IdOf) for value in arguments.values()):
        arguments = await filled(arguments, bounds.world, bounds.world)
    ended = await ending(bounds.world, bounds.limited, operation, arguments)
    if isinstance(ended, ChatwrightError):
        return
    text = orjson.dumps(ended).decode()
    for noun in bounds.beyond:
        assert await bounds.world.id_of(noun) not in text


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
        caller = await caller_within(world, tag_ids=[tag["id"]])

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
