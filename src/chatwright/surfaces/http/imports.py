"""The files that imports of contacts take, where they are too large for a call."""

from starlette.requests import Request
from starlette.responses import Response

from chatwright.features.contacts.imports.models import MAX_FILE, ImportFile
from chatwright.features.contacts.imports.operations import upload_import_file
from chatwright.kernel.errors import Forbidden, PayloadTooLarge
from chatwright.surfaces.http.answers import JSONAnswer
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.reading import refuse_query
from chatwright.surfaces.http.rest import ALWAYS, API
from chatwright.surfaces.http.routes import DescribedRoute


def import_routes() -> list[DescribedRoute]:
    """Upload."""
    return [
        DescribedRoute(
            upload_import_file.method,
            API + upload_import_file.path,
            upload,
            name=upload_import_file.tool,
            tag=upload_import_file.noun,
            summary="Upload a file for an import",
            description=(
                f"The body is the CSV file, whole, of any Content-Type and at most {MAX_FILE // 1_000_000} MB. "
                "Give the `storage_key` of the answer to `POST /api/v1/imports`, which then takes it."
            ),
            answer=ImportFile,
            errors=(*ALWAYS, Forbidden, PayloadTooLarge),
            extra={
                "x-operation": upload_import_file.name,
                "x-scope": upload_import_file.scope,
                "requestBody": {"required": True, "content": {"*/*": {"schema": {"format": "binary"}}}},
            },
        ),
    ]


async def upload(request: Request) -> Response:
    """Ask for a place, then stream the body into it; a body that breaks off or is too large leaves nothing."""
    parts = parts_of(request)
    caller = await caller_of(request)
    refuse_query(request.query_params)
    place = (await parts.pipeline.run(caller, upload_import_file, {})).value
    size = await parts.storage.put(place["storage_key"], request.stream(), limit=MAX_FILE)
    return JSONAnswer({**place, "size": size})
