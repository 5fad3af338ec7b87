"""The HTTP face, whole: its routes, and one shape for whatever goes wrong."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Lifespan

from chatwright.kernel.errors import ChatwrightError, Internal, NotFound
from chatwright.surfaces.http.answers import problem_answer, request_id_of
from chatwright.surfaces.http.approvals import approval_routes
from chatwright.surfaces.http.connections import connection_routes
from chatwright.surfaces.http.document import DOCUMENT_PATH, ShownDocument, described_routes
from chatwright.surfaces.http.errors import MethodNotAllowed
from chatwright.surfaces.http.oauth.routes import oauth_routes
from chatwright.surfaces.http.pages import message_page, page_routes
from chatwright.surfaces.http.parts import Parts
from chatwright.surfaces.http.probes import show_metrics

VERBS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def http_face(
    parts: Parts, *, beside: Sequence[BaseRoute] = (), lifespan: Lifespan[FastAPI] | None = None
) -> FastAPI:
    """The application with every route of this face, and those of the faces `beside` it."""
    app = FastAPI(
        # Its own would tell the collector whole query strings and the words of exceptions.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        exception_handlers={
            ChatwrightError: _answer_error,
            HTTPException: _answer_unrouted,
            ClientDisconnect: _answer_nobody,
            Exception: _answer_error,
        },
    )
    app.state.parts = parts
    app.state.probes = parts.probes
    app.router.routes.extend(
        [
            *beside,
            Route(DOCUMENT_PATH, ShownDocument(parts.operations).answer),
            Route("/metrics", show_metrics),
            *([] if parts.outside_issuer else oauth_routes(parts.public_url)),
            *described_routes(parts.operations),
            *page_routes(parts.static),
            *connection_routes(),
            *approval_routes(),
        ]
    )
    return app


async def _answer_error(request: Request, error: Exception) -> Response:
    """Our own errors as they are; of a crash, which the server logs with its trace, only an id to ask about."""
    if isinstance(error, ChatwrightError):
        return _shown(request, error)
    words = "Something went wrong on our side."
    return _shown(request, Internal(words, hint="The logs have more under the request id."))


async def _answer_unrouted(request: Request, error: Exception) -> Response:
    """Starlette raises this for paths that nothing answers, and for methods that a path does not take."""
    if isinstance(error, HTTPException) and error.status_code == MethodNotAllowed.http_status:
        methods = ", ".join(_methods_at(request))
        message = f"{request.url.path} does not take {request.method}, only {methods}."
        return _shown(request, MethodNotAllowed(message), {"allow": methods})
    return _shown(request, NotFound("There is nothing at this address."))


async def _answer_nobody(request: Request, error: Exception) -> Response:
    """The client has gone."""
    del request, error
    return Response(status_code=400)


def _shown(request: Request, error: ChatwrightError, headers: dict[str, str] | None = None) -> Response:
    if _is_browsing(request):
        return message_page(request, error.message, error.hint or "", error.http_status)
    return problem_answer(error, request_id_of(request), headers)


def _is_browsing(request: Request) -> bool:
    """Whether a person at a browser asked for a page."""
    is_ours = request.url.path.startswith(("/api/", "/auth/"))
    return request.method == "GET" and not is_ours and "text/html" in request.headers.get("accept", "")


def _methods_at(request: Request) -> list[str]:
    def takes(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in VERBS if takes(method)]
