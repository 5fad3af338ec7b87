"""`subscriptions/listen`, since 2026-07-28: a stream of changes as the answer to one request."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Final

from mcp.server.subscriptions import ListenHandler, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, SubscriptionsListenRequestParams, SubscriptionsListenResult

from chatwright.features.workspaces.keys import principal_of
from chatwright.kernel.errors import ChatwrightError
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.errors import protocol_error
from chatwright.surfaces.mcp.listening.following import Following
from chatwright.surfaces.mcp.listening.watching import Watch
from chatwright.surfaces.mcp.resources.reading import Resources, reader_of

MOST_STREAMS: Final = 32
"""Streams that one principal may hold open in one process."""
MOST_WATCHED: Final = 200
"""Resources that one stream or session may watch."""


class Listening:
    """Answers subscriptions/listen."""

    def __init__(self, following: Following, resources: Resources) -> None:
        self._following = following
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
        # What changes from here on is told, also while the watch is being made.
        position = await self._following.end()
        watch = await self._watch(ctx, params)
        follower = asyncio.create_task(
            self._following.follow(ctx, watch, position, news.publish, lambda: True)
        )
        # However following ends, a stream that would stay silent for ever must end too.
        follower.add_done_callback(lambda _: handler.close())
        try:
            return await handler(ctx, params)
        finally:
            follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await follower

    async def _watch(self, ctx: Context, params: SubscriptionsListenRequestParams) -> Watch:
        wanted = params.notifications
        uris = wanted.resource_subscriptions or []
        check_number(len(uris))
        watch = Watch(self._resources, reader_of(ctx), lists=bool(wanted.resources_list_changed))
        await add_all(ctx, watch, uris)
        return watch


def check_number(watched: int) -> None:
    """Refuse to watch more than one client needs."""
    if watched > MOST_WATCHED:
        raise MCPError(INTERNAL_ERROR, f"At most {MOST_WATCHED} resources may be watched at once.")


async def add_all(ctx: Context, watch: Watch, uris: list[str]) -> None:
    """Watch these too; a failure of ours is an error of the protocol."""
    try:
        for uri in uris:
            await watch.add(str(uri))
    except ChatwrightError as error:
        raise protocol_error(
            error, request_id=caller_of(ctx).request_id, protocol_version=ctx.protocol_version
        ) from error


class _News:
    """The SDK's bus, for one stream; the SDK filters by what the client asked for."""

    def __init__(self) -> None:
        self._listener: Callable[[ServerEvent], None] | None = None

    async def publish(self, event: ServerEvent) -> None:
        """Hand a change to the stream, once it has begun."""
        if self._listener is not None:
            self._listener(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        self._listener = listener

        def unsubscribe() -> None:
            self._listener = None

        return unsubscribe
