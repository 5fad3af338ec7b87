"""The files that exports of contacts make."""

import inspect
from typing import Annotated
from uuid import UUID

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from chatwright.features.contacts.errors import ExportNotFound
from chatwright.features.contacts.exports.operations import download_export
from chatwright.surfaces.http.attachments import Bytes, opened
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.reading import read_arguments
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
            download_export.method,
            API + download_export.path,
            download,
            name=download_export.tool,
            tag=download_export.noun,
            summary="Download an export",
            description="The CSV file of an export that is done, in UTF-8.",
            parameters=[export_id],
            answer=None,
            answer_words="The file.",
            answer_class=CSV,
            errors=(*ALWAYS, ExportNotFound),
            extra={"x-operation": download_export.name, "x-scope": download_export.scope},
        ),
    ]


async def download(request: Request) -> Response:
    """Stream the file as something to save."""
    parts = parts_of(request)
    caller = await caller_of(request)
    arguments = await read_arguments(request, download_export, frozenset())
    file = (await parts.pipeline.run(caller, download_export, arguments)).value
    return CSV(
        await opened(parts.storage, file["storage_key"]),
        headers={
            "content-disposition": 'attachment; filename="contacts.csv"',
            "content-length": str(file["size"]),
            "cache-control": "private, no-store",
        },
    )
