"""The short way of the messages that come most: calls and lists of tools.

Half of what a call costs in the SDK's server goes into judging its message. A message that is regular to the last
detail, with every header once and agreeing with the body and nothing in it but what every client sends, needs no
judging and is answered here, in the same words as there. Whatever is odd about a message, the SDK alone answers it.
"""

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

import anyio
import orjson
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.runner import modern_error_data
from mcp.server.session import ServerSession
from mcp.server.streamable_http import check_accept_headers
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS
from mcp.shared.transport_context import TransportContext
from mcp.types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    PROTOCOL_VERSION_META_KEY,
    CallToolResult,
    ErrorData,
    InputRequiredResult,
    TextContent,
)
from mcp_types import SERVER_INFO_META_KEY
from mcp_types.methods import validate_client_request
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from pydantic import ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.surfaces.mcp.context import Admission, Context, admission_in
from chatwright.surfaces.mcp.selection import Selection
from chatwright.surfaces.mcp.tools import Tools

MODERN: Final = b"2026-07-28"
OLDER: Final = frozenset({b"2025-06-18", b"2025-11-25"})
"""Revisions whose messages carry nothing about their client, and whose results are written alike."""

_MOST_REMEMBERED: Final = 256
_LONGEST_META: Final = 2000
_MESSAGE_FIELDS: Final = frozenset({"jsonrpc", "id", "method", "params"})
_USUAL_META: Final = frozenset(
    {PROTOCOL_VERSION_META_KEY, CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY}
)
_FIELDS: Final = {"tools/call": frozenset({"name", "arguments", "_meta"}), "tools/list": frozenset({"_meta"})}
"""What the params of a message hold."""
_MIRRORS: Final = frozenset({b"mcp-method", b"mcp-name"})
_ONCE: Final = _MIRRORS | {b"mcp-protocol-version", b"mcp-session-id", b"accept", b"content-type"}
_MIRRORED: Final = b"mcp-param-"
"""How the headers begin that mirror arguments. None of our tools asks for one."""


class Regular(NamedTuple):
    """A message that is in order."""

    version: bytes
    id: str | int
    method: str
    meta: dict[str, Any] | None
    """None before 2026-07-28."""
    name: str
    arguments: dict[str, Any]


class Shortcut:
    """Stands before the SDK's way of answering in JSON, as an ASGI application of its own."""

    def __init__(self, way: ASGIApp, server: "Server[dict[str, Any]]", tools: Tools) -> None:
        self._way = way
        self._tools = tools
        self._stamp = {SERVER_INFO_META_KEY: dict(server.server_info_stamp)}
        self._session = ServerSession(_Closed(), Connection.from_envelope(MODERN.decode(), None, {}))
        self._traced = _is_traced()
        self._metas: OrderedDict[bytes, None] = OrderedDict()
        self._lists: OrderedDict[_Shown, bytes] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = admission_in(scope)
        regular = None if self._traced else self._regular(scope, admission.message)
        if regular is None:
            await self._way(scope, receive, send)
        elif regular.method == "tools/list":
            await self._list(regular, admission, scope, receive, send)
        elif not await self._call(regular, scope, send):
            await self._way(scope, receive, send)

    def _regular(self, scope: Scope, message: object) -> Regular | None:
        if not isinstance(message, dict):
            return None
        read = _read(scope["headers"], cast("dict[str, Any]", message))
        return read if read is not None and (read.meta is None or self._usual(read.meta)) else None

    def _usual(self, meta: Mapping[str, Any]) -> bool:
        """Whether the SDK would take this `_meta`, remembered: a client sends the same with every message."""
        if not meta.keys() <= _USUAL_META:
            return False
        key = orjson.dumps(meta)
        if len(key) > _LONGEST_META:
            return False
        if key in self._metas:
            return True
        try:
            validate_client_request("tools/list", MODERN.decode(), {"_meta": meta})
        except ValidationError:
            return False
        _remember(self._metas, key, None)
        return True

    async def _list(
        self, regular: Regular, admission: Admission, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer from memory; what the SDK answers the first time is what is remembered."""
        caller = admission.caller
        key = (regular.version, caller.scopes, caller.operations, admission.selection)
        if (result := self._lists.get(key)) is not None:
            self._lists.move_to_end(key)
            await _answer(send, 200, _body(regular.id, b"result", result))
            return
        heard = _Heard(send)
        await self._way(scope, receive, heard)
        if heard.status == 200:
            _remember(self._lists, key, orjson.dumps(orjson.loads(heard.body)["result"]))

    async def _call(self, regular: Regular, scope: Scope, send: Send) -> bool:
        """Answer a call; False, and nothing done, where the SDK has to have a part in it."""
        if not self._tools.answers_at_once(regular.name):
            return False
        try:
            context = self._context(regular, scope)
            result = await self._tools.call(context, regular.name, regular.arguments or {})
        except Exception as error:  # noqa: BLE001 - the SDK's own table says what of it is shown.
            problem = modern_error_data(error)
            status = 200 if regular.meta is None else ERROR_CODE_HTTP_STATUS.get(problem.code, 200)
            await _answer(send, status, _body(regular.id, b"error", _problem(problem)))
            return True
        if isinstance(result, InputRequiredResult):
            return False
        await _answer(send, 200, _body(regular.id, b"result", self._wire(regular, result)))
        return True

    def _context(self, regular: Regular, scope: Scope) -> Context:
        return ServerRequestContext(
            session=self._session,
            lifespan_context={},
            protocol_version=regular.version.decode(),
            method=regular.method,
            request_id=regular.id,
            request=Request(scope),
        )

    def _wire(self, regular: Regular, result: CallToolResult) -> bytes:
        if not all(type(part) is TextContent and part.annotations is None for part in result.content):
            message = "a tool that answers at once, with something else than text"
            raise TypeError(message)
        wire: dict[str, Any] = {
            "content": [{"text": cast("TextContent", part).text, "type": "text"} for part in result.content],
            "isError": result.is_error,
        }
        if result.structured_content is not None:
            wire["structuredContent"] = result.structured_content
        if regular.meta is not None:
            wire |= {"resultType": "complete", "_meta": {**(result.meta or {}), **self._stamp}}
        elif result.meta is not None:
            wire["_meta"] = result.meta
        return orjson.dumps(wire)


_Shown = tuple[bytes, frozenset[str], frozenset[str] | None, Selection]
"""What a list depends on."""


def _read(headers: list[tuple[bytes, bytes]], message: Mapping[str, Any]) -> Regular | None:
    """The message, if it is in order and its headers say the same."""
    told = _told(headers)
    params = message.get("params", {})
    if told is None or not message.keys() <= _MESSAGE_FIELDS or not isinstance(params, dict):
        return None
    fields = cast("dict[str, Any]", params)
    id_, method = message.get("id"), message.get("method")
    if type(id_) not in {str, int} or message.get("jsonrpc") != "2.0" or method not in _FIELDS:
        return None
    name, arguments, meta = fields.get("name", ""), fields.get("arguments", {}), fields.get("_meta")
    if not (fields.keys() <= _FIELDS[method] and isinstance(name, str) and isinstance(arguments, dict)):
        return None
    read = Regular(
        told.get(b"mcp-protocol-version", b""),
        cast("str | int", id_),
        method,
        meta,
        name,
        cast("Any", arguments),
    )
    in_order = _is_modern(read, told) if read.version == MODERN else _is_older(read, fields, told)
    return read if in_order else None


def _is_modern(read: Regular, told: Mapping[bytes, bytes]) -> bool:
    return (
        isinstance(read.meta, dict)
        and read.meta.get(PROTOCOL_VERSION_META_KEY) == MODERN.decode()
        and told.get(b"mcp-method") == read.method.encode()
        and read.name.isascii()
        and told.get(b"mcp-name", b"") == read.name.encode()
    )


def _is_older(read: Regular, fields: Mapping[str, Any], told: Mapping[bytes, bytes]) -> bool:
    unmarked = _MIRRORS.isdisjoint(told) and b"mcp-session-id" not in told
    return read.version in OLDER and unmarked and "_meta" not in fields


def _told(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """The headers that matter; None where one comes twice or mirrors an argument, or where JSON is not spoken."""
    told: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _ONCE:
            if name in told:
                return None
            told[name] = value
        elif name.startswith(_MIRRORED):
            return None
    kind = told.get(b"content-type", b"").lower()
    return told if kind.startswith(b"application/json") and _accepts_json(told.get(b"accept", b"")) else None


@lru_cache(maxsize=64)
def _accepts_json(accept: bytes) -> bool:
    """As the SDK judges it."""
    has_json, _ = check_accept_headers(Request({"type": "http", "headers": [(b"accept", accept)]}))
    return has_json


def _is_traced() -> bool:
    """Spans are made by the SDK, around its own handling of a message, for who wants traces when the server starts."""
    return not isinstance(get_tracer_provider(), ProxyTracerProvider)


def _problem(problem: ErrorData) -> bytes:
    return orjson.dumps(problem.model_dump(mode="json", by_alias=True, exclude_none=True))


def _body(id_: str | int, field: bytes, value: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"%b":%b}' % (orjson.dumps(id_), field, value)


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _remember(memory: "OrderedDict[Any, Any]", key: object, value: object) -> None:
    memory[key] = value
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)


class _Heard:
    """Passes an answer on and keeps it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message.get("body", b"")
        await self._send(message)


class _Closed:
    """The channel back to a client that has none: the tools that answer at once say nothing on the way."""

    transport = TransportContext(kind="streamable-http", can_send_request=False)
    request_id = None
    message_metadata = None
    progress_token = None
    can_send_request = False

    def __init__(self) -> None:
        self.cancel_requested = anyio.Event()

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        del params, opts
        raise NoBackChannelError(method)

    async def notify(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> None:
        del method, params, opts

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        del progress, total, message
