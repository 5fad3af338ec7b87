"""Routes behind a real HTTP server in the test's own loop, for what in-memory transports cannot: streams."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from chatwright.kernel.errors import ChatwrightError


@asynccontextmanager
async def serving(routes: Sequence[BaseRoute]) -> AsyncGenerator[str]:
    """Serve routes on a free port; gives the server's URL."""
    app = Starlette(routes=list(routes), exception_handlers={ChatwrightError: _problem})
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


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
