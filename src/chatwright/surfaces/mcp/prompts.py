"""Starting points for people: workflows on one conversation, with its text at hand."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    EmbeddedResource,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import ChatwrightError
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.errors import protocol_error
from chatwright.surfaces.mcp.resources import SCHEME, Resources

CONVERSATION: Final = "conversation_id"


@dataclass(frozen=True)
class Recipe:
    """A prompt. `{conversations.get}` in its words stands for the tool of that operation."""

    name: str
    title: str
    description: str
    words: str
    option: tuple[str, str] | None = None
    """A further argument that may be given, with its description; its value follows the words."""

    @property
    def operations(self) -> list[str]:
        """The operations whose tools the words name."""
        return re.findall(r"{([a-z_]+\.[a-z_]+)}", self.words)


RECIPES: Final = (
    Recipe(
        "summarise_conversation",
        "Summarise a conversation",
        "What the contact wants, what was said, and what is still open.",
        "Summarise the conversation below for a colleague who takes it over: what the contact wants, what was "
        "agreed, what is still open, and the contact's mood, in at most eight lines. If the history has a "
        "next_cursor, read on with {messages.list} first. Keep the summary with the conversation by "
        "{messages.add_note} only if I ask for it.",
    ),
    Recipe(
        "draft_reply",
        "Draft a reply",
        "A reply in the contact's language, for approval before it is sent.",
        "Draft a reply to the contact's latest messages in the conversation below, in the contact's language "
        "and in the tone our side has used. State nothing as fact that the conversation does not show. Show me "
        "the draft and wait: send it with {messages.send} only after I approve it, with an idempotency_key.",
        option=("guidance", "What the reply should say or do."),
    ),
    Recipe(
        "hand_over_to_person",
        "Hand over to a person",
        "Stop the bot, and leave a colleague a note with what they need to know.",
        "Hand the conversation below over to a person. First take it from the bot with "
        "{conversations.set_owner} (owner: human). Then leave a note with {messages.add_note}: what the contact "
        "wants, what was tried, and what to do next. If you know who should take care of it, assign it with "
        "{conversations.assign}. Do not write to the contact.",
        option=("reason", "Why a person should take over."),
    ),
)


class Prompts:
    """The shelf of prompts. One that names a tool the catalogue lacks is not offered."""

    def __init__(
        self, catalogue: Iterable[AnyOperation], resources: Resources, recipes: Iterable[Recipe] = RECIPES
    ) -> None:
        self._operations = {operation.name: operation for operation in catalogue}
        self._resources = resources
        self._recipes = {
            recipe.name: recipe
            for recipe in recipes
            if "conversations" in resources and set(recipe.operations) <= self._operations.keys()
        }

    def __contains__(self, name: str) -> bool:
        return name in self._recipes

    async def answer_list(self, ctx: Context, params: PaginatedRequestParams | None) -> ListPromptsResult:
        """Answer prompts/list with those whose tools the caller may use."""
        if params is not None and params.cursor is not None:
            raise MCPError(INVALID_PARAMS, "This cursor was not made by this server.")
        caller = caller_of(ctx)
        return ListPromptsResult(
            prompts=[_as_prompt(recipe) for recipe in self._recipes.values() if self._usable(recipe, caller)]
        )

    async def answer_get(self, ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
        """Answer prompts/get: the words, and the conversation as an embedded resource."""
        recipe = self._recipes.get(params.name)
        if recipe is None:
            raise MCPError(INVALID_PARAMS, f"There is no prompt called '{params.name[:100]}'.")
        arguments = params.arguments or {}
        _check_arguments(recipe, arguments)
        uri = f"{SCHEME}conversations/{arguments[CONVERSATION]}"
        caller = caller_of(ctx)
        try:
            contents = await self._resources.contents(caller, uri)
        except ChatwrightError as error:
            raise protocol_error(
                error, request_id=caller.request_id, protocol_version=ctx.protocol_version
            ) from error
        return GetPromptResult(
            description=recipe.description,
            messages=[
                PromptMessage(role="user", content=TextContent(text=self._words(recipe, arguments))),
                PromptMessage(role="user", content=EmbeddedResource(resource=contents)),
            ],
        )

    def _words(self, recipe: Recipe, arguments: dict[str, str]) -> str:
        words = re.sub(r"{([a-z_]+\.[a-z_]+)}", lambda found: self._operations[found[1]].tool, recipe.words)
        lines = [words, f"conversation_id: {arguments[CONVERSATION]}"]
        if recipe.option is not None and arguments.get(recipe.option[0]):
            lines.append(f"{recipe.option[0]}: {arguments[recipe.option[0]]}")
        return "\n".join(lines)

    def _usable(self, recipe: Recipe, caller: Caller) -> bool:
        return all(self._operations[name].open_to(caller) for name in recipe.operations)


def _as_prompt(recipe: Recipe) -> Prompt:
    arguments = [PromptArgument(name=CONVERSATION, description="Id of the conversation.", required=True)]
    if recipe.option is not None:
        name, description = recipe.option
        arguments.append(PromptArgument(name=name, description=description, required=False))
    return Prompt(name=recipe.name, title=recipe.title, description=recipe.description, arguments=arguments)


def _check_arguments(recipe: Recipe, arguments: dict[str, str]) -> None:
    if not arguments.get(CONVERSATION):
        raise MCPError(INVALID_PARAMS, f"The prompt '{recipe.name}' needs the argument '{CONVERSATION}'.")
    known = {CONVERSATION, *(recipe.option or ())[:1]}
    if unknown := sorted(arguments.keys() - known):
        raise MCPError(INVALID_PARAMS, f"The prompt '{recipe.name}' has no argument '{unknown[0][:100]}'.")
