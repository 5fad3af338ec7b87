"""Routes that document themselves for OpenAPI and leave everything else to their handler.

FastAPI reads an endpoint's signature twice: to describe it, and to check and convert every request. The
first we want. The second the pipeline does, once and alike for every face, so these routes have a signature
that is only ever read, and a handler that gets the bare request.
"""

import inspect
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from chatwright.kernel.errors import ChatwrightError
from chatwright.surfaces.http.answers import JSONAnswer

Handle = Callable[[Request], Awaitable[Response]]

PROBLEM = "#/components/schemas/Problem"
"""Named, not given as a model: FastAPI would make a validator of it for every status of every route."""


class DescribedRoute(APIRoute):
    """A route with a handler and, apart from it, a description."""

    def __init__(  # noqa: PLR0913 - what OpenAPI says of an operation, all named at every use.
        self,
        method: str,
        path: str,
        handle: Handle,
        *,
        name: str,
        tag: str,
        summary: str,
        description: str = "",
        parameters: Sequence[inspect.Parameter] = (),
        answer: Any,  # noqa: ANN401 - a model or any other type.
        answer_words: str = "Done.",
        answer_class: type[Response] = JSONAnswer,
        errors: Sequence[type[ChatwrightError]] = (),
        open_to_all: bool = False,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self._handle = handle
        security: list[dict[str, list[str]]] = [] if open_to_all else [{"accessToken": []}, {"session": []}]
        super().__init__(
            path,
            _signature_only(parameters),
            methods=[method],
            name=name,
            operation_id=name,
            tags=[tag],
            summary=summary,
            description=description or summary,
            response_model=answer,
            response_class=answer_class,
            response_description=answer_words,
            responses=_problems(errors),
            openapi_extra={"security": security, **(extra or {})},
        )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Hand the bare request to the handler."""

        async def handle(request: Request) -> Response:
            return await self._handle(request)

        return handle


def _signature_only(parameters: Sequence[inspect.Parameter]) -> Callable[..., Any]:
    async def described() -> None:
        """Never called."""

    described.__signature__ = inspect.Signature(list(parameters))  # What inspect.signature looks for.
    return described


def _problems(errors: Sequence[type[ChatwrightError]]) -> dict[int | str, dict[str, Any]]:
    """One response per status, with the codes that come under it."""
    codes: defaultdict[int, set[str]] = defaultdict(set)
    for error in errors:
        codes[error.http_status].add(error.code)
    return {
        status: {
            "description": ", ".join(f"`{code}`" for code in sorted(codes[status])),
            "content": {"application/json": {"schema": {"$ref": PROBLEM}}},
        }
        for status in sorted(codes)
    }
