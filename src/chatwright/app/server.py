"""Everything this server answers, as one ASGI application."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chatwright.app.forwarding import Forwarding, read_networks
from chatwright.app.slowness import Impatience
from chatwright.app.wiring import Product
from chatwright.features.messaging.inboxes.models import ListInboxes
from chatwright.features.messaging.inboxes.operations import list_inboxes
from chatwright.features.workspaces.founding import first_workspace
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.paging import MAX_LIMIT
from chatwright.surfaces.hooks.routes import file_routes, hook_routes
from chatwright.surfaces.http.envelope import Envelope
from chatwright.surfaces.http.face import http_face
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.metrics import Metrics
from chatwright.surfaces.http.parts import STATIC, Parts
from chatwright.surfaces.http.probes import Probes
from chatwright.surfaces.live.routes import live_routes
from chatwright.surfaces.mcp.challenges import WELL_KNOWN, Place
from chatwright.surfaces.mcp.face import PATHS, McpFace, Registry
from chatwright.surfaces.mcp.product import product_registry
from chatwright.surfaces.mcp.sessions import Sessions

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


def build_app(product: Product, *, static: Path = STATIC, mcp: McpFace | None = None) -> ASGIApp:
    """All faces behind one address. What they keep running lives in the application's lifespan.

    `mcp` stands in for the MCP face that shows the catalogue.
    """
    metrics = Metrics(product.numbers.text)
    mcp = mcp or _catalogue_face(product)

    def lifespan(app: FastAPI) -> "AbstractAsyncContextManager[None]":
        del app
        return mcp.running()

    beside = [*_mcp_routes(mcp), *_live_routes(product), *_hook_routes(product)]
    app = http_face(_parts(product, metrics, static), beside=beside, lifespan=lifespan)
    secure = product.settings.public_url.startswith("https://")
    enveloped = Envelope(_straight_to(mcp, app), metrics=metrics, secure=secure)
    return Forwarding(enveloped, read_networks(product.settings.trusted_proxies))


def _parts(product: Product, metrics: Metrics, static: Path) -> Parts:
    async def demo_inbox() -> UUID | None:
        return await _first_webchat(product)

    return Parts(
        database=product.database,
        pipeline=product.pipeline,
        authenticator=product.authenticator,
        sessions=product.sessions,
        oauth=product.oauth,
        outside_issuer=product.settings.oauth_issuer,
        limiter=product.limiter,
        storage=product.storage,
        public_url=product.settings.public_url,
        version=version("chatwright"),
        demo_inbox=demo_inbox,
        operations=product.offering.operations,
        probes=probes_of(product, metrics.text),
        static=static,
    )


def probes_of(product: Product, numbers: Callable[[], Awaitable[bytes]]) -> Probes:
    """What machines may ask about this process."""
    return Probes(
        database=product.database,
        version=version("chatwright"),
        numbers=numbers,
        lacks=product.duty.lacks,
        metrics_token=product.settings.metrics_token,
    )


def _catalogue_face(product: Product) -> McpFace:
    sessions = Sessions() if product.settings.mcp_sessions else None
    offering = product.offering
    registry = product_registry(
        offering.operations,
        product.pipeline,
        product.events,
        product.signals,
        version("chatwright"),
        kinds=offering.kinds,
        recipes=offering.recipes,
        sessions=sessions,
    )
    return mcp_face(product, registry, sessions=sessions)


def mcp_face(product: Product, registry: Registry, *, sessions: Sessions | None = None) -> McpFace:
    """An MCP registry behind the product's door."""
    url = urlsplit(product.settings.public_url)
    return McpFace(
        registry=registry,
        authenticator=product.authenticator,
        place=Place(
            product.settings.public_url, product.settings.oauth_issuer or product.settings.public_url
        ),
        allowed_hosts=(url.netloc, *LOCAL_HOSTS),
        allowed_origins=(product.settings.public_url, *(f"http://{host}:*" for host in LOCAL_HOSTS)),
        sessions=sessions,
    )


def _straight_to(mcp: McpFace, others: ASGIApp) -> ASGIApp:
    """Messages of MCP go straight to their face: the way through everybody's routes costs more than its door does."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        its_own = scope["type"] == "http" and (scope["path"] == "/mcp" or scope["path"].startswith("/mcp/"))
        await (mcp.app if its_own else others)(scope, receive, send)

    return Impatience(app)


def _mcp_routes(face: McpFace) -> list[Route]:
    async def show_metadata(request: Request) -> Response:
        return JSONResponse(face.metadata(request.url.path.removeprefix(WELL_KNOWN)))

    return [Route(WELL_KNOWN + path, show_metadata) for path in PATHS]


def _live_routes(product: Product) -> list[Route]:
    return live_routes(product.database, product.pipeline, product.events, product.signals, caller_of)


def _hook_routes(product: Product) -> list[Route]:
    hooks = hook_routes(product.database, product.signals, product.limiter)
    return [*hooks, *file_routes(product.database, product.storage)]


async def _first_webchat(product: Product) -> UUID | None:
    """The oldest webchat inbox of the first workspace: on a fresh server, the one that the set-up made."""
    async with product.database.transaction():
        workspace_id = await first_workspace()
        if workspace_id is None:
            return None
        inboxes = await list_inboxes(_demo_caller(workspace_id), ListInboxes(limit=MAX_LIMIT))
    return next((inbox.id for inbox in inboxes.items if inbox.channel == "webchat"), None)


def _demo_caller(workspace_id: UUID) -> Caller:
    return Caller(
        workspace_id=workspace_id,
        kind=PrincipalKind.SYSTEM,
        principal_id="demo",
        name="Demo page",
        scopes=frozenset({"inboxes:read"}),
        surface=Surface.HTTP,
    )
