"""What a message says: WhatsApp's kinds of messages as our contents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from chatwright.net.reading import as_list, as_map, as_number, as_text, dig, texts
from chatwright.ports.content import (
    MAX_TEXT,
    ContactCardContent,
    Content,
    LocationContent,
    MediaContent,
    ReactionContent,
    ReplyContent,
    TextContent,
    UnsupportedContent,
)

MOST_CARDS = 50
MediaKind = Literal["image", "video", "audio", "voice", "sticker", "file"]
_MEDIA: Final[Mapping[str, MediaKind]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "voice",
    "sticker": "sticker",
    "document": "file",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a message says."""

    content: Content
    media: str | None = None
    """What the file is fetched by: its id at Meta, and the SHA-256 it must have, with a space between."""


def said_in(message: Mapping[str, object]) -> list[Said]:
    """What a message says, in order; several things only where it carries several contact cards."""
    kind = as_text(message.get("type")) or "message without a type"
    part = as_map(message.get(kind))
    if kind in _MEDIA:
        return [_media(_MEDIA[kind], part)]
    if kind == "contacts":
        return [Said(card) for card in _cards(message.get("contacts"))] or [_unsupported(kind)]
    reader = _READERS.get(kind)
    return [Said(reader(part))] if reader else [_unsupported(kind, message)]


def own_phone(message: Mapping[str, object]) -> str | None:
    """The phone number that somebody sent of themselves, when they were asked for it."""
    for card in map(as_map, as_list(message.get("contacts"))):
        if card.get("origin") == "contact_request":
            return next(iter(_phones(card)), None)
    return None


def _media(kind: MediaKind, part: Mapping[str, object]) -> Said:
    if kind == "audio" and part.get("voice") is True:
        kind = "voice"
    name, digest = as_text(part.get("id")), as_text(part.get("sha256"))
    content = MediaContent(
        kind=kind,
        caption=_cut(part.get("caption")),
        filename=as_text(part.get("filename")),
    )
    return Said(content, " ".join(text for text in (name, digest) if text) if name else None)


def _text(part: Mapping[str, object]) -> Content:
    body = _cut(part.get("body"))
    return TextContent(text=body) if body else UnsupportedContent(kind="text")


def _location(part: Mapping[str, object]) -> Content:
    latitude, longitude = as_number(part.get("latitude")), as_number(part.get("longitude"))
    name, address = as_text(part.get("name")), as_text(part.get("address"))
    if latitude is None or longitude is None or not abs(latitude) <= 90 or not abs(longitude) <= 180:
        return UnsupportedContent(kind="location", text=name or address)
    return LocationContent(latitude=latitude, longitude=longitude, name=name, address=address)


def _button(part: Mapping[str, object]) -> Content:
    """A press on a quick reply of a template."""
    return _reply(part.get("text"), part.get("payload"), "button")


def _interactive(part: Mapping[str, object]) -> Content:
    kind = as_text(part.get("type")) or "interactive"
    answer = as_map(part.get(kind))
    match kind:
        case "button_reply" | "list_reply":
            return _reply(answer.get("title"), answer.get("id"), kind)
        case "nfm_reply":
            # The answers of a form. It says that it is JSON; whoever works with it has to look.
            return _reply(answer.get("body") or answer.get("name"), answer.get("response_json"), kind)
        case _:
            return UnsupportedContent(kind=kind, text=as_text(answer.get("response")))


def _order(part: Mapping[str, object]) -> Content:
    lines = [
        _cut(part.get("text")),
        *(_order_line(as_map(item)) for item in as_list(part.get("product_items"))),
    ]
    return UnsupportedContent(kind="order", text=_cut("\n".join(line for line in lines if line)))


def _order_line(item: Mapping[str, object]) -> str:
    amount, name = as_text(item.get("quantity")) or "1", as_text(item.get("product_retailer_id")) or "?"
    price = " ".join(
        str(item[key])
        for key in ("item_price", "currency")
        if as_number(item.get(key)) or as_text(item.get(key))
    )
    return f"{amount} x {name}{f' ({price})' if price else ''}"


def _reaction(part: Mapping[str, object]) -> Content:
    message_id = as_text(part.get("message_id"))
    if message_id is None:
        return UnsupportedContent(kind="reaction", text=as_text(part.get("emoji")))
    return ReactionContent(message_id=message_id, emoji=as_text(part.get("emoji")) or "")


_READERS: Final[Mapping[str, Callable[[Mapping[str, object]], Content]]] = {
    "text": _text,
    "location": _location,
    "button": _button,
    "interactive": _interactive,
    "order": _order,
    "reaction": _reaction,
}


def _reply(text: object, payload: object, kind: str) -> Content:
    words, meaning = _cut(text), as_text(payload)
    if not words and not meaning:
        return UnsupportedContent(kind=kind)
    return ReplyContent(text=words or meaning or "", payload=meaning or words or "")


def _cards(cards: object) -> Sequence[ContactCardContent]:
    return [_card(as_map(card)) for card in as_list(cards)[:MOST_CARDS]]


def _card(card: Mapping[str, object]) -> ContactCardContent:
    phones = _phones(card)
    names = texts(as_map(card.get("name")))
    emails = [as_text(as_map(email).get("email")) for email in as_list(card.get("emails"))]
    organisation = as_text(dig(card, "org", "company"))
    return ContactCardContent(
        name=names.get("formatted_name") or names.get("first_name") or organisation or next(iter(phones), ""),
        phones=phones,
        emails=[email for email in emails if email is not None],
    )


def _phones(card: Mapping[str, object]) -> list[str]:
    phones = [as_map(phone) for phone in as_list(card.get("phones"))]
    found = [as_text(phone.get("phone")) or as_text(phone.get("wa_id")) for phone in phones]
    return [phone for phone in found if phone is not None]


def _unsupported(kind: str, message: Mapping[str, object] | None = None) -> Said:
    """A kind that nobody here knows, or that WhatsApp itself says it cannot show (error 131051)."""
    inner = as_text(dig(message, kind, "type")) if kind in {"unsupported", "unknown"} else None
    return Said(UnsupportedContent(kind=inner or kind, text=_cut(dig(message, kind, "body"))))


def _cut(value: object) -> str | None:
    text = as_text(value)
    return text[:MAX_TEXT] if text and text.strip() else None
