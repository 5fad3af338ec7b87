"""Applications behind a real HTTP server in the test's own loop, for what in-memory transports cannot: streams."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from chatwright.kernel.errors import ChatwrightError


class _Server(uvicorn.Server):
    """Leaves when it is told to: uvicorn itself looks ten times a second, which adds up over hundreds of servers."""

    def __init__(self, config: uvicorn.Config, grace: float) -> None:
        super().__init__(config)
        self._grace = grace
        self._told = asyncio.Event()

    def leave(self) -> None:
        self.should_exit = True
        self._told.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals stay with pytest."""
        yield

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        state = self.server_state
        for server in self.servers:
            server.close()
        for connection in list(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self._grace):
                while state.connections or state.tasks:
                    await asyncio.sleep(0.001)
        except TimeoutError:
            for task in state.tasks:
                task.cancel()
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(
    what: ASGIApp | Sequence[BaseRoute], *, port: int = 0, grace: float = 0.1
) -> AsyncGenerator[str]:
    """Serve an application, or routes, on this machine; on a free port unless one is named. Gives the base URL.

    What is still being answered at the end has `grace` seconds for it.
    """
    app = what if callable(what) else _application(what)
    with socket.create_server(("127.0.0.1", port)) as listener:
        # Connections take it over. asyncio sets it only where it opened the socket, and without it an answer in two
        # pieces waits 40 ms for the client's system to acknowledge the first.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"), grace)
        task = asyncio.create_task(server.serve([listener]))
        while not server.started:
            if task.done():
                await task
            await asyncio.sleep(0.001)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.leave()
            await task


def _application(routes: Sequence[BaseRoute]) -> ASGIApp:
    return Starlette(routes=list(routes), exception_handlers={ChatwrightError: _problem})


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ChatwrightError)
    return JSONResponse(error.problem().model_dump(mode="json"), error.http_status)


@dataclass(frozen=True)
class ServerSentEvent:
    """One event of a stream; a comment is in `comment`."""

    event: str | None = None
    data: Any = None
    id: str | None = None
    comment: str | None = None


async def events_in(response: httpx2.Response) -> AsyncIterator[ServerSentEvent]:
    """The events of an open stream, as they come."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, text = line.partition(":")
            fields[name or "comment"] = text.strip()
        elif fields:
            data = json.loads(fields.pop("data")) if "data" in fields else None
            yield ServerSentEvent(data=data, **fields)
            fields = {}
