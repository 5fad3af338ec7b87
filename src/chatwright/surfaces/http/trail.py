"""The audit trail as a file: too long for an answer, so it is streamed."""

from collections.abc import AsyncGenerator
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chatwright.features.workspaces import audit
from chatwright.kernel.errors import Internal, ScopeMissing, Unauthenticated, Unavailable
from chatwright.ports.database import Database
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.rest import API
from chatwright.surfaces.http.routes import DescribedRoute

SCOPE = "audit:read"


class JSONLines(StreamingResponse):
    """One JSON value a line."""

    media_type = "application/jsonl"


def trail_routes() -> list[DescribedRoute]:
    """The export of the audit trail."""
    return [
        DescribedRoute(
            "GET",
            f"{API}/audit/export",
            export_audit,
            name="export_audit",
            tag="audit",
            summary="Export the audit trail",
            description="All audit records of this workspace from the first to the last, one JSON object a line.",
            answer=None,
            answer_words="The records, one a line.",
            answer_class=JSONLines,
            errors=(Unauthenticated, ScopeMissing, Internal, Unavailable),
            extra={"x-scope": SCOPE},
        )
    ]


async def export_audit(request: Request) -> Response:
    """Stream the records of the caller's workspace."""
    caller = await caller_of(request)
    caller.require(SCOPE)
    lines = _lines(parts_of(request).database, caller.workspace_id)
    return JSONLines(lines, headers={"cache-control": "no-store"})


async def _lines(database: Database, workspace_id: UUID) -> AsyncGenerator[bytes]:
    """No transaction is open while a slow reader takes its time; records only ever come behind these."""
    after = audit.BEFORE_ALL
    while True:
        async with database.transaction():
            rows = await audit.batch(workspace_id, after)
        if not rows:
            return
        yield b"".join(orjson.dumps(audit.as_line(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        after = rows[-1].seq
