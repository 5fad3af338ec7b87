"""Cursors from elsewhere: of another list, or made up. Generated from the catalogue, so new lists are covered."""

import base64
import json

import pytest

from chatwright.catalogue import CATALOGUE
from chatwright.kernel.errors import InvalidCursor
from chatwright.kernel.operation import AnyOperation
from tests.conftest import Desk
from tests.makers import World
from tests.sampling import arguments_for
from tests.test_isolation import ending, filled

LISTS = [operation for operation in CATALOGUE if "cursor" in operation.input.model_fields]
NOBODY = "00000000-0000-0000-0000-000000000000"
KEYS: list[list[str | int]] = [
    [2**63],
    [-(2**63) - 1],
    [2**63, 0],
    [2**31, "a"],
    [2**63, "a"],
    [1, "a\0b"],
    ["a\0b"],
    ["0001-01-01T00:00:00+14:00", NOBODY],
    ["9999-12-31T23:59:59-14:00", NOBODY],
    [],
]
CURSORS = [base64.urlsafe_b64encode(json.dumps(key).encode()).rstrip(b"=").decode() for key in KEYS]
GARBLED = ["%%%", "\u00e9", "e30"]


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.name)
async def test_a_foreign_cursor_is_bad_input_at_worst(desk: Desk, operation: AnyOperation) -> None:
    world = World(desk)
    arguments = await filled(arguments_for(operation), world, world)
    for cursor in [*CURSORS, *GARBLED]:
        ended = await ending(world, operation, {**arguments, "cursor": cursor})
        assert isinstance(ended, dict | InvalidCursor), cursor


async def test_so_is_one_of_the_event_log(desk: Desk) -> None:
    for cursor in CURSORS:
        with pytest.raises(InvalidCursor):
            await desk.product.events.read(cursor, workspace_id=desk.caller.workspace_id)
