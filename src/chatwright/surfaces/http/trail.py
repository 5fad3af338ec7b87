"""The audit trail as a file: too long for an answer, so it is streamed."""

from collections.abc import AsyncGenerator
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chatwright.features.workspaces import audit
from chatwright.features.workspaces.operations import export_audit
from chatwright.ports.database import Database
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.reading import read_arguments
from chatwright.surfaces.http.rest import ALWAYS, API
from chatwright.surfaces.http.routes import DescribedRoute


class JSONLines(StreamingResponse):
    """One JSON value a line."""

    media_type = "application/jsonl"


def trail_routes() -> list[DescribedRoute]:
    """The export of the audit trail."""
    return [
        DescribedRoute(
            export_audit.method,
            API + export_audit.path,
            write_out,
            name=export_audit.tool,
            tag=export_audit.noun,
            summary="Export the audit trail",
            description="All audit records of this workspace from the first to the last, one JSON object a line.",
            answer=None,
            answer_words="The records, one a line.",
            answer_class=JSONLines,
            errors=ALWAYS,
            extra={"x-operation": export_audit.name, "x-scope": export_audit.scope},
        )
    ]


async def write_out(request: Request) -> Response:
    """Stream the records of the caller's workspace."""
    parts = parts_of(request)
    caller = await caller_of(request)
    arguments = await read_arguments(request, export_audit, frozenset())
    trail = (await parts.pipeline.run(caller, export_audit, arguments)).value
    lines = _lines(parts.database, UUID(trail["workspace_id"]))
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
