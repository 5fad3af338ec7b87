"""Operations as tools: listed by what the caller may do, called through the pipeline."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from mcp_types.methods import validate_client_request

from chatwright.features.workspaces.pipeline import Outcome, Pipeline
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.errors import ChatwrightError, FieldProblem, InvalidInput, Problem
from chatwright.kernel.operation import AnyOperation, Effect
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.errors import wire_problem
from chatwright.surfaces.mcp.schemas import (
    IDEMPOTENCY_KEY,
    Schema,
    input_schema,
    output_schema,
    without_nulls,
)

_MOST_LISTS = 256
"""How many different lists (by scopes and protocol revision) a process remembers."""


class Tools:
    """The shelf of tools."""

    def __init__(self, catalogue: Iterable[AnyOperation], pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._operations = {
            operation.tool: operation for operation in catalogue if Surface.MCP in operation.surfaces
        }
        self._tools = {name: as_tool(operation) for name, operation in self._operations.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._tools

    def schema_of(self, name: str) -> Schema | None:
        """A tool's input schema, for the SDK's check of headers that mirror arguments."""
        tool = self._tools.get(name)
        return None if tool is None else tool.input_schema

    def visible_to(self, caller: Caller) -> list[Tool]:
        """The tools that the caller's scopes allow, in the catalogue's order."""
        return [
            self._tools[name] for name, operation in self._operations.items() if caller.may(operation.scope)
        ]

    async def answer_list(self, ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        """Answer tools/list. All tools fit one page, so no cursor was ever given out."""
        if params is not None and params.cursor is not None:
            raise MCPError(INVALID_PARAMS, "This cursor was not made by this server.")
        return ListToolsResult(tools=self.visible_to(caller_of(ctx)))

    async def answer_call(self, ctx: Context, params: CallToolRequestParams) -> CallToolResult:
        """Answer tools/call.

        An unknown tool is an error of the protocol. A known one that the caller's scopes do not reach is an
        error of the call, INSUFFICIENT_SCOPE: access tokens cannot be widened on the way, so an HTTP 403
        would gain nothing and would lose the words that tell a model what to ask its person for.
        """
        operation = self._operations.get(params.name)
        if operation is None:
            raise MCPError(INVALID_PARAMS, f"There is no tool called '{params.name[:100]}'.")
        caller = caller_of(ctx)
        try:
            arguments, key = _split(operation, params.arguments or {})
            outcome = await self._pipeline.run(caller, operation, arguments, idempotency_key=key)
        except ChatwrightError as error:
            return _failure(error.problem(caller.request_id))
        return _success(outcome)


def as_tool(operation: AnyOperation) -> Tool:
    """An operation as a client sees it."""
    return Tool(
        name=operation.tool,
        title=operation.title,
        description=operation.description,
        input_schema=input_schema(operation),
        output_schema=output_schema(operation),
        annotations=ToolAnnotations(
            read_only_hint=not operation.writes,
            destructive_hint=operation.effect is Effect.DESTROY,
            idempotent_hint=operation.idempotent,
            open_world_hint=operation.outward,
        ),
    )


class RememberedLists:
    """Middleware that keeps finished tools/list answers: making one costs more than most calls do."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, frozenset[str]], HandlerResult] = OrderedDict()

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        if ctx.method != "tools/list" or (ctx.params or {}).get("cursor") is not None:
            return await call_next(ctx)
        validate_client_request(ctx.method, ctx.protocol_version, ctx.params)
        key = (ctx.protocol_version, caller_of(ctx).scopes)
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        answer = await call_next(ctx)
        self._answers[key] = answer
        if len(self._answers) > _MOST_LISTS:
            self._answers.popitem(last=False)
        return answer


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


def _success(outcome: Outcome) -> CallToolResult:
    value = without_nulls(outcome.value)
    return CallToolResult(
        content=[TextContent(text=orjson.dumps(value).decode())],
        structured_content=value,
        _meta={"replayed": True} if outcome.replayed else None,
    )


def _failure(problem: Problem) -> CallToolResult:
    """A failed call: the problem as text only, since structured content would have to fit the output schema."""
    text = orjson.dumps(wire_problem(problem)).decode()
    return CallToolResult(content=[TextContent(text=text)], is_error=True)
