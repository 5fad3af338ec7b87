"""What machines ask about the server: is it well, how much does it do."""

import asyncio
import hmac
from ipaddress import ip_address

import structlog
from starlette.requests import Request
from starlette.responses import Response

from chatwright.kernel.errors import Forbidden, Unauthenticated
from chatwright.kernel.operation import Output
from chatwright.ports.database import Database
from chatwright.surfaces.http.answers import JSONAnswer
from chatwright.surfaces.http.metrics import CONTENT_TYPE
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.routes import DescribedRoute

PATIENCE_SECONDS = 3.0
"""How long the database may take to answer a probe."""
FORWARDED = frozenset({"forwarded", "x-forwarded-for", "x-real-ip"})

_log = structlog.get_logger(__name__)


class Health(Output):
    """Whether the server can work."""

    status: str
    """`ok`, or `unavailable` when the database does not answer."""
    version: str
    """Version of Chatwright."""


def probe_routes() -> list[DescribedRoute]:
    """Health and metrics."""
    return [
        DescribedRoute(
            "GET",
            "/healthz",
            show_health,
            name="get_health",
            tag="probes",
            summary="Health",
            description="Answers 200 when the database answers, else 503 with the same shape.",
            answer=Health,
            open_to_all=True,
        ),
    ]


async def show_health(request: Request) -> Response:
    """Answer 200 only when the database answers."""
    parts = parts_of(request)
    well = await _answers(parts.database)
    health = Health(status="ok" if well else "unavailable", version=parts.version)
    return JSONAnswer(health.model_dump(), 200 if well else 503)


async def show_metrics(request: Request) -> Response:
    """Numbers for Prometheus, for whoever has the metrics token, or without one for this machine only."""
    parts = parts_of(request)
    if parts.metrics_token is not None:
        _require_token(request, parts.metrics_token)
    elif not _is_local(request):
        message = "Metrics are shown to this machine only."
        raise Forbidden(message, hint="Set CHATWRIGHT_METRICS_TOKEN and present it as a bearer token.")
    return Response(parts.metrics.text(), media_type=CONTENT_TYPE)


async def _answers(database: Database) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), database.transaction():
            return True
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it did not answer.
        _log.warning("health.database", error=type(error).__name__)
        return False


def _require_token(request: Request, token: str) -> None:
    presented = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(presented.encode(), token.encode()):
        message = "Metrics need the metrics token."
        raise Unauthenticated(message, hint="Send the header Authorization: Bearer TOKEN.")


def _is_local(request: Request) -> bool:
    """A proxy on this machine also calls from here, but says for whom."""
    if request.client is None or FORWARDED.intersection(request.headers.keys()):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
