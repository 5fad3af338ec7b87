"""Files on their way to Zalo: uploaded first, then named in a message (Official Account documentation, Upload)."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatwright.channels.zalo.api import Done, Refused, ZaloAPI
from chatwright.channels.zalo.settings import ZaloSettings
from chatwright.net.forms import FormFile
from chatwright.net.reading import as_text, dig
from chatwright.ports.sending import OutgoingFile

Json = dict[str, Any]
GIF = "image/gif"
PICTURES: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": ("jpg", "jpeg"),
    "image/png": ("png",),
    GIF: ("gif",),
}
"""Types with the endings that Zalo looks for in a file's name."""
DOCUMENTS: Mapping[str, tuple[str, ...]] = {
    "application/pdf": ("pdf",),
    "application/msword": ("doc",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "text/csv": ("csv",),
}
_GIF_SIZE = struct.Struct("<6xHH")


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The attachment of a message that shows the file."""

    attachment: Json


async def upload(api: ZaloAPI, settings: ZaloSettings, kind: str, file: OutgoingFile) -> Uploaded | Refused:
    """Upload a file; raises NotSent or NoAnswer, after which no message was sent either way."""
    where = "file" if kind == "file" else "gif" if file.media_type == GIF else "image"
    form = FormFile("file", _filename(file), file.media_type, file.read(), file.size)
    answer = await api.upload(settings, f"/v2.0/oa/upload/{where}", [form])
    if isinstance(answer, Refused):
        return answer
    return _named(where, answer, await _gif_size(file) if where == "gif" else {})


def _named(where: str, answer: Done, more: Json) -> Uploaded | Refused:
    token = as_text(dig(answer.data, "token")) or as_text(dig(answer.data, "attachment_id"))
    if token is None:
        return Refused(-100, "Zalo does not say under which name it keeps the file.")
    if where == "file":
        return Uploaded({"type": "file", "payload": {"token": token}})
    return Uploaded(media_attachment({"media_type": where, "attachment_id": token, **more}))


def media_attachment(element: Json) -> Json:
    """A picture in a message."""
    return {"type": "template", "payload": {"template_type": "media", "elements": [element]}}


def _filename(file: OutgoingFile) -> str:
    """The name with an ending of its type: Zalo goes by that."""
    endings = PICTURES.get(file.media_type) or DOCUMENTS.get(file.media_type)
    ending = file.filename.rpartition(".")[2].lower()
    if endings is None or ending in endings:
        return file.filename
    return f"{file.filename}.{endings[0]}"


async def _gif_size(file: OutgoingFile) -> Json:
    """Width and height in pixels, which Zalo wants to be told; they stand in the first ten bytes (GIF89a, 18)."""
    head = b""
    async for piece in file.read():
        head += piece
        if len(head) >= _GIF_SIZE.size:
            width, height = _GIF_SIZE.unpack_from(head)
            return {"width": width, "height": height}
    return {}
