"""Long work while the call that started it lasts: how far it is, told until it ends or the call has to.

A client that gave a progress token is told on the stream of its call. Any other one, and this one when its call
ends first, watches the resource that the answer names.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from mcp.types import ResourceLink

from chatwright.features.workspaces.pipeline import Outcome
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.mcp.context import Context
from chatwright.surfaces.mcp.resources.uris import uri_of

STAY_SECONDS = 50.0
"""How long a call stays with its work: clients and proxies give up after a minute, many of them."""
LOOK_SECONDS: Final = 0.5
_OPEN: Final = frozenset({"queued", "running"})

Look = Callable[[Mapping[str, Any]], Awaitable[Outcome]]
"""Asks the operation that shows the work."""


def wants_progress(ctx: Context) -> bool:
    """Whether the client gave a token to be told by."""
    return ctx.meta is not None and ctx.meta.get("progress_token") is not None


async def followed(ctx: Context, shows: AnyOperation, started: Outcome, look: Look) -> Outcome:
    """Stay with the work that a call started; gives what is known of it in the end."""
    (place,) = shows.path_fields
    arguments = {place: started.value["id"]}
    give_up = time.monotonic() + STAY_SECONDS
    latest, told = started, -1
    while True:
        done = _count(latest.value, "rows_done", "rows")
        if done > told:
            told = done
            await ctx.session.report_progress(done, _total(latest.value), _words(latest.value, done))
        if latest.value.get("state") not in _OPEN or time.monotonic() > give_up:
            return latest
        await asyncio.sleep(LOOK_SECONDS)
        latest = await look(arguments)


def link_to(shows: AnyOperation, started: Mapping[str, Any]) -> ResourceLink:
    """The resource to watch."""
    return ResourceLink(
        name=f"{shows.noun}/{started['id']}",
        uri=uri_of(f"{shows.noun}/{{id}}", started["id"]),
        description="Watch this to see how far it is.",
        mime_type="application/json",
    )


def _count(value: Mapping[str, Any], *names: str) -> int:
    return next((value[name] for name in names if isinstance(value.get(name), int)), 0)


def _total(value: Mapping[str, Any]) -> float | None:
    total = value.get("rows_total")
    return float(total) if isinstance(total, int) else None


def _words(value: Mapping[str, Any], done: int) -> str:
    total = value.get("rows_total")
    of = f" of {total}" if isinstance(total, int) else ""
    return f"{str(value.get('state', '')).capitalize()}: {done}{of} rows."
