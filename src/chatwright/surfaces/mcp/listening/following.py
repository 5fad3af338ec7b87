"""Following the event log for one client, as long as its token holds.

The log is read from where the client began, woken by signals: so it hears of every change, whichever process
made it, once it is committed, and only of its own workspace and of what it may read.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from mcp.shared.subscriptions import ServerEvent

from chatwright.kernel.errors import Unauthenticated, Unavailable
from chatwright.ports.eventlog import EventLog, events_topic
from chatwright.ports.signals import Signals
from chatwright.surfaces.mcp.context import Context, caller_of, check_token
from chatwright.surfaces.mcp.listening.watching import Watch

LOOK_SECONDS: Final = 15.0
"""How long a lost signal can delay news, and a revoked token keep a silent stream open."""
SOON_SECONDS: Final = 1.0
"""How soon to look again after a signal: an older transaction may hold back what it told of, and no signal says
when that has ended."""

Pass = Callable[[ServerEvent], Awaitable[None]]


class Following:
    """Reads the log for those who watch."""

    def __init__(self, events: EventLog, signals: Signals) -> None:
        self._events = events
        self._signals = signals

    async def end(self) -> str:
        """Where somebody begins who wants only news."""
        return await self._events.end()

    async def follow(
        self, ctx: Context, watch: Watch, position: str, pass_on: Pass, goes_on: Callable[[], bool]
    ) -> None:
        """Pass on what happens after a position, until the token ends or `goes_on` says no."""
        workspace_id = caller_of(ctx).workspace_id
        with self._signals.follow(events_topic(workspace_id)) as follower:
            impatient_until = 0.0
            while True:
                impatient = time.monotonic() < impatient_until
                if await follower.next(SOON_SECONDS if impatient else LOOK_SECONDS):
                    impatient_until = time.monotonic() + LOOK_SECONDS
                if not goes_on():
                    return
                try:
                    watch.limit_to(await check_token(ctx))
                    position = await self._tell(workspace_id, watch, position, pass_on)
                except Unavailable:
                    continue
                except Unauthenticated:
                    return

    async def _tell(self, workspace_id: UUID, watch: Watch, position: str, pass_on: Pass) -> str:
        """Pass on what was committed after a position; returns the new one."""
        while recorded := await self._events.read(position, workspace_id=workspace_id):
            for change in await watch.news(entry.event for entry in recorded):
                await pass_on(change)
            position = recorded[-1].position
        return position
