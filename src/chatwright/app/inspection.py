"""`chatwright mcp inspect`: what the tools of MCP cost whoever lists them."""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from mcp.types import Tool
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chatwright.app.extensions.offering import offering_at_hand
from chatwright.catalogue import DEFAULT_TOOLSET
from chatwright.features.workspaces.models import Role
from chatwright.features.workspaces.rules import all_scopes, scopes_of_member
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.ports.calls import Called
from chatwright.surfaces.mcp.calls import Calls
from chatwright.surfaces.mcp.costs import MOST_BY_DEFAULT, MOST_PER_TOOL, bytes_of, tokens_of
from chatwright.surfaces.mcp.selection import EXCLUDE_HEADER, READONLY_HEADER, Selection, read_selection
from chatwright.surfaces.mcp.tools import Tools

_GAP: Final = 2


class _Unanswered(Calls):
    """What tools would be called with: here they are only listed."""

    def __init__(self) -> None:
        """Nothing is needed."""


def _unwatched(caller: Caller, called: Called) -> AbstractAsyncContextManager[None]:
    """Nobody searches here."""
    del caller, called
    return nullcontext()


@dataclass(frozen=True)
class Listing:
    """A list of tools, and what it costs."""

    tools: Sequence[Tool]

    @property
    def bytes(self) -> int:
        """Bytes of all tools."""
        return sum(bytes_of(tool) for tool in self.tools)

    @property
    def too_large(self) -> list[str]:
        """Tools that cost more than one may."""
        return [tool.name for tool in self.tools if tokens_of(tool) > MOST_PER_TOOL]

    @property
    def tokens(self) -> int:
        """Tokens of all tools."""
        return sum(tokens_of(tool) for tool in self.tools)


@dataclass(frozen=True)
class Inspection:
    """What a client is shown, and what each toolset would be."""

    shown: Listing
    toolsets: Mapping[str, Listing]


def inspect(toolsets: str, exclude: str, *, read_only: bool, role: Role | None) -> Inspection:
    """List tools as a server of this environment lists them for a role, or for whoever may do everything.

    Raises UnknownToolset and UnknownTool for names that there are not, and Misconfigured for a broken extension.
    """
    offering = offering_at_hand()
    offering.register()
    headers = {EXCLUDE_HEADER: exclude, READONLY_HEADER: str(read_only)}
    selection = read_selection(f"/mcp/x/{toolsets}" if toolsets else "/mcp", headers)
    tools, caller = Tools(offering.operations, _Unanswered(), _unwatched), _caller(role)
    return Inspection(
        shown=Listing(tools.visible_to(caller, selection)),
        toolsets={
            name: Listing(tools.visible_to(caller, _toolset(name, selection))) for name in offering.toolsets
        },
    )


def print_inspection(inspection: Inspection) -> None:
    """Print it for a person."""
    console = Console()
    console.print(_tool_table(inspection))
    console.print()
    console.print(_toolset_table(inspection))
    budgets = f"the default list may cost {MOST_BY_DEFAULT:,}, one tool {MOST_PER_TOOL}"
    for name in inspection.shown.too_large:
        console.print(Text(f"\n{name} costs more than one tool may: say it in fewer words.", style="yellow"))
    console.print(Text(f"\nA token is four bytes here; {budgets}.", style="dim"))


def print_as_json(inspection: Inspection) -> None:
    """Print it for a program."""
    shown = inspection.shown
    value: dict[str, Any] = {
        "tools": [
            {"name": tool.name, "bytes": bytes_of(tool), "tokens": tokens_of(tool)} for tool in shown.tools
        ],
        "bytes": shown.bytes,
        "tokens": shown.tokens,
        "too_large": shown.too_large,
        "toolsets": {
            name: {"tools": len(listing.tools), "bytes": listing.bytes, "tokens": listing.tokens}
            for name, listing in inspection.toolsets.items()
        },
    }
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def _caller(role: Role | None) -> Caller:
    return Caller(
        workspace_id=UUID(int=0),
        kind=PrincipalKind.MEMBER,
        principal_id="",
        name="",
        scopes=all_scopes() if role is None else scopes_of_member(role, agency=False),
        surface=Surface.MCP,
    )


def _toolset(name: str, selection: Selection) -> Selection:
    """A toolset with the same left out. The default one is what is shown where none is chosen."""
    chosen = frozenset[str]() if name == DEFAULT_TOOLSET else frozenset({name})
    return Selection(chosen, selection.read_only, selection.excluded)


def _tool_table(inspection: Inspection) -> Table:
    table = _table("tool", "does")
    for tool in sorted(inspection.shown.tools, key=tokens_of, reverse=True):
        table.add_row(tool.name, _does(tool), f"{bytes_of(tool):,}", f"{tokens_of(tool):,}")
    shown = inspection.shown
    table.add_section()
    table.add_row(f"{len(shown.tools)} tools", "", f"{shown.bytes:,}", f"{shown.tokens:,}", style="bold")
    return table


def _toolset_table(inspection: Inspection) -> Table:
    table = _table("toolset", "tools")
    for name, listing in inspection.toolsets.items():
        if listing.tools:
            table.add_row(name, str(len(listing.tools)), f"{listing.bytes:,}", f"{listing.tokens:,}")
    return table


def _table(subject: str, about: str) -> Table:
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(subject, no_wrap=True)
    table.add_column(about, no_wrap=True, justify="right" if about == "tools" else "left")
    table.add_column("bytes", justify="right")
    table.add_column("tokens", justify="right")
    return table


def _does(tool: Tool) -> Text:
    hints = tool.annotations
    if hints is None or hints.read_only_hint:
        return Text("reads", style="green")
    told = Text("destroys", style="red") if hints.destructive_hint else Text("writes", style="yellow")
    return told.append(", reaches outside") if hints.open_world_hint else told
