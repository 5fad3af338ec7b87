"""The door of `/mcp`: everything about a request that is settled before the protocol begins.

method -> Host and Origin -> selection -> bearer token -> body limit -> scopes -> how to answer (JSON or a
stream). Every answer carries the request's id, under which logs and the audit trail know it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias, cast

import orjson
import structlog
from mcp.server.streamable_http import check_accept_headers
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.types import (
    CLIENT_INFO_META_KEY,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PROTOCOL_VERSION_META_KEY,
)
from mcp_types.jsonrpc import HEADER_MISMATCH
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.features.workspaces.authentication import Authenticator, Presented
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.errors import ChatwrightError, PayloadTooLarge
from chatwright.kernel.ids import new_id
from chatwright.surfaces.mcp.challenges import Challenges, CredentialsMissing
from chatwright.surfaces.mcp.context import Admission, admit
from chatwright.surfaces.mcp.errors import (
    MalformedRequest,
    MethodNotAllowed,
    StepUpNeeded,
    TokenInAddress,
    WrongHost,
    WrongOrigin,
    wire_problem,
)
from chatwright.surfaces.mcp.leaving import while_there
from chatwright.surfaces.mcp.selection import Selection, read_selection
from chatwright.surfaces.mcp.sessions import METHODS, SessionWay, may_have_session

MAX_BODY: Final = 4 * 1024 * 1024
"""Most bytes of one request: a message of 2 MB with its JSON escapes, and far below what hurts."""
REQUEST_ID_HEADER: Final = b"x-request-id"

TOKENS_IN_ADDRESSES: Final = frozenset({"access_token", "token", "api_key", "apikey", "key", "authorization"})
"""Under what names clients put tokens into addresses, where every log on the way keeps them."""

Id: TypeAlias = str | int | None
"""Of a JSON-RPC message."""
Check: TypeAlias = Callable[[Caller, Selection, str, Mapping[str, Any]], Awaitable[None]]
"""Raises StepUpNeeded when a caller's scopes do not cover a message, given as its method and params."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Neighbours:
    """Whom the server answers to, against web pages that reach it through DNS rebinding.

    A host is a name (`chat.example.com`, any port) or a name with its port. An origin is exact
    (`https://chat.example.com`) or ends in `:*` for any port.
    """

    hosts: frozenset[str]
    origins: frozenset[str]

    def check(self, headers: Headers) -> None:
        """Raise WrongHost or WrongOrigin. A request without Origin does not come from a web page."""
        host = headers.get("host", "").lower()
        if not {host, _without_port(host)} & self.hosts:
            raise WrongHost(f"This server does not answer to the host '{host[:100]}'.")
        origin = headers.get("origin")
        if origin is not None and not {origin, f"{_without_port(origin)}:*"} & self.origins:
            raise WrongOrigin(f"Pages of '{origin[:100]}' may not call this server.")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the door needs to know of a message; the protocol's own checks come after it."""

    message: object = None
    """All of it, as JSON values."""
    request_id: Id = None
    method: str = ""
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    version: str | None = None
    """The revision it names in its `_meta`, as messages since 2026-07-28 do."""
    client: str | None = None
    wants_stream: bool = False
    """Whether there may be something to say before the answer: progress, or changes it subscribed to."""


@dataclass(frozen=True)
class Ways:
    """How a message can be answered."""

    json: ASGIApp
    stream: ASGIApp
    session: SessionWay | None = None
    """For the revisions that know sessions; without it they are answered as the others are."""

    def session_for(self, headers: Headers) -> SessionWay | None:
        """The way of a request that belongs to a session or may open one."""
        return self.session if may_have_session(headers) else None


class Door:
    """The ASGI application at `/mcp`."""

    def __init__(
        self,
        ways: Ways,
        authenticator: Authenticator,
        neighbours: Neighbours,
        *,
        challenges: Challenges,
        check: Check,
        max_body: int = MAX_BODY,
    ) -> None:
        self._ways = ways
        self._authenticator = authenticator
        self._neighbours = neighbours
        self._challenges = challenges
        self._check = check
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            message = f"/mcp serves HTTP, not {scope['type']}"
            raise ValueError(message)
        request_id = new_id().hex
        send = _with_request_id(send, request_id)
        # Space around a value is not part of it (RFC 9110, section 5.5); not every HTTP parser cuts it off.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        try:
            await self._serve(scope, receive, send, request_id)
        except ClientDisconnect:
            return
        except ChatwrightError as error:
            await self._refuse(error, scope["path"], request_id)(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        request = Request(scope, receive)
        session = self._ways.session_for(request.headers)
        if request.method not in (METHODS if session else {"POST"}):
            raise MethodNotAllowed("Send JSON-RPC messages by POST; there are no sessions to read or delete.")
        self._neighbours.check(request.headers)
        if not TOKENS_IN_ADDRESSES.isdisjoint(request.query_params):
            raise TokenInAddress
        path = request.scope["path"]
        selection = read_selection(path, request.headers)
        token = _bearer_token(request.headers)
        presented = Presented(
            Surface.MCP, request.headers.get("user-agent", ""), request_id, self._challenges.place.audience
        )
        caller = await self._authenticator.by_token(token, presented)
        body = await _read_body(request, self._max_body)
        envelope = read_envelope(body)
        if envelope.version is not None and MCP_PROTOCOL_VERSION_HEADER not in request.headers:
            await _header_missing(envelope)(scope, receive, send)
            return
        caller = replace(caller, client=envelope.client or caller.client)
        try:
            await self._check(caller, selection, envelope.method, envelope.params)
        except StepUpNeeded as error:
            await self._refuse(error, path, request_id, envelope.request_id)(scope, receive, send)
            return
        admission = Admission(
            caller, selection, lambda: self._authenticator.by_token(token, presented), envelope.message
        )
        admit(scope, admission)
        if session is not None:
            await session(scope, _replaying(body, receive), send, admission)
            return
        if envelope.wants_stream and all(check_accept_headers(request)):
            await self._ways.stream(scope, _replaying(body, receive), send)
        else:
            await while_there(self._ways.json, scope, _replaying(body, receive), receive, send)

    def _refuse(self, error: ChatwrightError, path: str, request_id: str, rpc_id: Id = None) -> Response:
        headers: dict[str, str] = {}
        if challenge := self._challenges.of(error, path):
            headers["WWW-Authenticate"] = challenge
        if isinstance(error, MethodNotAllowed):
            headers["Allow"] = "POST"
        if error.retryable:
            headers["Retry-After"] = str(max(1, (error.retry_after_ms or 0) // 1000))
        _log.info("mcp.refused", code=error.code, request_id=request_id)
        code = INTERNAL_ERROR if error.http_status >= 500 else INVALID_REQUEST
        return _error_response(
            error.http_status,
            {"code": code, "message": error.message, "data": wire_problem(error.problem(request_id))},
            id=rpc_id,
            headers=headers,
        )


def read_envelope(body: bytes) -> Envelope:
    """Look into a message; what is not one is left to the protocol's own checks."""
    try:
        message: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Envelope()
    if not isinstance(message, dict):
        return Envelope(message)
    fields = cast("dict[str, Any]", message)
    params = _mapping(fields.get("params"))
    meta = _mapping(params.get("_meta"))
    version = meta.get(PROTOCOL_VERSION_META_KEY)
    request_id = fields.get("id")
    return Envelope(
        message=fields,
        request_id=request_id if isinstance(request_id, str | int) else None,
        method=method if isinstance(method := fields.get("method"), str) else "",
        params=params,
        version=version if isinstance(version, str) else None,
        client=_client_name(meta.get(CLIENT_INFO_META_KEY) or params.get("clientInfo")),
        wants_stream=method == "subscriptions/listen" or "progressToken" in meta,
    )


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _client_name(info: object) -> str | None:
    fields = _mapping(info)
    name, version = fields.get("name"), fields.get("version")
    if not isinstance(name, str) or not name:
        return None
    return f"{name}/{version}" if isinstance(version, str) and version else name


def _bearer_token(headers: Headers) -> str:
    """The token of the Authorization header, the only place where one is looked for."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise CredentialsMissing
    return token.strip()


def _without_port(authority: str) -> str:
    """`name:8800` or `[::1]:8800` without its port; also of an origin."""
    name, colon, port = authority.rpartition(":")
    return name if colon and port.isdigit() else authority


async def _read_body(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared and not declared.isdigit():
        raise MalformedRequest("Content-Length is not a number.")
    body = bytearray()
    if not declared or int(declared) <= limit:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                break
        else:
            return bytes(body)
    raise PayloadTooLarge(f"A message may have at most {limit} bytes.", hint="Send less in one call.")


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Give the body once more; after it, what comes from the client (that it has gone)."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _with_request_id(send: Send, request_id: str) -> Send:
    async def send_with_id(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (REQUEST_ID_HEADER, request_id.encode())]
        await send(message)

    return send_with_id


def _header_missing(envelope: Envelope) -> Response:
    """The SDK tells the eras apart by the header alone and would take this message for an older one."""
    message = f"{MCP_PROTOCOL_VERSION_HEADER} header is missing, but the message names its revision"
    return _error_response(400, {"code": HEADER_MISMATCH, "message": message}, id=envelope.request_id)


def _error_response(
    status: int,
    error: Mapping[str, Any],
    *,
    id: Id = None,  # noqa: A002 - JSON-RPC's name.
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = orjson.dumps({"jsonrpc": "2.0", "id": id, "error": error})
    return Response(body, status, headers, media_type="application/json")
