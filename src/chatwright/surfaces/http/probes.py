"""What machines ask about a process: is it well, may it be sent requests, how much does it do."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatwright.kernel.errors import ChatwrightError, Forbidden, Unauthenticated
from chatwright.kernel.operation import Output
from chatwright.ports.database import Database
from chatwright.surfaces.http.answers import JSONAnswer, problem_answer
from chatwright.surfaces.http.metrics import CONTENT_TYPE
from chatwright.surfaces.http.routes import DescribedRoute

PATIENCE_SECONDS = 3.0
"""How long the database may take to answer a probe."""
FORWARDED = frozenset({"forwarded", "x-forwarded-for", "x-real-ip"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Probes:
    """What the probes of a process look at."""

    database: Database
    version: str
    numbers: Callable[[], Awaitable[bytes]]
    """The process' numbers in the text format of Prometheus."""
    lacks: Callable[[], Sequence[str]]
    """What stands against sending it requests, beside the database: `signals`, `leaving`."""
    metrics_token: str | None = None
    """Who presents it may read the numbers; without one only this machine may."""


class Health(Output):
    """Whether the server can work."""

    status: str
    """`ok`, or `unavailable` when the database does not answer."""
    version: str
    """Version of Chatwright."""


class Readiness(Output):
    """Whether a process is to be sent requests."""

    status: str
    """`ready` or `unready`."""
    lacks: list[str]
    """Why not: `database` does not answer, `signals` of other processes do not come, `leaving` since it was stopped."""


def probe_routes() -> list[DescribedRoute]:
    """Health and readiness. Metrics are no JSON and are not described."""
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
        DescribedRoute(
            "GET",
            "/readyz",
            show_readiness,
            name="get_readiness",
            tag="probes",
            summary="Readiness",
            description="Answers 200 while this process is to be sent requests, else 503 with the same shape.",
            answer=Readiness,
            open_to_all=True,
        ),
    ]


def probe_app(probes: Probes) -> Starlette:
    """The probes alone, for a process that answers nothing else."""
    app = Starlette(
        routes=[
            Route("/healthz", show_health),
            Route("/readyz", show_readiness),
            Route("/metrics", show_metrics),
        ],
        exception_handlers={ChatwrightError: _answer_error},
    )
    app.state.probes = probes
    return app


async def show_health(request: Request) -> Response:
    """Answer 200 only when the database answers."""
    probes = _probes_of(request)
    well = await _answers(probes.database)
    health = Health(status="ok" if well else "unavailable", version=probes.version)
    return JSONAnswer(health.model_dump(), 200 if well else 503)


async def show_readiness(request: Request) -> Response:
    """Answer 200 only when nothing is lacking."""
    probes = _probes_of(request)
    lacks = [*([] if await _answers(probes.database) else ["database"]), *probes.lacks()]
    readiness = Readiness(status="unready" if lacks else "ready", lacks=lacks)
    return JSONAnswer(readiness.model_dump(), 503 if lacks else 200)


async def show_metrics(request: Request) -> Response:
    """Numbers for Prometheus, for whoever has the metrics token, or without one for this machine only."""
    probes = _probes_of(request)
    if probes.metrics_token is not None:
        _require_token(request, probes.metrics_token)
    elif not _is_local(request):
        message = "Metrics are shown to this machine only."
        raise Forbidden(message, hint="Set CHATWRIGHT_METRICS_TOKEN and present it as a bearer token.")
    return Response(await probes.numbers(), media_type=CONTENT_TYPE)


def _probes_of(request: Request) -> Probes:
    return cast("Probes", request.app.state.probes)


async def _answer_error(request: Request, error: Exception) -> Response:
    del request
    if not isinstance(error, ChatwrightError):
        raise error
    return problem_answer(error, "")


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
