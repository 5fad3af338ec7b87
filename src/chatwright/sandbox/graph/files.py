"""Files that the provider keeps: uploads, what people send, and the addresses at which both are read."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from chatwright.sandbox.clock import Clock
from chatwright.sandbox.graph.accounts import DAY, GraphAccount, StoredFile
from chatwright.sandbox.graph.errors import GraphError
from chatwright.sandbox.world import World

KEEP_SECONDS = 30 * DAY
URL_SECONDS = 300.0
MEGABYTE = 1024 * 1024
LIMITS = {
    "image/jpeg": 5 * MEGABYTE,
    "image/png": 5 * MEGABYTE,
    "image/webp": 500 * 1024,
    "video/mp4": 16 * MEGABYTE,
    "video/3gpp": 16 * MEGABYTE,
    "audio/aac": 16 * MEGABYTE,
    "audio/amr": 16 * MEGABYTE,
    "audio/mpeg": 16 * MEGABYTE,
    "audio/mp4": 16 * MEGABYTE,
    "audio/ogg": 16 * MEGABYTE,
}
"""What WhatsApp takes as media; any other type is a document."""
DOCUMENT_LIMIT = 100 * MEGABYTE
_LOCAL = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class _Lease:
    account: GraphAccount
    file: StoredFile
    until: datetime
    private: bool


class Files:
    """All accounts' files."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._leases: dict[str, _Lease] = {}

    @property
    def _clock(self) -> Clock:
        return self._world.clock

    def keep(self, account: GraphAccount, content: bytes, mime_type: str, filename: str = "") -> StoredFile:
        """Take in a file."""
        file_id = str(10**14 + self._world.number())
        file = StoredFile(file_id, content, mime_type, filename, self._clock.after(KEEP_SECONDS))
        account.files[file_id] = file
        return file

    def find(self, account: GraphAccount, file_id: str) -> StoredFile | None:
        """A file that is kept still."""
        file = account.files.get(file_id)
        return file if file is not None and file.until > self._clock.now() else None

    def address(self, account: GraphAccount, file: StoredFile, *, private: bool) -> str:
        """An address at which the file is read for a while; `private` asks for the account's token there."""
        name = secrets.token_urlsafe(24)
        given = account.faults.media_seconds
        lives = given if given is not None else (URL_SECONDS if private else DAY)
        self._leases[name] = _Lease(account, file, self._clock.after(lives), private)
        return f"{self._world.address}/graph/files/{name}"

    def read(self, name: str, token: str) -> StoredFile | None:
        """The file at an address, as long as that lives."""
        lease = self._leases.get(name)
        if lease is None or lease.until <= self._clock.now():
            return None
        if lease.private and token != lease.account.secrets.get("access_token"):
            return None
        return lease.file

    async def fetch(self, url: str) -> tuple[bytes, str] | None:
        """What an address on this machine serves, with its type; None when it does not.

        Others are taken as they are, as the sandbox calls nobody out there; their content is empty.
        """
        if urlsplit(url).hostname not in _LOCAL:
            return b"", ""
        try:
            async with httpx2.AsyncClient(timeout=10, trust_env=False, follow_redirects=True) as client:
                response = await client.get(url)
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return None
        if not response.is_success:
            return None
        return response.content, response.headers.get("content-type", "").partition(";")[0]


def check_upload(mime_type: str, content: bytes) -> None:
    """What WhatsApp refuses to take in."""
    kind = mime_type.partition(";")[0].strip()
    if "/" not in kind:
        raise GraphError(100, message="Param file must be a file with a supported MIME type.")
    if not content:
        raise GraphError(131053, "The file is empty.")
    if len(content) > LIMITS.get(kind, DOCUMENT_LIMIT):
        raise GraphError(131053, f"The file is too large for {kind}.")


def described(file: StoredFile, digest: str) -> dict[str, Any]:
    """The file as GET on its id shows it, but for its address."""
    return {
        "messaging_product": "whatsapp",
        "mime_type": file.mime_type,
        "sha256": digest,
        "file_size": len(file.content),
        "id": file.id,
    }
