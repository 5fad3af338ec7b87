"""Single files over HTTP: checked by their tag, compressed once."""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from chatwright.kernel.errors import Unavailable

OWN_PAGES = "public, no-cache"
"""Kept, but asked about at each use: the pages and their files always fit together."""
OTHER_SITES = "public, max-age=600, stale-while-revalidate=86400"
"""Kept for ten minutes, then used for up to a day while a fresh one is being fetched."""


@dataclass(frozen=True, slots=True)
class _Content:
    version: tuple[int, int]
    """Time of change in nanoseconds and size: another one means another content."""
    plain: bytes
    packed: bytes
    tag: str


class File:
    """One file, read anew when it changes."""

    def __init__(self, path: Path, *, cache: str, shared: bool = False, missing: str = "") -> None:
        """`shared` lets pages of other sites embed it; `missing` says what to do when it is not there."""
        self._path = path
        self._missing = missing
        self._content: _Content | None = None
        self._media_type = guess_type(path.name)[0] or "application/octet-stream"
        self._headers = {"cache-control": cache, "vary": "accept-encoding"}
        if shared:
            self._headers["cross-origin-resource-policy"] = "cross-origin"
            self._headers["access-control-allow-origin"] = "*"

    async def answer(self, request: Request) -> Response:
        """The file, or 304 when the client has it already; raises Unavailable when there is none."""
        content = await asyncio.to_thread(self._load)
        headers = {**self._headers, "etag": content.tag}
        if request.headers.get("if-none-match") == content.tag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            packed = {**headers, "content-encoding": "gzip"}
            return Response(content.packed, media_type=self._media_type, headers=packed)
        return Response(content.plain, media_type=self._media_type, headers=headers)

    def _load(self) -> _Content:
        try:
            about = self._path.stat()
            version = (about.st_mtime_ns, about.st_size)
            if self._content is None or self._content.version != version:
                self._content = _read(self._path, version)
        except FileNotFoundError as error:
            message = f"There is no {self._path.name} on this server."
            raise Unavailable(message, hint=self._missing) from error
        return self._content


def _read(path: Path, version: tuple[int, int]) -> _Content:
    plain = path.read_bytes()
    tag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
    return _Content(version, plain, gzip.compress(plain, mtime=0), tag)
