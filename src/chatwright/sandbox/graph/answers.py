"""How handlers answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chatwright.sandbox.graph.calls import Call


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told, unless the fate of the call is silence."""

    body: dict[str, Any]
    silent: bool = False


Handler = Callable[[Call], Awaitable[Answer | dict[str, Any]]]
Edges = Mapping[tuple[str, str], Handler]
"""By HTTP method and edge; the edge of the node itself is empty."""

DONE: dict[str, Any] = {"success": True}


def selected(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that the call asks for, with the id always; all when it names none."""
    asked = call.text("fields")
    if asked is None:
        return fields
    names = {name.partition("{")[0].strip() for name in asked.split(",")}
    return {name: value for name, value in fields.items() if name in names or name == "id"}
