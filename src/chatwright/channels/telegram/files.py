"""Files as messages tell of them: what they are fetched by later.

A file has no address until it is asked for, and that address holds the bot's token. So what is kept is the file's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from chatwright.net.reading import as_code, as_map, as_text

DOWNLOAD_LIMIT = 20 * 1024 * 1024
"""Bytes; the public server gives out no larger file (Bot API, getFile)."""
_ANY_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file of Telegram's, as `InboundMessage.media` carries it."""

    file_id: str
    media_type: str
    """As its sender's app says; the server gives all files out as `application/octet-stream`."""
    filename: str | None = None
    size: int | None = None
    """Bytes."""

    def to_text(self) -> str:
        parts = {"id": self.file_id, "type": self.media_type, "name": self.filename, "size": self.size}
        return orjson.dumps({name: part for name, part in parts.items() if part is not None}).decode()


def read_reference(text: str) -> FileReference | None:
    """The reference again; None when this is none."""
    try:
        parts = as_map(orjson.loads(text))
    except orjson.JSONDecodeError:
        return None
    file_id = as_text(parts.get("id"))
    if file_id is None:
        return None
    media_type = as_text(parts.get("type")) or _ANY_TYPE
    return FileReference(file_id, media_type, as_text(parts.get("name")), as_code(parts.get("size")))


def file_in(part: Mapping[str, Any], media_type: str) -> FileReference | None:
    """The file that a part of a message tells of; `media_type` is what its kind has when nobody says."""
    file_id = as_text(part.get("file_id"))
    if file_id is None:
        return None
    said = as_text(part.get("mime_type")) or media_type
    return FileReference(file_id, said, as_text(part.get("file_name")), as_code(part.get("file_size")))
