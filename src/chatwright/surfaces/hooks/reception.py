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

from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox, inbox_of_account
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.errors import (
    ChatwrightError,
    InvalidInput,
    Misconfigured,
    PayloadTooLarge,
    Unauthenticated,
)
from chatwright.ports.channel import HookRequest, HostedChannel, Verified
from chatwright.ports.database import Database

BODY_LIMIT = 1024 * 1024
PROVIDER_LIMIT = 4 * 1024 * 1024
"""Bytes of a provider's call. WhatsApp's have 3 MB at most, and what is refused comes again for days."""
DEEPEST = 100
"""Levels of nesting in an event; far beyond any provider's, and far below what JSON columns take."""
BELIEVED_SECONDS = 0.8
"""How long an inbox is believed to be as it was read, so that a stream of calls does not ask for each."""
MOST_BELIEVED = 10_000
Key = UUID | tuple[str, str]
"""What an inbox is looked up by: its id, or its channel and account."""

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
        return verified(self.inbox, self.request)


Handle = Callable[[Call], Awaitable[Response]]
HandleMissing = Callable[[UUID, HookRequest], Response]


class Reception:
    """Makes endpoints of handlers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._believed: dict[Key, tuple[OpenInbox | None, float]] = {}

    def endpoint(
        self, handle: Handle, missing: HandleMissing | None = None
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint under a path with `{inbox_id}`, which answers preflight calls of browsers too.

        `missing` answers calls to an inbox that is not there, or not yet; else that is an error.
        """

        async def answer(request: Request) -> Response:
            headers: dict[str, str] = {"cache-control": "no-store"}
            try:
                inbox_id = _read_id(request.path_params["inbox_id"])
                inbox = await self._look_up(inbox_id)
                if inbox is None and missing is not None:
                    return missing(inbox_id, await _read(request, BODY_LIMIT))
                if inbox is None:
                    raise _not_found()
                request_read = await _read(request, _limit_of(inbox))
                call = Call(inbox, request_read, request.client.host if request.client else "")
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

    async def find(self, inbox_id: UUID) -> OpenInbox:
        """The inbox of this id, as it was a moment ago at most; raises InboxNotFound."""
        inbox = await self._look_up(inbox_id)
        if inbox is None:
            raise _not_found()
        return inbox

    async def find_account(self, channel: str, account: str) -> OpenInbox | None:
        """The inbox that is connected to a provider account, as it was a moment ago at most; None for none.

        One whose settings are broken is none either: nobody can say whether a call is for it.
        """
        try:
            return await self._look_up((channel, account))
        except Misconfigured as error:
            _log.warning("hooks.misconfigured", channel=channel, exc_info=error)
            return None

    async def _look_up(self, key: Key) -> OpenInbox | None:
        inbox, until = self._believed.get(key, (None, 0.0))
        asked_at = time.monotonic()
        if asked_at < until:
            return inbox
        async with self._database.autocommit():
            inbox = await (find_inbox(key) if isinstance(key, UUID) else inbox_of_account(*key))
        if len(self._believed) > MOST_BELIEVED:
            self._believed.clear()
        # That there is none by an id is not believed: anybody could fill the memory with guesses, and one that is
        # connected is there at once.
        if inbox is not None or not isinstance(key, UUID):
            self._believed[key] = (inbox, asked_at + BELIEVED_SECONDS)
        else:
            self._believed.pop(key, None)
        return inbox


def verified(inbox: OpenInbox, request: HookRequest) -> Verified:
    """Have the inbox's channel check a call; raises Unauthenticated or Forbidden, and nothing else."""
    try:
        return inbox.channel.verify(inbox.view, request)
    except ChatwrightError:
        raise
    except Exception as error:
        _log.warning("hooks.not_verified", channel=inbox.channel.name, exc_info=error)
        message = "The call could not be verified."
        raise Unauthenticated(message) from error


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


def _limit_of(inbox: OpenInbox) -> int:
    channel: object = inbox.channel
    return BODY_LIMIT if isinstance(channel, HostedChannel) else PROVIDER_LIMIT


async def _read(request: Request, limit: int) -> HookRequest:
    too_large = PayloadTooLarge(f"A call may carry {limit} bytes at most.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
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
