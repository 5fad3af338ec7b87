"""What a message of Zalo says (Official Account documentation, Webhook, user_send_*)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import ValidationError

from chatwright.net.reading import as_list, as_map, as_number, as_text, dig
from chatwright.ports.content import (
    MAX_TEXT,
    ContactCardContent,
    Content,
    LocationContent,
    MediaContent,
    ReplyContent,
    TextContent,
    UnsupportedContent,
)

PRESSED = "#:"
"""Begins the payloads that our buttons carry: a press comes back as if the person had written the payload."""

Json = Mapping[str, Any]
Kind = Literal["image", "video", "audio", "sticker", "file"]
_MEDIA: Mapping[str, Kind] = {
    "image": "image",
    "gif": "image",
    "photo": "image",
    "video": "video",
    "audio": "audio",
    "voice": "audio",
    "sticker": "sticker",
    "file": "file",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One content, and the address of its file if it has one."""

    content: Content
    media: str | None = None


def said_in(message: Json, kind: str) -> list[Said]:
    """What a message says, one for each of its attachments; `kind` is the last word of the event's name."""
    text = _text_of(message)
    attachments = [as_map(attachment) for attachment in as_list(message.get("attachments"))]
    # A link comes as text too, and is nothing but its address.
    said = [found for one in attachments if (found := _attached(one, kind, text)) is not None]
    if said:
        return said
    if text:
        return [
            Said(_pressed(text) if text.startswith(PRESSED) and text != PRESSED else TextContent(text=text))
        ]
    return [Said(UnsupportedContent(kind=kind))]


def _pressed(text: str) -> ReplyContent:
    payload = text.removeprefix(PRESSED)
    return ReplyContent(text=payload, payload=payload)


def _attached(attachment: Json, kind: str, text: str | None) -> Said | None:
    payload, named = as_map(attachment.get("payload")), as_text(attachment.get("type")) or kind
    if kind == "business_card":
        return _card(payload, text)
    if named == "location":
        return _place(payload)
    if named == "link":
        return _link(payload, text)
    if named not in _MEDIA:
        return None
    media = as_text(payload.get("url")) or as_text(payload.get("thumbnail"))
    filename = as_text(payload.get("name"))
    return Said(MediaContent(kind=_MEDIA[named], caption=text, filename=filename), media)


def _text_of(message: Json) -> str | None:
    text = as_text(message.get("text"))
    return text[:MAX_TEXT] if text else None


def _place(payload: Json) -> Said | None:
    """Coordinates come as strings."""
    latitude = as_number(dig(payload, "coordinates", "latitude"))
    longitude = as_number(dig(payload, "coordinates", "longitude"))
    if latitude is None or longitude is None:
        return None
    try:
        return Said(LocationContent(latitude=latitude, longitude=longitude))
    except ValidationError:
        return None


def _link(payload: Json, text: str | None) -> Said | None:
    url = as_text(payload.get("url"))
    words = [part for part in (text, url) if part]
    if not words:
        return None
    joined = text if text and url and url in text else "\n".join(words)
    return Said(TextContent(text=(joined or "")[:MAX_TEXT]))


def _card(payload: Json, text: str | None) -> Said | None:
    """A business card is a link whose description is JSON in a string."""
    phone = as_text(_json_in(payload.get("description")).get("phone"))
    name = as_text(payload.get("title")) or text or phone
    if name is None:
        return None
    return Said(ContactCardContent(name=name, phones=[phone] if phone else []))


def _json_in(text: object) -> Json:
    if not isinstance(text, str):
        return as_map(text)
    try:
        return as_map(orjson.loads(text))
    except orjson.JSONDecodeError:
        return {}
