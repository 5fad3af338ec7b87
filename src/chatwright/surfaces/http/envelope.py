"""What goes around every request, whatever answers it: its id, security headers, its count."""

import re
import time

from opentelemetry.context import Context, attach, detach
from opentelemetry.propagate import extract
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.kernel.ids import new_id
from chatwright.surfaces.http.metrics import Metrics

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
"""What a caller may choose as the id of its request; anything else is replaced by one of ours."""
FACES = frozenset(
    {
        "",
        "api",
        "mcp",
        "hooks",
        "files",
        "webchat",
        "assets",
        "widget.js",
        "demo",
        "join",
        "oauth",
        ".well-known",
        "healthz",
        "readyz",
        "metrics",
    }
)
"""First parts of paths that are counted by name; others could be anything that anybody asks for."""

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""For answers that do not say otherwise themselves."""
HTTPS_ONLY = "max-age=31536000"


class Envelope:
    """ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, secure: bool) -> None:
        self._app = app
        self._metrics = metrics
        always = {**SECURITY_HEADERS, **({"strict-transport-security": HTTPS_ONLY} if secure else {})}
        self._always = [(name.encode(), text.encode()) for name, text in always.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        stream: str | None = None
        started = time.perf_counter()

        async def send_enveloped(message: Message) -> None:
            nonlocal stream
            if message["type"] == "http.response.start":
                ours = [(b"x-request-id", request_id.encode()), *self._always]
                theirs = list(message.get("headers", ()))
                said = {name.lower() for name, _ in theirs}
                message["headers"] = theirs + [header for header in ours if header[0] not in said]
                seconds = time.perf_counter() - started
                self._metrics.answered(scope["method"], _route_of(scope), message["status"], seconds)
                if _is_stream(theirs):
                    stream = _route_of(scope)
                    self._metrics.streaming(stream, 1)
            await send(message)

        trace = _trace_in(headers)
        before = None if trace is None else attach(trace)
        try:
            await self._app(scope, receive, send_enveloped)
        finally:
            if before is not None:
                detach(before)
            if stream is not None:
                self._metrics.streaming(stream, -1)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else new_id().hex


def _trace_in(headers: Headers) -> Context | None:
    """The trace that the caller is in (W3C), where anybody follows traces here."""
    if "traceparent" not in headers or isinstance(get_tracer_provider(), ProxyTracerProvider):
        return None
    return extract(headers)


def _is_stream(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-type" and kind.startswith(b"text/event-stream") for name, kind in headers)


def _route_of(scope: Scope) -> str:
    """The route's pattern, never the path itself: ids would make a time series each."""
    if (route := scope.get("route")) is not None:
        return route.path
    face = scope["path"].split("/", 2)[1] if scope["path"].startswith("/") else "?"
    return f"/{face}" if face in FACES else "unknown"
