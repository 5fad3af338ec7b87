"""What a handler knows of the request it answers."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias

from mcp.server.context import ServerRequestContext
from starlette.requests import Request
from starlette.types import Scope

from chatwright.kernel.caller import Caller
from chatwright.surfaces.mcp.selection import Selection

Context: TypeAlias = ServerRequestContext[Any, Request]
_ADMISSION = "chatwright.admission"


class Admission(NamedTuple):
    """Who was let in, and a way to see whether they still would be."""

    caller: Caller
    selection: Selection
    check: Callable[[], Awaitable[Caller]]
    """Who the token stands for by now; raises Unauthenticated once it has ended."""
    message: object = None
    """What was sent, as JSON values; None where it is no JSON."""


def admit(scope: Scope, admission: Admission) -> None:
    """Hand the caller on with the request: handlers run in tasks of the SDK, which context variables miss."""
    scope[_ADMISSION] = admission


def admission_in(scope: Scope) -> Admission:
    """What the door handed on."""
    admission: Admission = scope[_ADMISSION]
    return admission


def caller_of(ctx: Context) -> Caller:
    """Who sent this request."""
    return _admission_of(ctx).caller


def selection_of(ctx: Context) -> Selection:
    """Which tools the URL and headers of this request chose."""
    return _admission_of(ctx).selection


async def check_token(ctx: Context) -> Caller:
    """The caller of a request that is still being answered, with what it may do by now.

    Raises Unauthenticated when its token has ended.
    """
    return await _admission_of(ctx).check()


def _admission_of(ctx: Context) -> Admission:
    if ctx.request is None:
        message = "an MCP request that did not come in by the door"
        raise LookupError(message)
    return admission_in(ctx.request.scope)
