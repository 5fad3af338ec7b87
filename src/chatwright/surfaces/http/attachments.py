"""The bytes of files beside messages, in and out; their facts are operations like any other."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chatwright.features.messaging.attachments.models import Attachment
from chatwright.features.messaging.attachments.operations import (
    UPLOAD_LIMIT,
    get_attachment,
    new_key,
    register_attachment,
    storage_key_of,
)
from chatwright.features.messaging.errors import AttachmentNotFound
from chatwright.kernel.errors import FieldProblem, InvalidInput, PayloadTooLarge
from chatwright.ports.storage import Storage
from chatwright.surfaces.http.answers import JSONAnswer
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.reading import query_arguments
from chatwright.surfaces.http.rest import ALWAYS, API
from chatwright.surfaces.http.routes import DescribedRoute

SANDBOX = "default-src 'none'; sandbox"
"""A file that somebody sent must never run as a page of ours."""
UNKNOWN_TYPE = "application/octet-stream"


class Bytes(StreamingResponse):
    """A file."""

    media_type = UNKNOWN_TYPE


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
            parameters=[_filename()],
            answer=Attachment,
            errors=(*ALWAYS, PayloadTooLarge),
            extra={
                "x-operation": register_attachment.name,
                "x-scope": register_attachment.scope,
                "requestBody": {"required": True, "content": {"*/*": {"schema": {"format": "binary"}}}},
            },
        ),
        DescribedRoute(
            "GET",
            f"{API}/attachments/{{attachment_id}}/content",
            download,
            name="download_attachment",
            tag="attachments",
            summary="Download a file",
            description="The bytes of a stored file, under its type and name.",
            parameters=[_attachment_id()],
            answer=None,
            answer_words="The bytes.",
            answer_class=Bytes,
            errors=(*ALWAYS, AttachmentNotFound),
            extra={"x-operation": get_attachment.name, "x-scope": get_attachment.scope},
        ),
    ]


async def upload(request: Request) -> Response:
    """Put the body into the store, then make a file of it; the bytes go again when that is refused."""
    parts = parts_of(request)
    caller = await caller_of(request)
    await parts.pipeline.require(caller, register_attachment.scope, register_attachment.name)
    query = query_arguments(request.query_params, frozenset())
    if query.keys() != {"filename"}:
        message = "The query string must say 'filename', and nothing else."
        raise InvalidInput(message, fields=[FieldProblem(path="filename", message=message)])
    key = new_key(caller)
    size = await parts.storage.put(key, request.stream(), limit=UPLOAD_LIMIT)
    media_type = request.headers.get("content-type", UNKNOWN_TYPE).partition(";")[0].strip().lower()
    facts = {**query, "storage_key": key, "media_type": media_type, "size": size}
    try:
        outcome = await parts.pipeline.run(caller, register_attachment, facts)
    except BaseException:
        await parts.storage.delete(key)
        raise
    return JSONAnswer(outcome.value)


async def download(request: Request) -> Response:
    """Stream the bytes as something to save, not to show."""
    parts = parts_of(request)
    caller = await caller_of(request)
    facts = (await parts.pipeline.run(caller, get_attachment, request.path_params)).value
    async with parts.database.transaction():
        key = await storage_key_of(caller, UUID(facts["id"]))
    return Bytes(
        await opened(parts.storage, key),
        media_type=facts["media_type"],
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(facts['filename'], safe='')}",
            "content-length": str(facts["size"]),
            "content-security-policy": SANDBOX,
            "cache-control": "private, max-age=86400, immutable",
        },
    )


async def opened(storage: Storage, key: str) -> AsyncIterator[bytes]:
    """Read the first piece at once: what is missing must be said before the answer begins."""
    pieces = storage.read(key)
    first = await anext(pieces, b"")

    async def whole() -> AsyncGenerator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return whole()


def _filename() -> inspect.Parameter:
    words = "Name to show and to save it under."
    annotation = Annotated[str, Query(description=words, min_length=1, max_length=200)]
    return inspect.Parameter("filename", inspect.Parameter.KEYWORD_ONLY, annotation=annotation)


def _attachment_id() -> inspect.Parameter:
    annotation = Annotated[UUID, Path(description="Id of the file.")]
    return inspect.Parameter("attachment_id", inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
