"""The paths of this surface.

Errors are raised for the server's own handler: it answers them as it does for REST.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from chatwright.features.messaging.courtesies import want_courtesy
from chatwright.features.messaging.operations import get_conversation, list_messages, send_message
from chatwright.features.messaging.typing import Side, Typing, typing_in, typing_signal
from chatwright.features.workspaces.keys import principal_of
from chatwright.features.workspaces.limits import OpenStreams
from chatwright.features.workspaces.pipeline import Pipeline
from chatwright.kernel.caller import Caller
from chatwright.ports.database import Database
from chatwright.ports.eventlog import EventLog
from chatwright.ports.signals import Signals
from chatwright.surfaces.live.stream import MemberStream

BODY_LIMIT = 1000
FOLLOWING = "events.follow"
MOST_STREAMS = 32
"""Streams that one principal may hold open in one process."""

IdentifyRequest = Callable[[Request], Awaitable[Caller]]
"""Who sends a request; raises Unauthenticated or Forbidden."""


class Live:
    """The handlers."""

    def __init__(
        self,
        database: Database,
        pipeline: Pipeline,
        events: EventLog,
        signals: Signals,
        identify: IdentifyRequest,
    ) -> None:
        self._database = database
        self._pipeline = pipeline
        self._events = events
        self._signals = signals
        self._identify = identify
        self._streams = OpenStreams(MOST_STREAMS)

    async def stream(self, request: Request) -> Response:
        """GET /api/v1/events?after=CURSOR: what happened since, and whatever happens; without `after`, from now."""

        async def identify() -> Caller:
            caller = await self._identify(request)
            await self._pipeline.require_beside(caller, list_messages, FOLLOWING)
            return caller

        caller = await self._identify(request)
        await self._pipeline.require_beside(caller, list_messages, FOLLOWING)
        reader = principal_of(caller)
        self._streams.check(reader)
        after = request.headers.get("last-event-id") or request.query_params.get("after")
        if after is None:
            after = await self._events.end()
        else:
            # A cursor that was never ours is refused before the stream begins.
            await self._events.read(after, workspace_id=caller.workspace_id, limit=1)
        stream = MemberStream(self._events, self._signals, identify)
        return StreamingResponse(
            self._streams.counted(reader, stream.frames(caller, after)),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def typing(self, request: Request) -> Response:
        """POST /api/v1/conversations/{conversation_id}/typing {"typing": true}: let the contact see it."""
        caller = await self._identify(request)
        await self._pipeline.require_beside(caller, send_message, "conversations.type")
        shown = (await self._pipeline.run(caller, get_conversation, dict(request.path_params))).value
        typing = typing_in(await _read(request))
        news = Typing(UUID(shown["inbox_id"]), UUID(shown["id"]), Side.US, typing)
        self._signals.announce({typing_signal(caller.workspace_id, news)})
        if typing:
            async with self._database.autocommit():
                await want_courtesy(news.conversation_id, "typing")
        return Response(status_code=204)


def live_routes(
    database: Database, pipeline: Pipeline, events: EventLog, signals: Signals, identify: IdentifyRequest
) -> list[Route]:
    """The routes, to be mounted at the root."""
    live = Live(database, pipeline, events, signals, identify)
    return [
        Route("/api/v1/events", live.stream, methods=["GET"]),
        Route("/api/v1/conversations/{conversation_id}/typing", live.typing, methods=["POST"]),
    ]


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            break
    return bytes(body)
