"""Suggestions for arguments of prompts and of resource templates.

A client shows a suggestion as it will stand in the argument: an id, or a name where one identifies. What is typed
may be the beginning of an id or part of a name: whoever types a contact's name gets the ids of those called so.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    PromptReference,
)

from chatwright.kernel.errors import ChatwrightError
from chatwright.kernel.resources import Directory
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.errors import protocol_error
from chatwright.surfaces.mcp.prompts.shelf import Prompts
from chatwright.surfaces.mcp.resources.reading import Resources, reader_of

MOST_VALUES: Final = 100
"""The protocol's own limit."""


class Completions:
    """Answers completion/complete."""

    def __init__(self, resources: Resources, prompts: Prompts) -> None:
        self._resources = resources
        self._prompts = prompts

    async def answer(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        """What the typed text may become; an argument of free text has no suggestions."""
        directory, choices = self._sources(params)
        typed = params.argument.value
        values = [choice for choice in choices if typed.casefold() in choice.casefold()]
        if directory is not None:
            values += await self._found(ctx, directory, typed)
        return CompleteResult(
            completion=Completion(values=values[:MOST_VALUES], has_more=len(values) > MOST_VALUES)
        )

    async def _found(self, ctx: Context, directory: Directory, typed: str) -> list[str]:
        try:
            items = await self._resources.seek(reader_of(ctx), directory, typed)
        except ChatwrightError as error:
            raise protocol_error(
                error, request_id=caller_of(ctx).request_id, protocol_version=ctx.protocol_version
            ) from error
        return _values(directory, items, typed)

    def _sources(self, params: CompleteRequestParams) -> tuple[Directory | None, Sequence[str]]:
        """Where suggestions come from."""
        if isinstance(params.ref, PromptReference):
            argument = self._prompts.argument(params.ref.name, params.argument.name)
            return (None, ()) if argument is None else (argument.directory, argument.choices)
        for kind in self._resources.kinds:
            if params.ref.uri == kind.template:
                return (kind.directory if params.argument.name == "id" else None), ()
        raise MCPError(INVALID_PARAMS, f"There is no resource template '{params.ref.uri[:200]}'.")


def _values(directory: Directory, items: Sequence[Mapping[str, Any]], typed: str) -> list[str]:
    """Names where they identify and fit what was typed, else ids."""
    if directory.name is None:
        return [str(item["id"]) for item in items]
    times = Counter(str(item[directory.name]).casefold() for item in items)
    values: list[str] = []
    for item in items:
        name = str(item[directory.name])
        by_name = times[name.casefold()] == 1 and typed.strip().casefold() in name.casefold()
        values.append(name if by_name else str(item["id"]))
    return values
