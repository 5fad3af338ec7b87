"""`resources/subscribe` and changed lists, before 2026-07-28: told on the stream of a session.

Only where sessions are kept: without one there is nowhere to push to, and then none of this is offered.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated, ServerEvent
from mcp.types import INVALID_REQUEST, EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from chatwright.features.workspaces.keys import principal_of
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.listening.following import Following
from chatwright.surfaces.mcp.listening.streams import MOST_STREAMS, add_all, check_number
from chatwright.surfaces.mcp.listening.watching import Watch
from chatwright.surfaces.mcp.resources.reading import Resources, reader_of

_SESSION_HEADER = "mcp-session-id"


class PushingServer(Server[dict[str, Any]]):
    """A server that says in its handshake that it tells of changed lists."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """The usual ones, with changed lists of resources."""
        return super().create_initialization_options(
            notification_options or NotificationOptions(resources_changed=True),
            experimental_capabilities,
            extensions,
        )


@dataclass
class _Session:
    """One client that is told."""

    principal: str
    watch: Watch
    heard_at: float = field(default_factory=time.monotonic)
    """When it last sent something."""
    following: "asyncio.Task[None] | None" = None


class Pushing:
    """Tells sessions of changes, as long as they, and the tokens that opened them, last."""

    def __init__(self, following: Following, resources: Resources, idle_seconds: float) -> None:
        self._following = following
        self._resources = resources
        self._idle_seconds = idle_seconds
        self._sessions: dict[str, _Session] = {}

    async def answer_subscribe(self, ctx: Context, params: SubscribeRequestParams) -> EmptyResult:
        """Answer resources/subscribe."""
        session = await self._session_of(ctx)
        check_number(session.watch.size + 1)
        await add_all(ctx, session.watch, [str(params.uri)])
        return EmptyResult()

    async def answer_unsubscribe(self, ctx: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        """Answer resources/unsubscribe."""
        (await self._session_of(ctx)).watch.drop(str(params.uri))
        return EmptyResult()

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Middleware: a session is told of changed lists once it has begun, and lives on with each message."""
        known = self._sessions.get(_session_id(ctx) or "")
        if known is not None:
            known.heard_at = time.monotonic()
        elif ctx.method == "notifications/initialized" and _session_id(ctx) is not None:
            await self._session_of(ctx)
        return await call_next(ctx)

    async def _session_of(self, ctx: Context) -> _Session:
        id_ = _session_id(ctx)
        if id_ is None:
            raise MCPError(INVALID_REQUEST, "There is no session to tell of changes.")
        if id_ not in self._sessions:
            position = await self._following.end()
            if id_ not in self._sessions:
                self._begin(ctx, id_, position)
        return self._sessions[id_]

    def _begin(self, ctx: Context, id_: str, position: str) -> None:
        """Follow for a new session. The principal's oldest ones give way: nobody says here when one has ended."""
        principal = principal_of(caller_of(ctx))
        own = [each for each in self._sessions.values() if each.principal == principal]
        for each in own[: max(0, len(own) + 1 - MOST_STREAMS)]:
            if each.following is not None:
                each.following.cancel()
        session = _Session(principal, Watch(self._resources, reader_of(ctx), lists=True))
        self._sessions[id_] = session
        session.following = asyncio.create_task(self._follow(ctx, id_, session, position))

    async def _follow(self, ctx: Context, id_: str, session: _Session, position: str) -> None:
        async def push(change: ServerEvent) -> None:
            if isinstance(change, ResourceUpdated):
                await ctx.session.send_resource_updated(change.uri)
            else:
                await ctx.session.send_resource_list_changed()

        try:
            await self._following.follow(ctx, session.watch, position, push, lambda: self._alive(session))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return
        finally:
            del self._sessions[id_]

    def _alive(self, session: _Session) -> bool:
        return time.monotonic() - session.heard_at < self._idle_seconds


def _session_id(ctx: Context) -> str | None:
    if ctx.request is None or ctx.protocol_version not in HANDSHAKE_PROTOCOL_VERSIONS:
        return None
    return ctx.request.headers.get(_SESSION_HEADER)
