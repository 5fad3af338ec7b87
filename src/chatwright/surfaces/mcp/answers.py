"""What a tool says: results and errors as a model reads them."""

from typing import Any

import orjson
from mcp.types import CallToolResult, TextContent

from chatwright.features.workspaces.pipeline import Outcome
from chatwright.kernel.errors import Problem
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.mcp.errors import wire_problem
from chatwright.surfaces.mcp.schemas import without_nulls


def success(operation: AnyOperation, outcome: Outcome) -> CallToolResult:
    """What a call gave, as structured content that fits the tool's output schema and as the same in text."""
    del operation
    value: dict[str, Any] = without_nulls(outcome.value)
    return CallToolResult(
        content=[TextContent(text=orjson.dumps(value).decode())],
        structured_content=value,
        _meta={"replayed": True} if outcome.replayed else None,
    )


def failure(problem: Problem) -> CallToolResult:
    """A failed call: the problem as text only, since structured content would have to fit the output schema."""
    text = orjson.dumps(wire_problem(problem)).decode()
    return CallToolResult(content=[TextContent(text=text)], is_error=True)
