"""GET /files/{token}: a stored file for a provider that fetches it by its address.

The token is proof enough: it names the file, is signed by this server and is over after a day. Nothing that is
served here may run as a page of ours, so a browser is told to save it, never to guess what it is, and to load
nothing.
"""

from collections.abc import AsyncGenerator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from chatwright.features.messaging.attachments.links import file_behind
from chatwright.features.messaging.attachments.store import LINKED_FILE
from chatwright.features.messaging.errors import AttachmentNotFound
from chatwright.kernel.errors import ChatwrightError, NotFound
from chatwright.ports.database import Database
from chatwright.ports.storage import Storage

HEADERS = {
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cache-control": "private, max-age=300",
    "referrer-policy": "no-referrer",
}
SHOWN = frozenset({"image", "video", "audio"})
"""Kinds of types that may be shown in place; SVG is a document, and comes as a file like any other."""


class Files:
    """The handler."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage

    async def serve(self, request: Request) -> Response:
        """Stream the file that the token names; 404 for anything else, whatever is wrong with it."""
        try:
            return await self._answer(request)
        except ChatwrightError as error:
            problem = error.problem(request.scope.get("state", {}).get("request_id"))
            return JSONResponse(problem.model_dump(mode="json", exclude_none=True), error.http_status)

    async def _answer(self, request: Request) -> Response:
        attachment_id = file_behind(request.path_params["token"])
        if attachment_id is None:
            raise _not_found()
        async with self._database.autocommit():
            facts = await LINKED_FILE.first(attachment_id)
        if facts is None:
            raise _not_found()
        headers = {
            **HEADERS,
            "content-length": str(facts["size"]),
            "content-disposition": _disposition(facts["media_type"], facts["filename"]),
        }
        if request.method == "HEAD":
            return Response(media_type=facts["media_type"], headers=headers)
        pieces = self._storage.read(facts["storage_key"])
        try:
            first = await anext(pieces, b"")
        except NotFound:
            raise _not_found() from None

        async def whole() -> AsyncGenerator[bytes]:
            yield first
            async for piece in pieces:
                yield piece

        return StreamingResponse(whole(), media_type=facts["media_type"], headers=headers)


def _disposition(media_type: str, filename: str) -> str:
    kind, _, name = media_type.partition("/")
    way = "inline" if kind in SHOWN and "svg" not in name else "attachment"
    return f"{way}; filename*=UTF-8''{quote(filename, safe='')}"


def _not_found() -> AttachmentNotFound:
    return AttachmentNotFound("There is no such file, or its address is over.")
