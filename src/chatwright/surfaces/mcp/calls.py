"""Carrying out a call of a tool: what is asked of the pipeline, and what is done around it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from mcp.types import CallToolResult, InputRequiredResult

from chatwright.features.workspaces.pipeline import Pipeline
from chatwright.kernel.errors import ChatwrightError, FieldProblem, InvalidInput
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.mcp.answers import Wish, answer, failure
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.schemas import CONCISE, DETAIL_LEVEL, FULL, IDEMPOTENCY_KEY, takes_detail


class Calls:
    """Runs operations for tools."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def run(
        self, ctx: Context, operation: AnyOperation, arguments: Mapping[str, Any]
    ) -> CallToolResult | InputRequiredResult:
        """Carry out one call; a failure of the product's own is a result too."""
        caller = caller_of(ctx)
        try:
            rest, full = _without_detail_level(operation, arguments)
            rest, key = _split(operation, rest)
            outcome = await self._pipeline.run(caller, operation, rest, idempotency_key=key)
            again = partial(self._pipeline.run, caller, operation)
            return await answer(Wish(operation, full), rest, outcome, again)
        except ChatwrightError as error:
            return failure(error.problem(caller.request_id))


def _split(operation: AnyOperation, arguments: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    """Part the idempotency key from the operation's own arguments."""
    if not operation.writes or IDEMPOTENCY_KEY not in arguments:
        return arguments, None
    rest = dict(arguments)
    key = rest.pop(IDEMPOTENCY_KEY)
    if key is not None and not isinstance(key, str):
        message = "An idempotency key is a text."
        raise InvalidInput(message, fields=[FieldProblem(path=IDEMPOTENCY_KEY, message=message)])
    return rest, key


def _without_detail_level(
    operation: AnyOperation, arguments: Mapping[str, Any]
) -> tuple[Mapping[str, Any], bool]:
    """Part how full the answer is to be from the operation's own arguments."""
    if DETAIL_LEVEL not in arguments or not takes_detail(operation):
        return arguments, False
    rest = dict(arguments)
    level = rest.pop(DETAIL_LEVEL)
    if level not in {CONCISE, FULL}:
        message = f"The level of detail is '{CONCISE}' or '{FULL}'."
        raise InvalidInput(message, fields=[FieldProblem(path=DETAIL_LEVEL, message=message)])
    return rest, level == FULL
