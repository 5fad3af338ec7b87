"""The shelf of prompts."""

import re
from collections.abc import Iterable, Mapping
from string import Formatter

from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    Annotations,
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

from chatwright.kernel.errors import ChatwrightError
from chatwright.kernel.operation import AnyOperation
from chatwright.kernel.prompts import OPERATION, Argument, Recipe
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.errors import protocol_error
from chatwright.surfaces.mcp.prompts.recipes import RECIPES, RULES
from chatwright.surfaces.mcp.resources.reading import Reader, Resources, reader_of
from chatwright.surfaces.mcp.resources.uris import uri_of
from chatwright.surfaces.mcp.selection import RUN_READ_TOOL, RUN_WRITE_TOOL

MOST_CHARACTERS = 4_000
"""Of one argument."""


class Prompts:
    """Answers prompts/list and prompts/get. A prompt that names a tool the catalogue lacks is not offered."""

    def __init__(
        self, catalogue: Iterable[AnyOperation], resources: Resources, recipes: Iterable[Recipe] = RECIPES
    ) -> None:
        self._operations = {operation.name: operation for operation in catalogue}
        self._resources = resources
        self._recipes = {
            recipe.name: recipe for recipe in recipes if recipe.operations <= self._operations.keys()
        }

    async def answer_list(self, ctx: Context, params: PaginatedRequestParams | None) -> ListPromptsResult:
        """Answer prompts/list with those whose tools the caller may use."""
        if params is not None and params.cursor is not None:
            raise MCPError(INVALID_PARAMS, "This cursor was not made by this server.")
        reader = reader_of(ctx)
        return ListPromptsResult(
            prompts=[_as_prompt(recipe) for recipe in self._recipes.values() if self._usable(recipe, reader)]
        )

    async def answer_get(self, ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
        """Answer prompts/get: the words with what was filled in, and the resources that belong to it."""
        reader = reader_of(ctx)
        recipe = self._recipes.get(params.name)
        if recipe is None or not self._usable(recipe, reader):
            raise unknown_prompt(params.name)
        arguments = _checked(recipe, params.arguments or {})
        try:
            shown = [await self._shown(reader, uri) for uri in _uris(recipe, arguments)]
        except ChatwrightError as error:
            raise protocol_error(
                error, request_id=caller_of(ctx).request_id, protocol_version=ctx.protocol_version
            ) from error
        words = PromptMessage(role="user", content=TextContent(text=self._words(recipe, arguments, reader)))
        return GetPromptResult(description=recipe.description, messages=[words, *shown])

    def argument(self, prompt: str, name: str) -> Argument | None:
        """An argument of a prompt; None where the prompt has none of this name."""
        recipe = self._recipes.get(prompt)
        if recipe is None:
            raise unknown_prompt(prompt)
        return next((argument for argument in recipe.arguments if argument.name == name), None)

    async def _shown(self, reader: Reader, uri: str) -> PromptMessage:
        contents = await self._resources.contents(reader, uri)
        return PromptMessage(
            role="user",
            content=EmbeddedResource(
                resource=contents, annotations=Annotations(audience=["assistant"]), _meta=contents.meta
            ),
        )

    def _words(self, recipe: Recipe, arguments: Mapping[str, str], reader: Reader) -> str:
        words = OPERATION.sub(lambda found: self._operations[found[1]].tool, recipe.words)
        given = [f"{name}: {value}" for name, value in arguments.items()]
        ways = self._ways_to(recipe, reader)
        return "\n\n".join([words, *ways, RULES, *(["Given:\n" + "\n".join(given)] if given else [])])

    def _ways_to(self, recipe: Recipe, reader: Reader) -> list[str]:
        """How to call the tools of a recipe that the client's list lacks."""
        hidden = [
            operation
            for name in sorted(recipe.operations)
            if not reader.selection.shows(operation := self._operations[name])
        ]
        ways = [
            (RUN_READ_TOOL, [operation.tool for operation in hidden if not operation.writes]),
            (RUN_WRITE_TOOL, [operation.tool for operation in hidden if operation.writes]),
        ]
        told = [f"{', '.join(names)} through {runner}" for runner, names in ways if names]
        return [f"Not in your list of tools, so call: {'; '.join(told)}."] if told else []

    def _usable(self, recipe: Recipe, reader: Reader) -> bool:
        return all(reader.reaches(self._operations[name]) for name in recipe.operations)


def unknown_prompt(name: str) -> MCPError:
    """What is said of a prompt that there is not."""
    return MCPError(INVALID_PARAMS, f"There is no prompt called '{name[:100]}'.")


def _as_prompt(recipe: Recipe) -> Prompt:
    return Prompt(
        name=recipe.name,
        title=recipe.title,
        description=recipe.description,
        arguments=[
            PromptArgument(name=each.name, description=each.description, required=each.required)
            for each in recipe.arguments
        ],
    )


def _checked(recipe: Recipe, arguments: Mapping[str, str]) -> dict[str, str]:
    """The arguments that were filled in, in the recipe's order."""
    known = {argument.name for argument in recipe.arguments}
    if unknown := sorted(arguments.keys() - known):
        raise MCPError(INVALID_PARAMS, f"The prompt '{recipe.name}' has no argument '{unknown[0][:100]}'.")
    given = {
        each.name: arguments[each.name].strip()
        for each in recipe.arguments
        if arguments.get(each.name, "").strip()
    }
    for argument in recipe.arguments:
        if argument.required and argument.name not in given:
            raise MCPError(INVALID_PARAMS, f"The prompt '{recipe.name}' needs '{argument.name}'.")
        if len(given.get(argument.name, "")) > MOST_CHARACTERS:
            raise MCPError(
                INVALID_PARAMS, f"'{argument.name}' may have at most {MOST_CHARACTERS} characters."
            )
    return given


def _uris(recipe: Recipe, arguments: Mapping[str, str]) -> list[str]:
    """The resources that come with a prompt, of those whose arguments are given."""
    uris: list[str] = []
    for path in recipe.shows:
        names = [name for _, name, _, _ in Formatter().parse(path) if name]
        if all(name in arguments for name in names):
            place = re.sub(r"{\w+}", "{id}", path)
            uris.append(uri_of(place, arguments[names[0]] if names else None))
    return uris
