"""Whether a caller's scopes cover a message, judged before the protocol sees it.

A client that holds a grant can have it widened, if it is told by a status and a challenge: in an answer of the
protocol it would not look for them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from chatwright.features.workspaces.pipeline import Pipeline
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import NotFound, ScopeMissing
from chatwright.kernel.operation import AnyOperation
from chatwright.kernel.prompts import Recipe
from chatwright.kernel.resources import Kind
from chatwright.surfaces.mcp.errors import StepUpNeeded
from chatwright.surfaces.mcp.resources.uris import target_of
from chatwright.surfaces.mcp.selection import RUN_READ_TOOL, RUN_WRITE_TOOL, Selection


class Steps:
    """Knows which operations a message would run."""

    def __init__(
        self,
        offered: Iterable[AnyOperation],
        pipeline: Pipeline,
        kinds: Iterable[Kind],
        recipes: Iterable[Recipe],
    ) -> None:
        self._operations = {operation.name: operation for operation in offered}
        self._by_tool = {operation.tool: operation for operation in self._operations.values()}
        self._prompts = {recipe.name: recipe.operations for recipe in recipes}
        self._kinds = tuple(kinds)
        self._pipeline = pipeline

    async def check(
        self, caller: Caller, selection: Selection, method: str, params: Mapping[str, Any]
    ) -> None:
        """Raise StepUpNeeded, on record, when the caller lacks a scope for this message.

        What it names wrongly, or what its selection leaves out, is the protocol's to refuse.
        """
        needed = [operation for operation in self._meant(method, params) if selection.allows(operation)]
        for operation in needed:
            try:
                await self._pipeline.require(caller, operation.scope, operation.name)
            except ScopeMissing as error:
                wanted = caller.scopes | {each.scope for each in needed}
                raise StepUpNeeded(error, wanted) from error

    def _meant(self, method: str, params: Mapping[str, Any]) -> list[AnyOperation]:
        match method:
            case "tools/call":
                operation = self._by_tool.get(_tool_of(params))
                return [] if operation is None else [operation]
            case "resources/read":
                names = self._read_by(params)
            case "prompts/get":
                names = self._prompts.get(str(params.get("name")), frozenset())
            case _:
                return []
        return [self._operations[name] for name in sorted(names) if name in self._operations]

    def _read_by(self, params: Mapping[str, Any]) -> set[str]:
        """The operations that give what a URI names; none where it names nothing."""
        try:
            return target_of(str(params.get("uri")), self._kinds).kind.needed
        except NotFound:
            return set()


def _tool_of(params: Mapping[str, Any]) -> str:
    """The tool that is called; where that one runs another, the other."""
    name = params.get("name")
    if name in {RUN_READ_TOOL, RUN_WRITE_TOOL}:
        arguments = params.get("arguments")
        name = cast("dict[str, Any]", arguments).get("tool") if isinstance(arguments, dict) else None
    return name if isinstance(name, str) else ""
