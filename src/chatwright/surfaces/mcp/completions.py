"""Suggestions for arguments: the ids of the latest conversations and contacts."""

from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    PromptReference,
)

from chatwright.kernel.errors import ChatwrightError
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.errors import protocol_error
from chatwright.surfaces.mcp.prompts import CONVERSATION, Prompts
from chatwright.surfaces.mcp.resources import KINDS, Resources

MOST_VALUES = 100
"""The protocol's own limit."""


class Completions:
    """Answers completion/complete."""

    def __init__(self, resources: Resources, prompts: Prompts) -> None:
        self._resources = resources
        self._prompts = prompts

    async def answer(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        """Ids that begin with what was typed; an argument of free text has no suggestions."""
        noun = self._noun_of(params)
        caller = caller_of(ctx)
        if noun is None:
            return CompleteResult(completion=Completion(values=[], total=0, has_more=False))
        try:
            ids = await self._resources.latest_ids(caller, noun, MOST_VALUES)
        except ChatwrightError as error:
            raise protocol_error(
                error, request_id=caller.request_id, protocol_version=ctx.protocol_version
            ) from error
        values = [id_ for id_ in ids if id_.startswith(params.argument.value.lower())]
        return CompleteResult(completion=Completion(values=values, has_more=len(ids) == MOST_VALUES))

    def _noun_of(self, params: CompleteRequestParams) -> str | None:
        """The kind of resource whose ids complete the argument; None for free text."""
        if isinstance(params.ref, PromptReference):
            if params.ref.name not in self._prompts:
                raise MCPError(INVALID_PARAMS, f"There is no prompt called '{params.ref.name[:100]}'.")
            return "conversations" if params.argument.name == CONVERSATION else None
        for kind in KINDS:
            if kind.uri_template == params.ref.uri and kind.noun in self._resources:
                return kind.noun if params.argument.name == "id" else None
        raise MCPError(INVALID_PARAMS, f"There is no resource template '{params.ref.uri[:200]}'.")
