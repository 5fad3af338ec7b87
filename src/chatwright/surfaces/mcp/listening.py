"""`subscriptions/listen`: a client hears when a conversation or contact it watches has changed.

The event log is read from where the stream began, woken by signals: so a client hears of every change,
whichever process made it, once it is committed, and only of its own workspace and inboxes. A stream ends
when its token does.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from mcp.server.subscriptions import ListenHandler, ResourcesListChanged, ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, SubscriptionsListenRequestParams, SubscriptionsListenResult

from chatwright.features.workspaces.keys import principal_of
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import Unauthenticated, Unavailable
from chatwright.kernel.events import Event
from chatwright.ports.eventlog import EventLog
from chatwright.ports.signals import Signals
from chatwright.surfaces.mcp.context import Context, caller_of, check_token
from chatwright.surfaces.mcp.resources import SCHEME, Resources

LOOK_SECONDS: Final = 15.0
"""How long a lost signal can delay news, and a revoked token keep a silent stream open."""
SOON_SECONDS: Final = 1.0
"""How soon to look again after a signal: an older transaction may hold back what it told of, and no signal says
when that has ended."""
MOST_STREAMS: Final = 32
"""Streams that one principal may hold open in one process."""
_NEW_RESOURCES: Final = frozenset({"conversation.created", "contact.created"})


class Listening:
    """Answers subscriptions/listen."""

    def __init__(self, events: EventLog, signals: Signals, resources: Resources) -> None:
        self._events = events
        self._signals = signals
        self._resources = resources
        self._streams: Counter[str] = Counter()

    async def answer(
        self, ctx: Context, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Tell of changes until the client leaves or its token ends."""
        principal = principal_of(caller_of(ctx))
        if self._streams[principal] >= MOST_STREAMS:
            raise MCPError(INTERNAL_ERROR, f"At most {MOST_STREAMS} streams may be open at once.")
        self._streams[principal] += 1
        try:
            return await self._listen(ctx, params)
        finally:
            self._streams -= Counter([principal])

    async def _listen(
        self, ctx: Context, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        news = _News()
        handler = ListenHandler(news)
        position = await self._events.end()
        follower = asyncio.create_task(self._follow(ctx, position, news))
        # However following ends, a stream that would stay silent for ever must end too.
        follower.add_done_callback(lambda _: handler.close())
        try:
            return await handler(ctx, params)
        finally:
            follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await follower

    async def _follow(self, ctx: Context, position: str, news: "_News") -> None:
        """Pass on what happens until the token ends."""
        caller = caller_of(ctx)
        with self._signals.follow(f"events:{caller.workspace_id}") as follower:
            impatient_until = 0.0
            while True:
                impatient = time.monotonic() < impatient_until
                if await follower.next(SOON_SECONDS if impatient else LOOK_SECONDS):
                    impatient_until = time.monotonic() + LOOK_SECONDS
                try:
                    await check_token(ctx)
                    position = await self._tell(caller, position, news)
                except Unavailable:
                    continue
                except Unauthenticated:
                    return

    async def _tell(self, caller: Caller, position: str, news: "_News") -> str:
        """Pass on what was committed after a position; returns the new one."""
        while recorded := await self._events.read(position, workspace_id=caller.workspace_id):
            for entry in recorded:
                for change in self._changes(caller, entry.event):
                    news.pass_on(change)
            position = recorded[-1].position
        return position

    def _changes(self, caller: Caller, event: Event) -> list[ServerEvent]:
        """What an event means to those who read resources."""
        if not _may_hear(caller, event):
            return []
        changes: list[ServerEvent] = [
            ResourceUpdated(uri)
            for noun, uri in _resources_of(event)
            if self._resources.readable(noun, caller)
        ]
        if changes and event.kind in _NEW_RESOURCES:
            changes.append(ResourcesListChanged())
        return changes


def _may_hear(caller: Caller, event: Event) -> bool:
    """A caller limited to inboxes hears what happened there, and of what all of them share."""
    if event.inbox_id is not None:
        return caller.sees_inbox(event.inbox_id)
    return caller.inbox_ids is None or event.kind.partition(".")[0] == "workspace"


def _resources_of(event: Event) -> list[tuple[str, str]]:
    """The kinds and URIs of what an event changed."""
    changed: list[tuple[str, str]] = []
    if event.conversation_id is not None:
        changed.append(("conversations", f"{SCHEME}conversations/{event.conversation_id}"))
    match event.kind.partition(".")[0]:
        case "contact":
            changed.append(("contacts", f"{SCHEME}contacts/{event.subject_id}"))
        case "workspace":
            changed.append(("workspace", f"{SCHEME}workspace"))
        case _:
            pass
    return changed


class _News:
    """The SDK's bus, for one stream; the SDK filters by what the client asked for."""

    def __init__(self) -> None:
        self._listener: Callable[[ServerEvent], None] | None = None

    async def publish(self, event: ServerEvent) -> None:
        self.pass_on(event)

    def pass_on(self, event: ServerEvent) -> None:
        """Hand a change to the stream, once it has begun."""
        if self._listener is not None:
            self._listener(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        self._listener = listener

        def unsubscribe() -> None:
            self._listener = None

        return unsubscribe
