"""The OpenAPI document."""

import asyncio
import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import orjson
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from chatwright.kernel.errors import Problem
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.http.attachments import attachment_routes
from chatwright.surfaces.http.exports import export_routes
from chatwright.surfaces.http.imports import import_routes
from chatwright.surfaces.http.probes import probe_routes
from chatwright.surfaces.http.rest import API, rest_routes
from chatwright.surfaces.http.routes import DescribedRoute
from chatwright.surfaces.http.sessions import session_routes
from chatwright.surfaces.http.trail import trail_routes

GENERIC_PAGE = re.compile(rb"\bPage_(\w+)_\b")
"""How pydantic writes `Page[Contact]` where only letters may stand."""
DOCUMENT_PATH = f"{API}/openapi.json"
API_VERSION = "1"
"""The version of the interface, which is in its paths too; releases of the product do not change it."""

WORDS = """\
Every action of Chatwright is one operation, and each is one route here.

Errors have one shape, `Problem`, with a stable `code`; `retryable` says whether the same call may succeed later.
A writing call with an `Idempotency-Key` can be repeated safely for 24 hours; one with `Dry-Run: true` is tried and
undone. Where a person of the workspace has to approve a call, it ends with `APPROVAL_REQUIRED` and waits for them.
Lists come in pages: give `next_cursor` of one as `cursor` for the next. `X-Request-Id` names the call in logs and in
the audit trail.
"""

SECURITY_SCHEMES = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "cw_...",
        "description": "An access token, as `chatwright token create` makes it.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "chatwright",
        "description": "The cookie of a signed-in person (`__Host-chatwright` over HTTPS).",
    },
}


def described_routes(operations: Iterable[AnyOperation]) -> list[DescribedRoute]:
    """Every route that programs may build on. Fixed paths come first, so that no pattern takes them."""
    return [
        *trail_routes(),
        *attachment_routes(),
        *export_routes(),
        *import_routes(),
        *rest_routes(operations),
        *session_routes(),
        *probe_routes(),
    ]


def document(operations: Iterable[AnyOperation]) -> dict[str, Any]:
    """OpenAPI 3.1 of the whole interface, the same for the same operations."""
    found = get_openapi(
        title="Chatwright",
        version=API_VERSION,
        description=WORDS,
        license_info={"name": "MIT", "identifier": "MIT"},
        routes=described_routes(operations),
    )
    components = found["components"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = {**components["schemas"], **problem.pop("$defs"), "Problem": problem}
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = SECURITY_SCHEMES
    return orjson.loads(GENERIC_PAGE.sub(rb"\1Page", orjson.dumps(found)))


class ShownDocument:
    """The document as JSON, which anyone may read."""

    def __init__(self, operations: Sequence[AnyOperation]) -> None:
        self._operations = operations

    async def answer(self, request: Request) -> Response:
        """Answer with it, or that it has not changed."""
        # Making it the first time takes most of a second, in which others want their answers.
        text, tag = await asyncio.to_thread(lambda: self._rendered)
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="application/json", headers=headers)

    @cached_property
    def _rendered(self) -> tuple[bytes, str]:
        text = orjson.dumps(document(self._operations))
        return text, f'"{hashlib.sha256(text).hexdigest()[:16]}"'
