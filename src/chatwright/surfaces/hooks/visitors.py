"""What a page of a hosted channel asks for beside sending: a session, its messages, news as they come.

GET  /webchat/{inbox_id}                   name, greeting and colour
POST /webchat/{inbox_id}/session           {"token"?} -> {token, visitor_id, inbox, cursor}
POST /webchat/{inbox_id}/typing            {"typing": true}
GET  /webchat/{inbox_id}/messages?after=N  what was said after position N
GET  /webchat/{inbox_id}/stream?after=N    the same and whatever comes, as server-sent events
"""

import ipaddress

from starlette.responses import JSONResponse, Response, StreamingResponse

from chatwright.features.messaging.history import conversation_with, visible_messages
from chatwright.features.messaging.typing import Side, Typing, typing_in, typing_signal
from chatwright.features.workspaces.limits import OpenStreams, RateLimiter
from chatwright.kernel.errors import InvalidInput, Unauthenticated
from chatwright.kernel.operation import RateClass
from chatwright.ports.database import Database
from chatwright.ports.signals import Signals
from chatwright.surfaces.hooks.reception import Call, Reception, hosted
from chatwright.surfaces.hooks.shown import shown
from chatwright.surfaces.hooks.streaming import VisitorStream

SESSION_RATE = RateClass(per_minute=60, burst=120)
"""Sessions begun or renewed from one network address, which an office or a mobile network shares."""
VISITOR_RATE = RateClass(per_minute=240, burst=120)
"""Calls of one visitor for anything here."""
MOST_STREAMS = 8
"""Streams that one visitor may hold open in one process: one for each tab."""
PAGE = 200
"""Messages in one answer."""
LAST_POSITION = 2**63 - 1


class Visitors:
    """The handlers."""

    def __init__(
        self, database: Database, signals: Signals, limiter: RateLimiter, reception: Reception
    ) -> None:
        self._database = database
        self._signals = signals
        self._limiter = limiter
        self._reception = reception
        self._streams = OpenStreams(MOST_STREAMS)

    async def profile(self, call: Call) -> Response:
        """What to show before anything is said."""
        profile = hosted(call).profile(call.inbox.view)
        return JSONResponse(dict(profile), headers={"cache-control": "private, max-age=60"})

    async def session(self, call: Call) -> Response:
        """Begin or renew a session."""
        channel, view = hosted(call), call.inbox.view
        await self._limiter.take(f"visitors:{view.id}:{_network(call.client)}", SESSION_RATE)
        welcome = channel.welcome(view, call.request)
        async with self._database.autocommit():
            conversation = await conversation_with(view.id, welcome.address)
        return JSONResponse(
            {
                "token": welcome.token,
                "visitor_id": welcome.address,
                "inbox": dict(channel.profile(view)),
                "cursor": conversation.last_position if conversation else 0,
            }
        )

    async def typing(self, call: Call) -> Response:
        """Tell our side that the visitor is typing, or no longer is."""
        address = await self._admit(call)
        typing = typing_in(call.request.body)
        view = call.inbox.view
        async with self._database.autocommit():
            conversation = await conversation_with(view.id, address)
        if conversation is not None:
            news = Typing(view.id, conversation.id, Side.CONTACT, typing)
            self._signals.announce({typing_signal(view.workspace_id, news)})
        return Response(status_code=204)

    async def messages(self, call: Call) -> Response:
        """What was said after a position, oldest first, and how far each side has read."""
        address = await self._admit(call)
        after, inbox_id = _after(call), call.inbox.view.id
        async with self._database.autocommit():
            conversation = await conversation_with(inbox_id, address)
            found = await visible_messages(inbox_id, address, after, PAGE + 1)
        return JSONResponse(
            {
                "items": [shown(message, address) for message in found[:PAGE]],
                "more": len(found) > PAGE,
                "read": conversation.contact_read_position if conversation else 0,
                "agent_read": conversation.read_position if conversation else 0,
            }
        )

    async def stream(self, call: Call) -> Response:
        """Everything after a position, then news until the visitor leaves."""
        address = await self._admit(call)
        reader = f"{call.inbox.view.id}:{address}"
        self._streams.check(reader)
        stream = VisitorStream(self._database, self._signals, self._reception, call, address)
        return StreamingResponse(
            self._streams.counted(reader, stream.frames(_after(call))),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    async def _admit(self, call: Call) -> str:
        """The address of the visitor who calls."""
        hosted(call)
        address = call.verify().address
        if address is None:
            message = "This call does not prove who the visitor is."
            raise Unauthenticated(message)
        await self._limiter.take(f"reading:{call.inbox.view.id}:{address}", VISITOR_RATE)
        return address


def _after(call: Call) -> int:
    text = call.request.query.get("after", "0")
    if not (text.isascii() and text.isdigit() and int(text) <= LAST_POSITION):
        message = "`after` is the position of a message: a whole number."
        raise InvalidInput(message)
    return int(text)


def _network(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the first 64 bits of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
