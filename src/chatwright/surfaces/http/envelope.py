"""What goes around every request, whatever answers it: its id, security headers, its count."""

import re
import time
from collections.abc import Mapping
from typing import TypeAlias

from opentelemetry.context import Context, attach, detach
from opentelemetry.propagate import extract
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.kernel.ids import new_id
from chatwright.surfaces.http.metrics import Metrics

REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
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
    "x-content-type-options": "nosniff",
}
"""For answers that do not say otherwise themselves."""
PAGE_HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
}
"""Likewise, for all but JSON: they tell a browser about a page that it shows, and each costs as much as a check."""
HTTPS_ONLY = "max-age=31536000"

Headers: TypeAlias = list[tuple[bytes, bytes]]


class Envelope:
    """ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, secure: bool) -> None:
        self._app = app
        self._metrics = metrics
        always = {**SECURITY_HEADERS, **({"strict-transport-security": HTTPS_ONLY} if secure else {})}
        self._always = _encoded(always)
        self._always_of_pages = _encoded({**always, **PAGE_HEADERS})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id", b""))
        scope.setdefault("state", {})["request_id"] = request_id
        stream: str | None = None
        started = time.perf_counter()

        async def send_enveloped(message: Message) -> None:
            nonlocal stream
            if message["type"] == "http.response.start":
                theirs = list(message.get("headers", ()))
                said = {name.lower(): value for name, value in theirs}
                always = self._always_of(said.get(b"content-type", b""))
                ours = ((b"x-request-id", request_id.encode()), *always)
                message["headers"] = theirs + [header for header in ours if header[0] not in said]
                seconds = time.perf_counter() - started
                self._metrics.answered(scope["method"], _route_of(scope), message["status"], seconds)
                if said.get(b"content-type", b"").startswith(b"text/event-stream"):
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

    def _always_of(self, kind: bytes) -> Headers:
        return self._always if kind.startswith(b"application/json") else self._always_of_pages


def _encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.encode(), text.encode()) for name, text in headers.items()]


def _request_id(given: bytes) -> str:
    return given.decode() if REQUEST_ID.fullmatch(given) else new_id().hex


def _trace_in(headers: Mapping[bytes, bytes]) -> Context | None:
    """The trace that the caller is in (W3C), where anybody follows traces here."""
    if b"traceparent" not in headers or isinstance(get_tracer_provider(), ProxyTracerProvider):
        return None
    return extract({name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()})


def _route_of(scope: Scope) -> str:
    """The route's pattern, never the path itself: ids would make a time series each."""
    if (route := scope.get("route")) is not None:
        return route.path
    face = scope["path"].split("/", 2)[1] if scope["path"].startswith("/") else "?"
    return f"/{face}" if face in FACES else "unknown"
