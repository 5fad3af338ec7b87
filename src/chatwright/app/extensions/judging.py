"""Whether an extension fits beside the product and the other extensions: nobody takes what is another's."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from chatwright.catalogue import CATALOGUE, TOOLSETS
from chatwright.extension import Extension
from chatwright.features.workspaces.rules import SCOPES
from chatwright.kernel.operation import AnyOperation
from chatwright.kernel.prompts import Recipe
from chatwright.kernel.resources import ID, Kind
from chatwright.ports.scopes import OwnScope
from chatwright.surfaces.mcp.prompts.recipes import RECIPES
from chatwright.surfaces.mcp.resources.kinds import KINDS
from chatwright.surfaces.mcp.schemas import CONFIRM_TOKEN, DETAIL_LEVEL, DRY_RUN, IDEMPOTENCY_KEY
from chatwright.surfaces.mcp.selection import FINDING

COMMANDS: Final = frozenset({"up", "serve", "work", "sandbox", "mcp", "profile", "extensions"})
"""Commands that are no group of operations."""
PLACES: Final = frozenset({"openapi.json", "events"})
"""Beginnings of REST paths that no operation has."""
OF_FACES: Final = frozenset({IDEMPOTENCY_KEY, DETAIL_LEVEL, DRY_RUN, CONFIRM_TOKEN})
"""Arguments that faces add to operations."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_TOOL = re.compile(r"[a-z][a-z0-9_]{0,63}")
_FIELD = re.compile(r"{\w+}")
_SCOPE = re.compile(r"[a-z][a-z0-9_]*:(read|write)")


class Judge:
    """Knows what is taken. Each extension is judged, then accepted, and what it brings is taken too."""

    def __init__(self) -> None:
        self._nouns = {operation.noun for operation in CATALOGUE} | TOOLSETS.keys() | COMMANDS
        self._tools = {operation.tool for operation in CATALOGUE} | FINDING
        self._places = {_begin(operation.path) for operation in CATALOGUE} | PLACES
        self._scope_nouns = {_noun(scope) for scope in SCOPES}
        self._resources = {kind.path.split("/")[0] for kind in KINDS}
        self._prompts = {recipe.name for recipe in RECIPES}

    def problems(self, extension: Extension) -> Iterator[str]:
        """What speaks against an extension, each in a sentence."""
        yield from self._with_scopes(extension.scopes)
        yield from self._with_operations(
            extension.operations, SCOPES | {one.name for one in extension.scopes}
        )
        at_hand = {each.name: each for each in (*CATALOGUE, *extension.operations)}
        yield from self._with_resources(extension.resources, at_hand)
        paths = {kind.path for kind in (*KINDS, *extension.resources)}
        yield from self._with_prompts(extension.prompts, at_hand, paths)

    def accept(self, extension: Extension) -> None:
        """Take what it brings."""
        self._nouns |= {each.noun for each in extension.operations}
        self._tools |= {each.tool for each in extension.operations}
        self._places |= {_begin(each.path) for each in extension.operations}
        self._scope_nouns |= {_noun(each.name) for each in extension.scopes}
        self._resources |= {each.path.split("/")[0] for each in extension.resources}
        self._prompts |= {each.name for each in extension.prompts}

    def _with_scopes(self, scopes: Iterable[OwnScope]) -> Iterator[str]:
        scopes = list(scopes)
        yield from _twice("scope", [scope.name for scope in scopes])
        for scope in scopes:
            if not _SCOPE.fullmatch(scope.name):
                yield f"the scope '{scope.name}' is not called noun:read or noun:write."
            elif _noun(scope.name) in self._scope_nouns:
                yield f"the scope '{scope.name}' is of a noun that has scopes already; take another noun."
            if not scope.words.strip():
                yield f"the scope '{scope.name}' has no words for the person who is asked to allow it."

    def _with_operations(self, operations: Iterable[AnyOperation], scopes: frozenset[str]) -> Iterator[str]:
        operations = list(operations)
        yield from _twice("operation", [each.name for each in operations])
        yield from _twice("tool", [each.tool for each in operations])
        yield from _twice("route", [_route(each) for each in operations])
        for each in operations:
            yield from self._with_names(each)
            if each.scope not in scopes:
                yield f"{each.name} needs the scope '{each.scope}', which neither it nor the product has."
            clashing = sorted(OF_FACES & each.input.model_fields.keys())
            if clashing:
                yield f"{each.name} takes '{clashing[0]}', which every tool has for itself; call it otherwise."

    def _with_names(self, operation: AnyOperation) -> Iterator[str]:
        if not _NAME.fullmatch(operation.name):
            yield f"the operation '{operation.name}' is not called noun.verb, in small letters."
        elif operation.noun in self._nouns:
            yield f"{operation.name} begins with '{operation.noun}', which is taken; call yours by a noun of its own."
        if not _TOOL.fullmatch(operation.tool):
            yield f"the tool '{operation.tool}' is not called by small letters, digits and underscores."
        elif operation.tool in self._tools:
            yield f"there is a tool called '{operation.tool}' already."
        if not operation.path.startswith("/") or _begin(operation.path).startswith("{"):
            yield f"{operation.name} has the path '{operation.path}', which does not begin with a word of its own."
        elif _begin(operation.path) in self._places:
            yield f"{operation.name} has the path '{operation.path}', and all below /{_begin(operation.path)} is taken."

    def _with_resources(self, kinds: Iterable[Kind], at_hand: dict[str, AnyOperation]) -> Iterator[str]:
        kinds = list(kinds)
        yield from _twice("resource", [kind.path for kind in kinds])
        for kind in kinds:
            if kind.path.split("/")[0] in self._resources | {ID}:
                yield f"the resource '{kind.path}' does not begin with a word of its own."
            for name in sorted(kind.operations):
                if name not in at_hand:
                    yield f"the resource '{kind.path}' stands on '{name}', and there is no such operation."
                elif at_hand[name].writes:
                    yield f"the resource '{kind.path}' stands on '{name}', which writes."

    def _with_prompts(
        self, recipes: Iterable[Recipe], at_hand: dict[str, AnyOperation], paths: set[str]
    ) -> Iterator[str]:
        recipes = list(recipes)
        yield from _twice("prompt", [recipe.name for recipe in recipes])
        for recipe in recipes:
            if recipe.name in self._prompts:
                yield f"there is a prompt called '{recipe.name}' already."
            for name in sorted(recipe.operations - at_hand.keys()):
                yield f"the prompt '{recipe.name}' leads to '{name}', and there is no such operation."
            for shown in recipe.shows:
                if _FIELD.sub(ID, shown) not in paths:
                    yield f"the prompt '{recipe.name}' shows '{shown}', and there is no such resource."


def _twice(what: str, names: list[str]) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"it brings the {what} '{name}' twice."


def _route(operation: AnyOperation) -> str:
    """Its route, without the names of what stands in the path."""
    return f"{operation.method} {_FIELD.sub('{}', operation.path)}"


def _begin(path: str) -> str:
    """The first step of a REST path."""
    return path.removeprefix("/").split("/")[0].split(":")[0]


def _noun(scope: str) -> str:
    return scope.partition(":")[0]
