"""Results and errors as responses."""

import math
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from chatwright.kernel.errors import ChatwrightError, ScopeMissing, Unauthenticated


class JSONAnswer(JSONResponse):
    """JSON that nobody on the way may keep."""

    def __init__(
        self, content: object, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(content, status_code, {"cache-control": "no-store", **(headers or {})})

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - the base class's signature.
        """Write UTF-8."""
        return orjson.dumps(content)


def problem_answer(
    error: ChatwrightError, request_id: str, headers: Mapping[str, str] | None = None
) -> JSONAnswer:
    """An error in the one shape that every face shows, under its HTTP status."""
    extra = {**_headers_of(error), **(headers or {})}
    return JSONAnswer(error.problem(request_id).model_dump(mode="json"), error.http_status, extra)


def request_id_of(connection: HTTPConnection) -> str:
    """The id that the envelope gave or took over."""
    return connection.scope["state"]["request_id"]


def _headers_of(error: ChatwrightError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if error.retry_after_ms is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after_ms / 1000))
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = 'Bearer realm="chatwright"'
    if isinstance(error, ScopeMissing):
        challenge = f'Bearer realm="chatwright", error="insufficient_scope", scope="{error.scope}"'
        headers["www-authenticate"] = challenge
    return headers
