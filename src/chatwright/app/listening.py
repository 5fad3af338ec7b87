"""The socket of the web part, taken before anything else starts, and the server behind it."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp

from chatwright.kernel.errors import Conflict, Misconfigured

BACKLOG = 2048
GOODBYE_SECONDS = 2
"""How long open requests and event streams may go on after the server was asked to stop."""
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - to tell people an address they can open.


class PortInUse(Conflict):
    code = "PORT_IN_USE"


def listen(host: str, port: int) -> socket.socket:
    """Take the address; raises PortInUse, or Misconfigured when this machine does not have it."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"Something listens on {host}:{port} already, perhaps another Chatwright.",
                hint="Stop it, or choose another port with --port.",
            ) from error
        raise Misconfigured(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error


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


async def serve_http(app: ASGIApp, listener: socket.socket, *, on_ready: Callable[[], None]) -> None:
    """Serve until cancelled; then finish open requests, within reason."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
    server = _Server(config, on_ready)
    serving = asyncio.create_task(server.serve([listener]), name="http")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
