"""The files that exports of contacts make."""

import inspect
from typing import Annotated
from uuid import UUID

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from chatwright.features.contacts.errors import ExportNotFound
from chatwright.features.contacts.exports.operations import export_key, get_export
from chatwright.surfaces.http.attachments import Bytes, opened
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.rest import ALWAYS, API
from chatwright.surfaces.http.routes import DescribedRoute


class CSV(Bytes):
    """A table."""

    media_type = "text/csv; charset=utf-8"


def export_routes() -> list[DescribedRoute]:
    """Download."""
    annotation = Annotated[UUID, Path(description="Id of the export.")]
    export_id = inspect.Parameter("export_id", inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
    return [
        DescribedRoute(
            "GET",
            f"{API}/exports/{{export_id}}/content",
            download,
            name="download_contact_export",
            tag="exports",
            summary="Download an export",
            description="The CSV file of an export that is done, in UTF-8.",
            parameters=[export_id],
            answer=None,
            answer_words="The file.",
            answer_class=CSV,
            errors=(*ALWAYS, ExportNotFound),
            extra={"x-operation": get_export.name, "x-scope": get_export.scope},
        ),
    ]


async def download(request: Request) -> Response:
    """Stream the file as something to save."""
    parts = parts_of(request)
    caller = await caller_of(request)
    facts = (await parts.pipeline.run(caller, get_export, request.path_params)).value
    async with parts.database.transaction():
        key = await export_key(caller, UUID(facts["id"]))
    return CSV(
        await opened(parts.storage, key),
        headers={
            "content-disposition": 'attachment; filename="contacts.csv"',
            "content-length": str(facts["size"]),
            "cache-control": "private, no-store",
        },
    )
