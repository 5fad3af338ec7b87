"""`chatwright extensions`: what is installed, what it adds, and whether that is as its author means it."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from chatwright.app.extensions.loading import Installed, Source, is_wanted, load, sources
from chatwright.app.extensions.offering import Offering, offering_of
from chatwright.app.extensions.snapshots import renew, snapshots, stale
from chatwright.app.settings import wanted_extensions
from chatwright.extension import Extension
from chatwright.kernel.errors import Conflict, Misconfigured, NotFound
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.mcp.costs import MOST_PER_TOOL, tokens_of
from chatwright.surfaces.mcp.lean import lean_tool

State = Literal["on", "off", "broken"]


@dataclass(frozen=True)
class Standing:
    """An installed extension as a person is told of it."""

    source: Source
    state: State
    problem: str = ""
    extension: Extension | None = None


def survey() -> list[Standing]:
    """Every installed extension, and what is the matter with those that are not in."""
    wanted = wanted_extensions()
    offering, found = Offering(), list[Standing]()
    for source in sources():
        if not is_wanted(source.name, wanted):
            found.append(Standing(source, "off"))
            continue
        try:
            offering = offering_of([*offering.installed, *load([source.name])])
            found.append(Standing(source, "on", extension=offering.installed[-1].extension))
        except Misconfigured as error:
            found.append(Standing(source, "broken", error.message))
    return found


def print_survey(found: Iterable[Standing]) -> None:
    """Print it for a person."""
    console = Console()
    found = list(found)
    if not found:
        console.print("No extensions are installed.")
    for each in found:
        style = {"on": "green", "off": "dim", "broken": "red"}[each.state]
        console.print(Text(str(each.source), style="bold"), Text(each.state, style=style))
        for line in [each.problem] if each.problem else _lines(each.extension):
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def print_as_json(found: Iterable[Standing]) -> None:
    """Print it for a program."""
    value = [_as_json(each) for each in found]
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def check(name: str, folder: Path | None, *, write: bool) -> list[str]:
    """Judge an extension as a start would, and what it shows against snapshots; returns what was seen.

    Raises Misconfigured for one that does not start, NotFound for none, Conflict for snapshots that are stale or
    tools above the budget.
    """
    (installed,) = _named(name)
    offering_of([installed])
    operations = installed.extension.operations
    seen = [f"{len(operations)} operations fit beside the product."]
    faults = [*_undescribed(operations), *_too_large(operations)]
    if folder is not None:
        files = snapshots(operations, folder)
        if write:
            seen += [f"wrote: {path}" for path in renew(files, folder)]
        faults += [f"{path} is stale" for path in stale(files, folder)]
        seen.append(f"{len(files)} snapshots are in {folder}.")
    if faults:
        hint = "Read what changed; with --write the snapshots are written anew."
        raise Conflict(f"The extension {installed.source} has faults: {'; '.join(faults)}.", hint=hint)
    return seen


def _named(name: str) -> list[Installed]:
    if name not in {source.name for source in sources()}:
        names = ", ".join(source.name for source in sources())
        raise NotFound(
            f"No extension called '{name}' is installed.", hint=f"Installed are: {names or 'none'}."
        )
    return list(load([name]))


def _undescribed(operations: Iterable[AnyOperation]) -> Iterator[str]:
    for operation in operations:
        for model in (operation.input, operation.output):
            for field, told in model.model_fields.items():
                if not told.description:
                    yield f"{model.__name__}.{field} has no words for who reads it"


def _too_large(operations: Iterable[AnyOperation]) -> Iterator[str]:
    for operation in operations:
        tokens = tokens_of(lean_tool(operation))
        if tokens > MOST_PER_TOOL:
            yield f"the tool {operation.tool} costs {tokens} tokens in a list, above {MOST_PER_TOOL}"


def _lines(extension: Extension | None) -> Iterator[str]:
    for what, names in _content(extension).items():
        if names:
            yield f"{what}: {', '.join(names)}"


def _as_json(each: Standing) -> dict[str, Any]:
    return {
        "name": each.source.name,
        "package": each.source.package,
        "version": each.source.version,
        "state": each.state,
        "problem": each.problem or None,
        **_content(each.extension),
    }


def _content(extension: Extension | None) -> dict[str, list[str]]:
    if extension is None:
        return {}
    return {
        "operations": [each.name for each in extension.operations],
        "tools": [each.tool for each in extension.operations],
        "resources": [kind.template for kind in extension.resources],
        "prompts": [recipe.name for recipe in extension.prompts],
        "scopes": [scope.name for scope in extension.scopes],
    }
