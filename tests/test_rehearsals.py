"""Dry runs keep nothing and send nothing: made from the catalogue, so new operations are covered."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from chatwright.app.schema import METADATA
from chatwright.catalogue import CATALOGUE
from chatwright.kernel.errors import Forbidden
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.channel import register_channel
from tests.conftest import Desk
from tests.features.messaging.paper import PaperChannel
from tests.features.messaging.postal import PostalChannel
from tests.makers import World
from tests.sampling import IdOf, arguments_for, id_places

OUTWARD = [operation for operation in CATALOGUE if operation.outward]
PROVIDER = ("send", "check", "connect", "disconnect", "list_templates", "create_template", "delete_template")
"""What of a channel reaches its provider."""
UNSHARED = {"rate_buckets"}
"""What every call writes, dry or not: its rate."""


async def filled(arguments: Any, world: World) -> Any:
    match arguments:
        case IdOf(noun, _):
            return await world.fresh(noun)
        case dict():
            fields = cast("dict[str, Any]", arguments)
            return {name: await filled(inner, world) for name, inner in fields.items()}
        case list():
            return [await filled(inner, world) for inner in cast("list[Any]", arguments)]
        case _:
            return arguments


async def dump(desk: Desk) -> dict[str, str]:
    """Every row of every table."""
    tables = [table.name for metadata in METADATA for table in metadata.sorted_tables]
    async with desk.product.database.autocommit() as unit:
        return {
            name: str(await unit.connection.fetch(f'select t::text as row from "{name}" t order by t::text'))
            for name in tables
            if name not in UNSHARED
        }


async def _new_inbox(world: World) -> dict[str, Any]:
    register_channel(PaperChannel())
    del world
    return {"channel": "paper", "name": "Wall", "settings": {}}


async def _with_templates(world: World) -> str:
    template = await world.call("templates.get", template_id=await world.id_of("template"))
    return template["inbox_id"]


async def _sync(world: World) -> dict[str, Any]:
    return {"inbox_id": await _with_templates(world)}


async def _draft(world: World) -> dict[str, Any]:
    parts = [{"type": "BODY", "text": "Hello!"}]
    named = {"name": "greeting", "language": "en", "category": "utility", "components": parts}
    return {"inbox_id": await _with_templates(world), **named}


async def _failed(world: World) -> dict[str, Any]:
    message = await world.call(
        "messages.send", conversation_id=await world.id_of("conversation"), text="hello"
    )
    async with world.desk.product.database.transaction() as unit:
        await unit.connection.execute("update messages set status = 'failed' where id = $1", message["id"])
        await unit.connection.execute(
            "update deliveries set state = 'failed' where message_id = $1", message["id"]
        )
    return {"message_id": message["id"]}


async def _held(world: World) -> dict[str, Any]:
    conversation_id = await world.id_of("conversation")
    text = {"text": "hello", "hold_for_approval": True}
    message = await world.call("messages.send", conversation_id=conversation_id, **text)
    # Nobody approves what they wrote themselves.
    world.desk = replace(world.desk, caller=world.desk.caller_with(*world.desk.caller.scopes))
    return {"message_id": message["id"]}


SITUATIONS: dict[str, Callable[[World], Awaitable[dict[str, Any]]]] = {
    "inboxes.connect": _new_inbox,
    "templates.sync": _sync,
    "templates.create": _draft,
    "messages.resend": _failed,
    "messages.release": _held,
}
"""Operations that want more than any thing of a kind."""


async def arguments_of(operation: AnyOperation, world: World) -> dict[str, Any]:
    if (situation := SITUATIONS.get(operation.name)) is not None:
        return await situation(world)
    place = next((place for place in id_places(operation) if place.required), None)
    return await filled(arguments_for(operation, place), world)


@pytest.mark.parametrize("operation", OUTWARD, ids=lambda operation: operation.name)
async def test_they_keep_nothing_and_ask_no_provider(
    desk: Desk, operation: AnyOperation, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(desk)
    arguments = await arguments_of(operation, world)
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
    try:
        outcome = await desk.product.pipeline.rehearse(world.desk.caller, operation, arguments)
    except Forbidden:
        # The maker's approvals are its own caller's, who does not decide them; tests/features/workspaces does.
        assert operation.noun == "approvals"
    else:
        assert outcome.rehearsed
        operation.output.model_validate(outcome.value)
        assert await dump(desk) == before
    assert reached == []
