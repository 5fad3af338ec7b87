"""All that a package of your own needs of Chatwright: it says what it adds in an `Extension`.

    [project.entry-points."chatwright.extensions"]
    orders = "chatwright_orders:EXTENSION"

What is named here changes with notice in the changelog only; what a package imports from elsewhere may change any day.
`docs/howto/extend-chatwright.md` goes through it step by step.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from chatwright.kernel.caller import Caller, PrincipalKind, Surface, Trust
from chatwright.kernel.errors import (
    ChatwrightError,
    Conflict,
    Forbidden,
    InvalidInput,
    Misconfigured,
    NotFound,
    Unavailable,
)
from chatwright.kernel.operation import (
    DETAIL,
    OUTSIDE,
    PRIVATE,
    AnyOperation,
    Effect,
    Input,
    Operation,
    Output,
    RateClass,
    operation,
)
from chatwright.kernel.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from chatwright.kernel.prompts import Argument, Recipe
from chatwright.kernel.resources import Directory, Kind, Part
from chatwright.ports.scopes import OwnScope

__all__ = [
    "DETAIL",
    "OUTSIDE",
    "PRIVATE",
    "AnyOperation",
    "Argument",
    "Caller",
    "ChatwrightError",
    "Conflict",
    "Directory",
    "Effect",
    "Extension",
    "Forbidden",
    "Input",
    "InvalidInput",
    "Kind",
    "Misconfigured",
    "NotFound",
    "Operation",
    "Output",
    "OwnScope",
    "Page",
    "PageRequest",
    "Part",
    "PrincipalKind",
    "RateClass",
    "Recipe",
    "Surface",
    "Trust",
    "Unavailable",
    "decode_cursor",
    "encode_cursor",
    "operation",
    "page_of",
]

Running = Callable[[], AbstractAsyncContextManager[object]]
"""Opens what the operations need for as long as a process runs, and closes it again: a pool of connections."""


@dataclass(frozen=True)
class Extension:
    """What a package adds. Every field may be left out, and there will be more of them: channels, flow steps."""

    operations: tuple[AnyOperation, ...] = ()
    """Each is a tool, a route below `/api/v1` and a command, as those of the product are."""
    scopes: tuple[OwnScope, ...] = ()
    """What its operations need of whoever calls them, beside scopes that the product has."""
    resources: tuple[Kind, ...] = ()
    """What can be read by URI, made of its own reading operations and the product's."""
    prompts: tuple[Recipe, ...] = ()
    """Starting points for people."""
    running: Running | None = None
    """Entered when a process of the product starts, before anything is served, and left when it stops."""
