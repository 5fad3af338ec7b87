"""The socket of the web part, taken before anything else starts, and the server behind it."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.app.certificates import Certificate
from chatwright.kernel.errors import Conflict, Misconfigured

BACKLOG = 2048
HINT_SECONDS = 0.3
"""When the server is asked to stop, how long until streams are told to end: answers under way come first."""
GOODBYE_SECONDS = 10
"""... and how long until whatever is still open is cut: what takes longer is undone, and may be asked for again."""
LISTEN = b"subscriptions/listen"
"""The method of MCP whose answer ends only when its client goes."""
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - to tell people an address they can open.


class PortInUse(Conflict):
    code = "PORT_IN_USE"


def listen(host: str, port: int) -> socket.socket:
    """Take the address; raises PortInUse, or Misconfigured when this machine does not have it."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"Something listens on {host}:{port} already, perhaps another Chatwright.",
                hint="Stop it, or choose another port with --port.",
            ) from error
        raise Misconfigured(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
    # Connections take it over. uvloop sets it by itself, asyncio only on sockets that it opened; without it the second
    # part of an answer waits 40 ms for the client's system to acknowledge the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """The URL at which this machine reaches the listener."""
    host, port = listener.getsockname()[:2]
    if host in EVERYWHERE:
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals end the whole process in order, not only this part of it; see `until_signalled`."""
        yield


class _Answer:
    """Passes an answer on, and ends it as HTTP wants it where it was left off."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open = False

    async def send(self, message: Message) -> None:
        begun = message["type"] == "http.response.start"
        self._open = begun or (self._open and message.get("more_body", False))
        await self._send(message)

    async def finish(self) -> None:
        """Say that this was all, unless it has been said."""
        if self._open:
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})


class _Streams:
    """Lets streams end by themselves: once the server is leaving, they hear that their client has gone.

    What only takes long, as a call does, is left to come to its end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._leaving = asyncio.Event()

    def leave_soon(self) -> None:
        asyncio.get_running_loop().call_later(HINT_SECONDS, self._leaving.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _may_last(scope):
            await self._app(scope, receive, send)
            return
        body_is_read = False
        answer = _Answer(send)

        async def receive_while_here() -> Message:
            nonlocal body_is_read
            if body_is_read:
                return await self._disconnect(receive)
            message = await receive()
            body_is_read = not message.get("more_body", False)
            return message

        await self._app(scope, receive_while_here, answer.send)
        if self._leaving.is_set():
            await answer.finish()

    async def _disconnect(self, receive: Receive) -> Message:
        """After the body there is only one thing left to hear, for whoever listens: that the client has gone."""
        gone = asyncio.ensure_future(receive())
        leaving = asyncio.ensure_future(self._leaving.wait())
        try:
            await asyncio.wait({gone, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return gone.result() if gone.done() else {"type": "http.disconnect"}
        finally:
            gone.cancel()
            leaving.cancel()


def _may_last(scope: Scope) -> bool:
    """Whether a request may be answered by a stream that has no end of its own."""
    return scope["method"] == "GET" or (b"mcp-method", LISTEN) in scope["headers"]


@dataclass(frozen=True)
class Manners:
    """How a server is spoken to, and how it leaves."""

    certificate: Certificate | None = None
    """With one it speaks TLS."""
    drain_seconds: float = 0
    """How long it still answers after it was asked to stop, while those who send requests learn of it."""
    leave: Callable[[], None] = lambda: None
    """Is called when it was asked to stop."""


async def serve_http(
    app: ASGIApp, listener: socket.socket, *, on_ready: Callable[[], None], manners: Manners | None = None
) -> None:
    """Serve until cancelled; then finish open requests, within reason. Cancelled again, it stays no longer."""
    manners = manners or Manners()
    streams = _Streams(app)
    config = uvicorn.Config(
        streams,
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom to believe about these is said in our own settings; see `forwarding`.
        proxy_headers=False,
        **_tls(manners.certificate),
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
    server = _Server(config, on_ready)
    async with _renewing(manners.certificate, config):
        serving = asyncio.create_task(server.serve([listener]), name="http")
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            manners.leave()
            try:
                await asyncio.sleep(manners.drain_seconds)
            finally:
                server.should_exit = True
                streams.leave_soon()
                await serving
            raise


def _tls(certificate: Certificate | None) -> dict[str, Any]:
    if certificate is None:
        return {}
    certificate.check()
    return {"ssl_certfile": certificate.chain, "ssl_keyfile": certificate.key}


@asynccontextmanager
async def _renewing(certificate: Certificate | None, config: uvicorn.Config) -> AsyncGenerator[None]:
    if certificate is None:
        yield
        return
    config.load()
    context = config.ssl
    if context is None:
        raise LookupError(certificate.chain)
    async with certificate.renewed_in(context):
        yield
