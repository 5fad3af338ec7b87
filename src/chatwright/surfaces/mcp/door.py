"""The door of `/mcp`: everything about a request that is settled before the protocol begins.

method -> Host and Origin -> selection -> bearer token -> body limit -> scopes -> how to answer (JSON or a
stream). Every answer carries the request's id, under which logs and the audit trail know it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias, cast

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
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.features.workspaces.authentication import Authenticator, Presented
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.errors import ChatwrightError, Internal, PayloadTooLarge
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
LONGEST_CLIENT: Final = 200
"""Characters of a client's name that are kept."""
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

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise WrongHost or WrongOrigin. A request without Origin does not come from a web page."""
        host = headers.get("host", "").lower()
        if not {host, _without_port(host)} & self.hosts:
            raise WrongHost(f"This server does not answer to the host '{host[:100]}'.")
        origin = headers.get("origin")
        if origin is not None and not {origin, f"{_without_port(origin)}:*"} & self.origins:
            raise WrongOrigin(f"Pages of '{origin[:100]}' may not call this server.")


class Envelope(NamedTuple):
    """What the door needs to know of a message; the protocol's own checks come after it."""

    message: object = None
    """All of it, as JSON values."""
    request_id: Id = None
    method: str = ""
    params: Mapping[str, Any] = MappingProxyType({})
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

    def session_for(self, headers: Mapping[str, str]) -> SessionWay | None:
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
        answer = _Answer(scope, send)
        # Space around a value is not part of it (RFC 9110, section 5.5); not every HTTP parser cuts it off.
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        try:
            await self._serve(scope, receive, answer)
        except ClientDisconnect:
            return
        except ChatwrightError as error:
            await self._refuse(error, scope["path"], answer.request_id)(scope, receive, answer)
        except Exception:
            _log.exception("mcp.crashed", request_id=answer.request_id)
            if answer.begun:
                raise
            error = Internal(
                "Something went wrong on our side.", hint="The logs have more under the request id."
            )
            await self._refuse(error, scope["path"], answer.request_id)(scope, receive, answer)

    async def _serve(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        headers = _first_values(scope["headers"])
        session = self._ways.session_for(headers)
        if scope["method"] not in (METHODS if session else {"POST"}):
            raise MethodNotAllowed("Send JSON-RPC messages by POST; there are no sessions to read or delete.")
        self._neighbours.check(headers)
        query = scope.get("query_string", b"")
        if query and not TOKENS_IN_ADDRESSES.isdisjoint(QueryParams(query)):
            raise TokenInAddress
        path = scope["path"]
        selection = read_selection(path, headers)
        token = _bearer_token(headers)
        agent, resource = headers.get("user-agent", ""), self._challenges.place.audience
        presented = Presented(Surface.MCP, agent, answer.request_id, resource)
        caller = await self._authenticator.by_token(token, presented)
        body = await _read_body(headers, receive, self._max_body)
        envelope = read_envelope(body)
        if envelope.version is not None and MCP_PROTOCOL_VERSION_HEADER not in headers:
            await _header_missing(envelope)(scope, receive, answer)
            return
        if envelope.client is not None:
            caller = caller.in_call(Surface.MCP, envelope.client, answer.request_id)
        try:
            await self._check(caller, selection, envelope.method, envelope.params)
        except StepUpNeeded as error:
            await self._refuse(error, path, answer.request_id, envelope.request_id)(scope, receive, answer)
            return
        admission = Admission(
            caller, selection, lambda: self._authenticator.by_token(token, presented), envelope.message
        )
        admit(scope, admission)
        if session is not None:
            await session(scope, _replaying(body, receive), answer, admission)
        elif envelope.wants_stream and all(check_accept_headers(Request(scope))):
            await self._ways.stream(scope, _replaying(body, receive), answer)
        else:
            await while_there(self._ways.json, scope, _replaying(body, receive), receive, answer)

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
    whole = f"{name}/{version}" if isinstance(version, str) and version else name
    return whole[:LONGEST_CLIENT]


def _first_values(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name; of one that comes again, the first. Reading them once is cheaper than asking for each."""
    values: dict[str, str] = {}
    for name, value in headers:
        values.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    return values


def _bearer_token(headers: Mapping[str, str]) -> str:
    """The token of the Authorization header, the only place where one is looked for."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise CredentialsMissing
    return token.strip()


def _without_port(authority: str) -> str:
    """`name:8800` or `[::1]:8800` without its port; also of an origin."""
    name, colon, port = authority.rpartition(":")
    return name if colon and port.isdigit() else authority


async def _read_body(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    """The body; raises ClientDisconnect when the client goes before its end."""
    declared = headers.get("content-length", "")
    if declared and not declared.isdigit():
        raise MalformedRequest("Content-Length is not a number.")
    body = bytearray()
    size = int(declared or 0)
    while size <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        size = max(size, len(body))
        if size <= limit and not message.get("more_body", False):
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


class _Answer:
    """What is sent, under the id that the request has already, or one of its own."""

    def __init__(self, scope: Scope, send: Send) -> None:
        given = scope.get("state", {}).get("request_id")
        self.request_id: str = given or new_id().hex
        self.begun = False
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            message["headers"] = [*message.get("headers", ()), (REQUEST_ID_HEADER, self.request_id.encode())]
        await self._send(message)


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
