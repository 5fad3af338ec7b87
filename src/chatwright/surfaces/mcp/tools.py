"""The shelf of tools: operations, and the few tools that lead to the rest of them."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
    Tool,
)
from mcp_types.methods import validate_client_request

from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.errors import ChatwrightError, UnknownOperation
from chatwright.kernel.names import shown_name
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.mcp.calls import Calls
from chatwright.surfaces.mcp.context import Context, caller_of, selection_of
from chatwright.surfaces.mcp.errors import protocol_error
from chatwright.surfaces.mcp.finding import Beside, Found, Own, finding_tools
from chatwright.surfaces.mcp.lean import lean_tool
from chatwright.surfaces.mcp.schemas import Schema
from chatwright.surfaces.mcp.selection import Selection

_MOST_LISTS = 64
"""How many different lists (by what a caller may see, and protocol revision) a process remembers."""


UNKNOWN: Final = "unknown_tool"
"""Under what calls of tools that there are not are counted."""
FEW: Final = 20
"""As many tools may be listed without being chosen."""


_Shown = tuple[str, frozenset[str], frozenset[str] | None, Selection]
"""What a list depends on."""


class Offered(Protocol):
    """One tool on the shelf."""

    @property
    def tool(self) -> Tool:
        """As a client sees it."""
        ...

    def open_to(self, caller: Caller) -> bool:
        """Whether this caller may call it."""
        ...

    def within(self, selection: Selection) -> bool:
        """Whether it can be called under a selection."""
        ...

    def listed(self, selection: Selection) -> bool:
        """Whether tools/list shows it to those who may call it."""
        ...

    async def call(self, ctx: Context, arguments: Mapping[str, Any]) -> CallToolResult | InputRequiredResult:
        """Answer a call."""
        ...


class OperationTool:
    """An operation as a tool."""

    def __init__(self, operation: AnyOperation, calls: Calls) -> None:
        self.tool = lean_tool(operation)
        self._operation = operation
        self._calls = calls

    @property
    def at_once(self) -> bool:
        """Whether its client is needed for nothing on the way: no question, no news of long work."""
        return not self._operation.asks and self._operation.job is None

    def open_to(self, caller: Caller) -> bool:
        """By scope and by the limits of the grant."""
        return self._operation.open_to(caller)

    def within(self, selection: Selection) -> bool:
        """Unless it was left out, or others were chosen."""
        return selection.allows(self._operation)

    def listed(self, selection: Selection) -> bool:
        """Where it was chosen, or belongs to what is shown to those who choose nothing."""
        return selection.shows(self._operation)

    async def call(self, ctx: Context, arguments: Mapping[str, Any]) -> CallToolResult | InputRequiredResult:
        """Run the operation."""
        return await self._calls.run(ctx, self._operation, arguments)


class Tools:
    """Answers tools/list and tools/call."""

    def __init__(self, catalogue: Iterable[AnyOperation], calls: Calls, beside: Beside) -> None:
        operations = [operation for operation in catalogue if Surface.MCP in operation.surfaces]
        self._found = Found(operations)
        self._beside = beside
        offered: list[Offered] = [
            *finding_tools(self._found, calls, beside),
            *(OperationTool(operation, calls) for operation in operations),
        ]
        self._offered = {each.tool.name: each for each in offered}

    def __contains__(self, name: str) -> bool:
        return name in self._offered

    def schema_of(self, name: str) -> Schema | None:
        """A tool's input schema, for the SDK's check of headers that mirror arguments."""
        offered = self._offered.get(name)
        return None if offered is None else offered.tool.input_schema

    def answers_at_once(self, name: str) -> bool:
        """Whether a call of it has an answer and nothing before that."""
        offered = self._offered.get(name)
        return isinstance(offered, OperationTool) and offered.at_once

    def visible_to(self, caller: Caller, selection: Selection) -> list[Tool]:
        """The tools that are listed for a caller, in the catalogue's order.

        Whoever may call few in all sees all of them, whether or not they are among the default ones.
        """
        callable_ = [
            offered
            for offered in self._offered.values()
            if offered.within(selection) and offered.open_to(caller)
        ]
        few = len(callable_) <= FEW
        return [offered.tool for offered in callable_ if few or offered.listed(selection)]

    async def answer_list(self, ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        """Answer tools/list. All tools fit one page, so no cursor was ever given out."""
        if params is not None and params.cursor is not None:
            raise MCPError(INVALID_PARAMS, "This cursor was not made by this server.")
        return ListToolsResult(tools=self.visible_to(caller_of(ctx), selection_of(ctx)))

    async def answer_call(
        self, ctx: Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Answer tools/call."""
        return await self.call(ctx, params.name, params.arguments or {})

    async def call(
        self, ctx: Context, name: str, arguments: Mapping[str, Any]
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool. One that is unknown, or left out by the selection, is an error of the protocol."""
        offered = self._offered.get(name)
        if offered is None or not offered.within(selection_of(ctx)):
            raise await self._unknown(ctx, name)
        return await offered.call(ctx, arguments)

    async def _unknown(self, ctx: Context, name: str) -> MCPError:
        """What a caller of a wrong name is told; that it calls too often, when it does."""
        caller = caller_of(ctx)
        try:
            async with self._beside(caller, Own(UNKNOWN, writes=False)):
                message = f"There is no tool called '{shown_name(name)}'."
                raise UnknownOperation(message, hint=self._found.hint(name, caller, selection_of(ctx)))
        except ChatwrightError as error:
            return protocol_error(error, request_id=caller.request_id, protocol_version=ctx.protocol_version)


class RememberedLists:
    """Middleware that keeps finished tools/list answers: making one costs more than most calls do."""

    def __init__(self) -> None:
        self._answers: OrderedDict[_Shown, HandlerResult] = OrderedDict()

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        if ctx.method != "tools/list" or (ctx.params or {}).get("cursor") is not None:
            return await call_next(ctx)
        validate_client_request(ctx.method, ctx.protocol_version, ctx.params)
        caller = caller_of(ctx)
        key = (ctx.protocol_version, caller.scopes, caller.operations, selection_of(ctx))
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        answer = await call_next(ctx)
        self._answers[key] = answer
        if len(self._answers) > _MOST_LISTS:
            self._answers.popitem(last=False)
        return answer
