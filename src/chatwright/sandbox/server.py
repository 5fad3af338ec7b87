"""The sandbox as one web application: each provider below its own path, and the controls at /_sandbox."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from chatwright.kernel.errors import ChatwrightError
from chatwright.sandbox.control import Controls
from chatwright.sandbox.hooks import Hooks
from chatwright.sandbox.provider import Provider
from chatwright.sandbox.world import World

MakeProvider = Callable[[World, Hooks], Provider]


@dataclass(frozen=True)
class Sandbox:
    """A running world with its providers; `app` is the ASGI application."""

    world: World
    hooks: Hooks
    providers: Sequence[Provider]
    app: Starlette


def build_sandbox(
    world: World, makers: Sequence[MakeProvider], *, pages: Sequence[BaseRoute] = ()
) -> Sandbox:
    """Put providers into one application. Must be called, and served, in one event loop."""
    hooks = Hooks(world.clock)
    providers = [make(world, hooks) for make in makers]
    controls = Controls(world, hooks, providers)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await hooks.close()

    app = Starlette(
        routes=[
            Mount("/_sandbox", routes=controls.routes()),
            *(Mount(f"/{provider.prefix}", routes=list(provider.routes())) for provider in providers),
            *pages,
        ],
        exception_handlers={ChatwrightError: _problem},
        lifespan=lifespan,
        middleware=[Middleware(_Addressed, world=world)],
    )
    return Sandbox(world, hooks, providers, app)


class _Addressed:
    """Remembers under which address the sandbox is called."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._world.address = str(Request(scope).base_url).rstrip("/")
        await self._app(scope, receive, send)


async def _problem(_: Request, error: Exception) -> Response:
    if not isinstance(error, ChatwrightError):
        raise error
    return JSONResponse(error.problem().model_dump(mode="json"), error.http_status)


class CutOff(Response):
    """An answer that never arrives whole: the server closes the connection in the middle of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's.
        """Promise a body and send none."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
