"""Files in and out: streams, which no JSON call can be. What a call means is an operation all the same."""

import inspect
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chatwright.features.messaging.attachments import (
    UPLOAD_LIMIT,
    get_attachment,
    new_key,
    register_attachment,
    storage_key_of,
)
from chatwright.features.messaging.errors import AttachmentNotFound
from chatwright.features.messaging.models import Attachment
from chatwright.kernel.errors import InvalidInput, PayloadTooLarge, ScopeMissing, Unauthenticated, Unavailable
from chatwright.surfaces.http.answers import JSONAnswer
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.rest import API
from chatwright.surfaces.http.routes import DescribedRoute

ALWAYS = (Unauthenticated, ScopeMissing, Unavailable)


def attachment_routes() -> list[DescribedRoute]:
    """Upload and download."""
    return [
        DescribedRoute(
            "POST",
            f"{API}/attachments",
            upload,
            name="upload_attachment",
            tag="attachments",
            summary="Upload a file",
            description=(
                "The body is the file, whole, and Content-Type its type; at most "
                f"{UPLOAD_LIMIT // 1024 // 1024} MiB. The answer's id is an `attachment_id` for media messages."
            ),
            parameters=[_parameter("filename", str, Query(description="Name to show and to save it under."))],
            answer=Attachment,
            errors=(*ALWAYS, InvalidInput, PayloadTooLarge),
            extra={"x-scope": register_attachment.scope},
        ),
        DescribedRoute(
            "GET",
            f"{API}/attachments/{{attachment_id}}/content",
            download,
            name="download_attachment",
            tag="attachments",
            summary="Download a file",
            parameters=[_parameter("attachment_id", UUID, Path(description="Id of the file."))],
            answer=None,
            answer_words="The bytes of the file.",
            answer_class=StreamingResponse,
            errors=(*ALWAYS, AttachmentNotFound),
            extra={"x-scope": get_attachment.scope},
        ),
    ]


async def upload(request: Request) -> Response:
    """Put the body into the store, then make a file of it; the bytes go again when that is refused."""
    caller = await caller_of(request)
    caller.require(register_attachment.scope)
    parts = parts_of(request)
    key = new_key(caller)
    size = await parts.storage.put(key, request.stream(), limit=UPLOAD_LIMIT)
    facts = {
        "storage_key": key,
        "filename": request.query_params.get("filename", ""),
        "media_type": request.headers.get("content-type", "application/octet-stream").partition(";")[0],
        "size": size,
    }
    try:
        outcome = await parts.pipeline.run(caller, register_attachment, facts)
    except BaseException:
        await parts.storage.delete(key)
        raise
    return JSONAnswer(outcome.value)


async def download(request: Request) -> Response:
    """Stream a file out, never to be shown as a page of ours, whatever it holds."""
    caller = await caller_of(request)
    parts = parts_of(request)
    found = await parts.pipeline.run(
        caller, get_attachment, {"attachment_id": request.path_params["attachment_id"]}
    )
    attachment = Attachment.model_validate(found.value)
    async with parts.database.transaction():
        key = await storage_key_of(caller, attachment.id)
    return StreamingResponse(
        parts.storage.read(key),
        media_type=attachment.media_type,
        headers={
            "content-length": str(attachment.size),
            "content-disposition": f"attachment; filename*=UTF-8''{quote(attachment.filename, safe='')}",
            "content-security-policy": "default-src 'none'; sandbox",
            "cache-control": "private, max-age=86400, immutable",
        },
    )


def _parameter(name: str, kind: type, place: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, place])
