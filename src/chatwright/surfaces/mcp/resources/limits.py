"""What a document tells that no operation gives: what this access reaches, and how much of it at once."""

from collections.abc import Iterable
from typing import Any, Final

from chatwright.features.workspaces.keys import MAX_KEY_LENGTH
from chatwright.features.workspaces.limits import rate_of
from chatwright.kernel.caller import Caller
from chatwright.kernel.operation import USUAL_RATE, AnyOperation, RateClass
from chatwright.kernel.paging import MAX_LIMIT

BUDGET: Final = 16_000
"""Most bytes of one list in a document, unless its first item alone is larger: about 4,000 tokens."""


def access(caller: Caller, operations: Iterable[AnyOperation]) -> dict[str, Any]:
    """What this access may do."""
    open_ones = list(operations)
    return {
        "name": caller.name,
        "scopes": sorted(caller.scopes),
        "inboxes": "all" if caller.inbox_ids is None else sorted(str(id_) for id_ in caller.inbox_ids),
        "tags": "all" if caller.tag_ids is None else sorted(str(id_) for id_ in caller.tag_ids),
        "writes": any(operation.writes for operation in open_ones),
        "risky_calls_wait_for_a_person": caller.supervised,
    }


def calls(caller: Caller, operations: Iterable[AnyOperation]) -> dict[str, Any]:
    """How often this access may call, each minute and at once."""
    slower = {
        operation.tool: _rate(operation.rate) for operation in operations if operation.rate != USUAL_RATE
    }
    return {
        "in_all": _rate(rate_of(caller)),
        "each_tool": _rate(USUAL_RATE),
        "but": slower or None,
    }


def answers(caller: Caller, operations: Iterable[AnyOperation]) -> dict[str, Any]:
    """How much comes at once."""
    del caller, operations
    return {
        "most_items_of_a_page": MAX_LIMIT,
        "bytes_of_a_list_in_a_resource": BUDGET,
        "longest_idempotency_key": MAX_KEY_LENGTH,
    }


def _rate(rate: RateClass) -> dict[str, int]:
    return {"per_minute": rate.per_minute, "at_once": rate.burst}
