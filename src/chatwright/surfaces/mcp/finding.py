"""The tools that lead to all others: one finds them by what is wanted, two run what was found.

A list of every tool would fill a model's context before it has done anything, so lists are short. Reading and
writing are run by two tools, because hosts decide by a tool's hints whether to ask their person.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import orjson
from mcp.types import CallToolResult, InputRequiredResult, TextContent, Tool, ToolAnnotations
from pydantic import Field

from chatwright.features.workspaces.arguments import read_model
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import ChatwrightError, FieldProblem, InvalidInput, UnknownOperation
from chatwright.kernel.names import shown_name
from chatwright.kernel.operation import AnyOperation, Input
from chatwright.ports.calls import Called
from chatwright.surfaces.mcp.answers import FULL_BYTES, failure
from chatwright.surfaces.mcp.calls import Calls
from chatwright.surfaces.mcp.context import Context, caller_of, selection_of
from chatwright.surfaces.mcp.ranking import Described, Ranking, Vocabulary, shipped_vocabulary
from chatwright.surfaces.mcp.schemas import (
    CONFIRM_TOKEN,
    DRY_RUN,
    IDEMPOTENCY_KEY,
    Schema,
    full_input_schema,
)
from chatwright.surfaces.mcp.selection import RUN_READ_TOOL, RUN_WRITE_TOOL, SEARCH_TOOLS, Selection

MOST_FOUND: Final = 20
_SHORT_CARD_BYTES: Final = 300
"""Room for one tool that is not told in full."""
LONGEST_NAME: Final = 100
"""Characters of a tool's name. A longer one is not compared with others, which would take seconds."""
_NEAREST: Final = 3
_THROUGH: Final = (IDEMPOTENCY_KEY, DRY_RUN, CONFIRM_TOKEN)
"""Arguments of `run_write_tool` that belong among the tool's own, when given."""

Beside = Callable[[Caller, Called], AbstractAsyncContextManager[None]]
"""What is done within it is limited and counted as calls of operations are, under its own name."""


@dataclass(frozen=True, slots=True)
class Own:
    """A tool of the face's own, as calls are counted by."""

    name: str
    writes: bool


class SearchTools(Input):
    query: Annotated[str, Field(min_length=1, max_length=500)]
    limit: Annotated[int, Field(ge=1, le=MOST_FOUND)] = 5
    detail: Literal["concise", "full"] = "concise"


class RunTool(Input):
    tool: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    arguments: dict[str, Any] = Field(default_factory=dict)


class RunWriteTool(RunTool):
    idempotency_key: str | None = None
    dry_run: bool | None = None
    confirm_token: str | None = None


class Found:
    """The operations that can be found, and run by name."""

    def __init__(self, operations: Iterable[AnyOperation]) -> None:
        self.operations = tuple(operations)
        self._by_tool = {operation.tool: operation for operation in self.operations}
        self._ranking = _ranking_of(self.operations)

    def search(self, query: str, limit: int, caller: Caller, selection: Selection) -> list[AnyOperation]:
        """What a request most likely means, of what the caller may use under its selection; best first."""
        return self._ranking.find(query, lambda each: each.open_to(caller) and selection.allows(each), limit)

    def called(self, tool: str, caller: Caller, selection: Selection) -> AnyOperation:
        """The operation of a tool's name, under a selection. Raises UnknownOperation with the nearest names.

        One that the caller may not use is given too: the pipeline refuses it with the right words.
        """
        operation = self._by_tool.get(tool)
        if operation is None or not selection.allows(operation):
            message = f"There is no tool called '{shown_name(tool)}'."
            raise UnknownOperation(message, hint=self.hint(tool, caller, selection))
        return operation

    def hint(self, tool: str, caller: Caller, selection: Selection) -> str:
        """What whoever called a tool that there is not may have meant; nothing for what is no name of any tool."""
        if len(tool) > LONGEST_NAME:
            return ""
        meant = [each.tool for each in self.search(tool, _NEAREST, caller, selection)]
        usable = [each.tool for each in self.operations if each.open_to(caller) and selection.allows(each)]
        spelt = get_close_matches(tool, usable, n=_NEAREST, cutoff=0)
        near = list(dict.fromkeys([*meant, *spelt]))[:_NEAREST]
        return f"The nearest are {', '.join(near)}; {SEARCH_TOOLS} finds more." if near else ""


@lru_cache(maxsize=4)
def _ranking_of(operations: tuple[AnyOperation, ...]) -> Ranking[AnyOperation]:
    """Weighing all words takes a tenth of a second, which every server of a process would spend anew."""
    vocabulary = shipped_vocabulary()
    return Ranking([described(each, vocabulary) for each in operations], vocabulary)


def described(operation: AnyOperation, vocabulary: Vocabulary) -> Described[AnyOperation]:
    """An operation by all that is said of it: one of an extension is found by its own description."""
    fields = operation.input.model_fields
    return Described(
        key=operation,
        name=operation.tool,
        phrases=vocabulary.tools.get(operation.tool, ()),
        texts=(
            (0.8, operation.summary),
            (0.5, operation.description),
            (0.4, operation.noun),
            (0.4, " ".join(fields)),
            (0.2, " ".join(each.description or "" for each in fields.values())),
        ),
        answers=not operation.writes,
    )


class SearchTool:
    """`search_tools`."""

    tool = Tool(
        name=SEARCH_TOOLS,
        title="Search tools",
        description=(
            "Find tools by what you want to do, in English or Vietnamese. Most tools are not listed and are found "
            f"only here. Run one with {RUN_READ_TOOL} (kind read) or {RUN_WRITE_TOOL} (kind write); with "
            "detail=full you get its whole input schema first."
        ),
        input_schema={
            "type": "object",
            "properties": {
                "query": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 500,
                    "description": "What is wanted, e.g. `merge duplicate customers` or `gắn thẻ cho khách`.",
                },
                "limit": {"type": "integer", "minimum": 1, "maximum": MOST_FOUND, "default": 5},
                "detail": {"type": "string", "enum": ["concise", "full"], "default": "concise"},
            },
            "required": ["query"],
            "additionalProperties": False,
        },
        output_schema={
            "type": "object",
            "properties": {
                "tools": {
                    "type": "array",
                    "description": "Best first; empty when nothing fits.",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "title": {"type": "string"},
                            "summary": {"type": "string"},
                            "kind": {"type": "string", "enum": ["read", "write"]},
                            "required": {"type": "array", "items": {"type": "string"}},
                            "description": {"type": "string"},
                            "input_schema": {"type": "object"},
                            "errors": {"type": "array", "items": {"type": "string"}},
                        },
                        "required": ["name", "title", "summary", "kind", "required"],
                    },
                }
            },
            "required": ["tools"],
        },
        annotations=ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )

    def __init__(self, found: Found, beside: Beside) -> None:
        self._found = found
        self._beside = beside

    def open_to(self, caller: Caller) -> bool:
        """To everybody: it shows a caller only what that may use."""
        del caller
        return True

    def within(self, selection: Selection) -> bool:
        """Where something is not listed: a chosen toolset shows all that it has."""
        return not selection.toolsets and SEARCH_TOOLS not in selection.excluded

    def listed(self, selection: Selection) -> bool:
        """Wherever it can be called."""
        return self.within(selection)

    async def call(self, ctx: Context, arguments: Mapping[str, Any]) -> CallToolResult | InputRequiredResult:
        """Search."""
        caller = caller_of(ctx)
        try:
            async with self._beside(caller, Own(SEARCH_TOOLS, writes=False)):
                asked = read_model(SearchTools, arguments)
                found = self._found.search(asked.query, asked.limit, caller, selection_of(ctx))
        except ChatwrightError as error:
            return failure(error.problem(caller.request_id))
        value = {"tools": _cards(found, full=asked.detail == "full")}
        text = orjson.dumps(value).decode()
        return CallToolResult(content=[TextContent(text=text)], structured_content=value)


def _cards(found: Sequence[AnyOperation], *, full: bool) -> list[Schema]:
    """Found tools as their finder reads them; the first ones in full, as many as one answer holds."""
    left = FULL_BYTES - _SHORT_CARD_BYTES * len(found) if full else 0
    cards: list[Schema] = []
    for operation in found:
        whole = _whole_card(operation) if left > 0 else _card(operation)
        left -= len(orjson.dumps(whole))
        cards.append(whole if left > 0 else _card(operation))
    return cards


def _card(operation: AnyOperation) -> Schema:
    fields = operation.input.model_fields
    return {
        "name": operation.tool,
        "title": operation.title,
        "summary": operation.summary,
        "kind": "write" if operation.writes else "read",
        "required": [name for name, field in fields.items() if field.is_required()],
    }


def _whole_card(operation: AnyOperation) -> Schema:
    return {
        **_card(operation),
        "description": operation.description,
        "input_schema": full_input_schema(operation),
        "errors": sorted({error.code for error in operation.errors}),
    }


class RunningTool:
    """`run_read_tool` or `run_write_tool`: answers exactly as the tool it runs, and is counted as that one.

    A call that comes to no tool is limited and counted as its own.
    """

    def __init__(self, found: Found, calls: Calls, beside: Beside, *, writes: bool) -> None:
        self.tool = _RUN_WRITE if writes else _RUN_READ
        self._found = found
        self._calls = calls
        self._beside = beside
        self._writes = writes

    def open_to(self, caller: Caller) -> bool:
        """To whom may use at least one of its tools."""
        return any(each.open_to(caller) for each in self._found.operations if each.writes == self._writes)

    def within(self, selection: Selection) -> bool:
        """Where something is not listed, as for `search_tools`; with all that writes, it is left out too."""
        unlisted = not selection.toolsets and self.tool.name not in selection.excluded
        return unlisted and not (self._writes and selection.read_only)

    def listed(self, selection: Selection) -> bool:
        """Wherever it can be called."""
        return self.within(selection)

    async def call(self, ctx: Context, arguments: Mapping[str, Any]) -> CallToolResult | InputRequiredResult:
        """Run the tool that is named, by the very way it is run when it is called itself."""
        caller = caller_of(ctx)
        try:
            asked = read_model(RunWriteTool if self._writes else RunTool, arguments)
            operation = self._found.called(asked.tool, caller, selection_of(ctx))
            self._check_kind(operation)
            passed = _passed_on(asked)
        except ChatwrightError as error:
            return await self._refused(caller, error)
        return await self._calls.run(ctx, operation, passed)

    async def _refused(self, caller: Caller, error: ChatwrightError) -> CallToolResult:
        """What a caller is told of a call that came to no tool; that it calls too often, when it does."""
        try:
            async with self._beside(caller, Own(self.tool.name, self._writes)):
                raise error
        except ChatwrightError as told:
            return failure(told.problem(caller.request_id))

    def _check_kind(self, operation: AnyOperation) -> None:
        if operation.writes == self._writes:
            return
        does, right = ("writes", RUN_WRITE_TOOL) if operation.writes else ("only reads", RUN_READ_TOOL)
        message = f"{operation.tool} {does}, and {self.tool.name} does not run such tools."
        raise InvalidInput(
            message, fields=[FieldProblem(path="tool", message=message)], hint=f"Use {right} for it."
        )


def finding_tools(found: Found, calls: Calls, beside: Beside) -> tuple[SearchTool, RunningTool, RunningTool]:
    """The three of them, over the same operations."""
    return (
        SearchTool(found, beside),
        RunningTool(found, calls, beside, writes=False),
        RunningTool(found, calls, beside, writes=True),
    )


def _passed_on(asked: RunTool) -> dict[str, Any]:
    """The tool's arguments, and beside them what was said of the call as a whole."""
    of_call = asked.model_dump(include=set(_THROUGH), exclude_none=True)
    twice = sorted(of_call.keys() & asked.arguments.keys())
    if twice:
        message = f"{twice[0]} is given twice; give it once, beside `arguments` or in them."
        raise InvalidInput(message, fields=[FieldProblem(path=twice[0], message=message)])
    return {**asked.arguments, **of_call}


_TOOL_FIELDS: Final[Schema] = {
    "tool": {"type": "string", "description": f"A tool's name, from {SEARCH_TOOLS}."},
    "arguments": {"type": "object", "description": "That tool's arguments, as its input schema says."},
}
_ANY_RESULT: Final[Schema] = {"type": "object", "description": "The result of the tool that ran."}

_RUN_READ: Final = Tool(
    name=RUN_READ_TOOL,
    title="Run a tool that reads",
    description=f"Run a tool of kind read that {SEARCH_TOOLS} found. It answers as that tool does.",
    input_schema={
        "type": "object",
        "properties": _TOOL_FIELDS,
        "required": ["tool"],
        "additionalProperties": False,
    },
    output_schema=_ANY_RESULT,
    annotations=ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    ),
)
_RUN_WRITE: Final = Tool(
    name=RUN_WRITE_TOOL,
    title="Run a tool that writes",
    description=(
        f"Run a tool of kind write that {SEARCH_TOOLS} found. It answers as that tool does, and asks for the same "
        "confirmations: read what it is about to change, send or delete."
    ),
    input_schema={
        "type": "object",
        "properties": {
            **_TOOL_FIELDS,
            "idempotency_key": {
                "type": "string",
                "description": "Makes a repeat safe: same key, same arguments, first result.",
            },
            "dry_run": {
                "type": "boolean",
                "description": "Only try it, for a tool that has `dry_run` among its arguments.",
            },
            "confirm_token": {
                "type": "string",
                "description": "From the answer that asked for confirmation, once a person agreed.",
            },
        },
        "required": ["tool"],
        "additionalProperties": False,
    },
    output_schema=_ANY_RESULT,
    annotations=ToolAnnotations(
        read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True
    ),
)
