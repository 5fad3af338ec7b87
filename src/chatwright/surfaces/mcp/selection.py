"""Which of the tools that a caller may use it wants to see: chosen by URL or header, per request.

    /mcp                        the default tools; all others can be found and called
    /mcp/x/agent,segments       these toolsets and nothing else
    /mcp/x/agent/readonly       of these, what only reads
    /mcp/readonly               of all, what only reads

The headers `X-Chatwright-Toolsets`, `X-Chatwright-Readonly` and `X-Chatwright-Exclude` say the same, for clients
whose URL is fixed. A selection only ever narrows what the token may do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from chatwright.catalogue import DEFAULT_TOOLSET
from chatwright.kernel.caller import Surface
from chatwright.kernel.errors import InvalidInput, NotFound
from chatwright.kernel.names import shown_name
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.operations import known_operations
from chatwright.ports.toolsets import operations_of, toolset_names, unknown_toolsets

TOOLSETS_HEADER: Final = "x-chatwright-toolsets"
READONLY_HEADER: Final = "x-chatwright-readonly"
EXCLUDE_HEADER: Final = "x-chatwright-exclude"
_HEADERS: Final = (TOOLSETS_HEADER, READONLY_HEADER, EXCLUDE_HEADER)
LONGEST: Final = 8_000
"""Characters: room for the names of all tools there are."""

SEARCH_TOOLS: Final = "search_tools"
RUN_READ_TOOL: Final = "run_read_tool"
RUN_WRITE_TOOL: Final = "run_write_tool"
FINDING: Final = frozenset({SEARCH_TOOLS, RUN_READ_TOOL, RUN_WRITE_TOOL})
"""The tools that lead to all others."""

_PATH = re.compile(r"/mcp(?:/x/(?P<toolsets>[^/]+))?(?P<readonly>/readonly)?")
_TRUTH: Final = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


class UnknownToolset(InvalidInput):
    code = "UNKNOWN_TOOLSET"
    http_status = 404


class UnknownTool(InvalidInput):
    code = "UNKNOWN_TOOL"


@dataclass(frozen=True, slots=True)
class Selection:
    """Toolsets by name, and what to leave out."""

    toolsets: frozenset[str] = field(default_factory=frozenset[str])
    """Names of toolsets; empty for the default ones."""
    read_only: bool = False
    """Leaves out every tool that writes."""
    excluded: frozenset[str] = field(default_factory=frozenset[str])
    """Names of tools to leave out."""

    def allows(self, operation: AnyOperation) -> bool:
        """Whether the operation can be called under this selection at all, also by way of `run_read_tool`."""
        return (
            operation.tool not in self.excluded
            and not (self.read_only and operation.writes)
            and (not self.toolsets or operation.name in operations_of(self.toolsets))
        )

    def shows(self, operation: AnyOperation) -> bool:
        """Whether tools/list names the operation: where no toolset was chosen, only the default ones."""
        shown = self.toolsets or (DEFAULT_TOOLSET,)
        return self.allows(operation) and operation.name in operations_of(shown)


DEFAULT = Selection()


def read_selection(path: str, headers: Mapping[str, str]) -> Selection:
    """The selection of a request, from its path beginning with `/mcp` and its headers, named in small letters.

    Toolsets in the URL count more than those in the header, which whoever set the URL may not know of. Raises
    NotFound for a path that is none of ours, UnknownToolset and UnknownTool for names that there are not, and
    InvalidInput for a word that is neither yes nor no, or for more words than there are names.
    """
    toolsets, read_only, excluded = (headers.get(name, "") for name in _HEADERS)
    # Before it is remembered, for strangers get as far as here.
    if len(path) + len(toolsets) + len(read_only) + len(excluded) > LONGEST:
        message = f"The path and headers that choose tools have at most {LONGEST} characters together."
        raise InvalidInput(message)
    return _selected(path, toolsets, read_only, excluded)


@lru_cache(maxsize=1024)
def _selected(path: str, toolsets: str, read_only: str, excluded: str) -> Selection:
    """Remembered, for a client says the same with every request."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise NotFound("MCP is served at /mcp, /mcp/readonly and /mcp/x/{toolsets}[/readonly].")
    return Selection(
        toolsets=_known_toolsets(_listed(found["toolsets"] or toolsets)),
        read_only=found["readonly"] is not None or _is_true(read_only),
        excluded=_known_tools(_listed(excluded)),
    )


def _listed(text: str) -> frozenset[str]:
    return frozenset(name for part in text.split(",") if (name := part.strip().lower()))


def _known_toolsets(names: frozenset[str]) -> frozenset[str]:
    unknown = sorted(unknown_toolsets(names))
    if unknown:
        message = f"There is no toolset called '{shown_name(unknown[0])}'."
        raise UnknownToolset(message, hint=f"The toolsets are: {', '.join(toolset_names())}.")
    return names


def _known_tools(names: frozenset[str]) -> frozenset[str]:
    """Refuse a name that is misspelt, for whoever wrote it believes that the tool is left out."""
    tools = FINDING | {
        operation.tool for operation in known_operations() if Surface.MCP in operation.surfaces
    }
    unknown = sorted(names - tools)
    if unknown:
        near = get_close_matches(unknown[0][:100], sorted(tools), n=3)
        message = f"There is no tool called '{shown_name(unknown[0])}' to leave out."
        raise UnknownTool(message, hint=f"Did you mean {' or '.join(near)}?" if near else None)
    return names


def _is_true(word: str) -> bool:
    known = _TRUTH.get(word.strip().lower())
    if known is None:
        message = f"The header {READONLY_HEADER} says true or false, not '{word[:20]}'."
        raise InvalidInput(message)
    return known
