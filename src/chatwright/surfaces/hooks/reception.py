"""What every call from outside goes through: its inbox is found, its website judged, its errors answered."""

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.errors import ChatwrightError, InvalidInput, Misconfigured, PayloadTooLarge
from chatwright.ports.channel import HookRequest, HostedChannel, Verified
from chatwright.ports.database import Database

BODY_LIMIT = 1024 * 1024
DEEPEST = 100
"""Levels of nesting in an event; far beyond any provider's, and far below what JSON columns take."""
BELIEVED_SECONDS = 0.8
"""How long an inbox is believed to be as it was read, so that a stream of calls does not ask for each."""
MOST_BELIEVED = 10_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One call to an inbox that exists, from a website that may make it."""

    inbox: OpenInbox
    request: HookRequest
    client: str
    """Network address it came from."""

    def verify(self) -> Verified:
        """Have the channel check the call; raises Unauthenticated or Forbidden."""
        return self.inbox.channel.verify(self.inbox.view, self.request)


Handle = Callable[[Call], Awaitable[Response]]


class Reception:
    """Makes endpoints of handlers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._believed: dict[UUID, tuple[OpenInbox, float]] = {}

    def endpoint(self, handle: Handle) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint under a path with `{inbox_id}`, which answers preflight calls of browsers too."""

        async def answer(request: Request) -> Response:
            headers: dict[str, str] = {"cache-control": "no-store"}
            try:
                inbox = await self.find(request.path_params["inbox_id"])
                call = Call(inbox, await _read(request), request.client.host if request.client else "")
                headers |= _cors_headers(call)
                response = Response(status_code=204) if request.method == "OPTIONS" else await handle(call)
            except Misconfigured as error:
                _log.warning("hooks.misconfigured", inbox_id=request.path_params["inbox_id"], exc_info=error)
                # What is wrong with our settings is no business of whoever calls from outside.
                response = _problem(Misconfigured("This inbox does not work at the moment."), request)
            except ChatwrightError as error:
                response = _problem(error, request)
            for name, text in headers.items():
                response.headers.setdefault(name, text)
            return response

        return answer

    async def find(self, inbox_id: str) -> OpenInbox:
        """The inbox of this id, as it was a moment ago at most; raises InboxNotFound."""
        key = _read_id(inbox_id)
        inbox, until = self._believed.get(key, (None, 0.0))
        asked_at = time.monotonic()
        if inbox is not None and asked_at < until:
            return inbox
        self._believed.pop(key, None)
        async with self._database.autocommit():
            inbox = await find_inbox(key)
        if inbox is None:
            raise _not_found()
        if len(self._believed) > MOST_BELIEVED:
            self._believed.clear()
        self._believed[key] = (inbox, asked_at + BELIEVED_SECONDS)
        return inbox


def hosted(call: Call) -> HostedChannel:
    """The channel of an inbox that pages may call; raises InboxNotFound for any other."""
    channel: object = call.inbox.channel
    if not isinstance(channel, HostedChannel):
        raise _not_found()
    return channel


def storable(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON.
    """JSON as PostgreSQL can keep it: without NUL characters; raises InvalidInput when nested absurdly."""
    if depth > DEEPEST:
        message = "The body is nested too deeply."
        raise InvalidInput(message)
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case list():
            return [storable(part, depth + 1) for part in value]  # pyright: ignore[reportUnknownVariableType]
        case Mapping():
            return {storable(k): storable(part, depth + 1) for k, part in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


async def _read(request: Request) -> HookRequest:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise PayloadTooLarge(f"A call may carry {BODY_LIMIT} bytes at most.")
    return HookRequest(request.method, dict(request.headers), dict(request.query_params), bytes(body))


def _cors_headers(call: Call) -> dict[str, str]:
    """What lets a page of another origin read the answer; raises Forbidden when its website may not."""
    channel: object = call.inbox.channel
    if not isinstance(channel, HostedChannel):
        return {}
    headers = {"vary": "Origin"}
    if (origin := channel.allowed_origin(call.inbox.view, call.request)) is not None:
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = "Retry-After"
    if call.request.method == "OPTIONS":
        headers["access-control-allow-methods"] = "GET, POST"
        headers["access-control-allow-headers"] = "Authorization, Content-Type"
        headers["access-control-max-age"] = "600"
    return headers


def _problem(error: ChatwrightError, request: Request) -> Response:
    problem = error.problem(request.scope.get("state", {}).get("request_id"))
    response = JSONResponse(problem.model_dump(mode="json", exclude_none=True), error.http_status)
    if error.retry_after_ms is not None:
        response.headers["retry-after"] = str(math.ceil(error.retry_after_ms / 1000))
    return response


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _not_found() from None


def _not_found() -> InboxNotFound:
    return InboxNotFound("There is no such inbox.")
