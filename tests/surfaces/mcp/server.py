"""Serves the MCP face to real clients, in the loop of the tests."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.surfaces.mcp.face import McpFace

VERSION = "9.8.7"
ORIGIN = "https://chat.example.com"


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals stay with pytest."""
        yield


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[str]:
    """Serve on a free port of this machine; gives the base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                await task
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


def mcp_application(product: Product, *, max_body: int = 100_000) -> Starlette:
    """The MCP face alone, as the product mounts it."""
    face = McpFace(
        catalogue=CATALOGUE,
        pipeline=product.pipeline,
        authenticator=product.authenticator,
        events=product.events,
        signals=product.signals,
        version=VERSION,
        public_url=ORIGIN,
        allowed_hosts=["127.0.0.1", "localhost", "chat.example.com"],
        allowed_origins=[ORIGIN, "http://localhost:*"],
        max_body=max_body,
    )
    return Starlette(routes=[Route("/mcp", face.app)], lifespan=lambda _: face.running())
