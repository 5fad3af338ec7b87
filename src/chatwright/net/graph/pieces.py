"""What a message of Messenger or Instagram shows, as our contents.

Both send the same shapes (Messenger Platform, `messages` webhook; Instagram Messaging, Webhooks), so their reader
stands below both channels. One message may carry several files and a text; each becomes a piece of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from chatwright.net.reading import as_list, as_map, as_number, as_text, dig
from chatwright.ports.content import (
    MAX_TEXT,
    Button,
    ButtonsContent,
    Card,
    CarouselContent,
    Content,
    LocationContent,
    MediaContent,
    ReplyContent,
    StoryReferenceContent,
    TextContent,
    UnsupportedContent,
)

MediaKind = Literal["image", "video", "audio", "sticker", "file"]
MOST_PIECES = 30
"""What is further in one message is left to the raw event; Messenger itself lets people send so many pictures."""
THUMBS_UP: Final = frozenset({"369239263222822", "369239343222814", "369239383222810"})
"""Sticker ids of the three sizes of Messenger's thumb, which is a word more than a picture."""
_LONGEST_LABEL = 80
_MOST_CARDS = 10
_MOST_BUTTONS = 3
_MEDIA: Mapping[str, MediaKind] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "file": "file",
    "sticker": "sticker",
    "reel": "video",
    "ig_reel": "video",
    # A shared post is a picture, a video or an album; its address does not tell which.
    "share": "file",
    "ig_post": "file",
    "media_share": "file",
}
_PAGES = frozenset({"facebook.com", "m.facebook.com", "messenger.com", "fb.watch", "instagram.com"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a message."""

    content: Content
    media: str | None = None
    """Where the file of a MediaContent is to be fetched."""


def pieces_of(message: Mapping[str, object], mid: str) -> list[Piece]:
    """Read a message, its text beside its first file; there is always one piece at least."""
    text = (as_text(message.get("text")) or "")[:MAX_TEXT]
    if (payload := as_text(dig(message, "quick_reply", "payload"))) is not None:
        return [Piece(ReplyContent(text=text or payload, payload=payload))]
    attachments = _attachments(message)
    pieces = [piece for one in attachments for piece in _of_attachment(one, text, mid)]
    if (story := as_map(dig(message, "reply_to", "story"))) != {}:
        return [Piece(_story_reply(story, text, mid)), *pieces]
    return _with_text(pieces, text) or [Piece(_nothing(message))]


def _attachments(message: Mapping[str, object]) -> list[dict[str, object]]:
    """What is attached. Of a shared Instagram post Meta may tell twice, as `share` and as its successor."""
    found = [as_map(one) for one in as_list(message.get("attachments"))[:MOST_PIECES]]
    newer = any(one.get("type") == "ig_post" for one in found)
    return [one for one in found if not (newer and one.get("type") == "share")]


def _with_text(pieces: Sequence[Piece], text: str) -> list[Piece]:
    if not text:
        return list(pieces)
    if pieces and isinstance(pieces[0].content, MediaContent):
        captioned = pieces[0].content.model_copy(update={"caption": text})
        return [replace(pieces[0], content=captioned), *pieces[1:]]
    return [Piece(TextContent(text=text)), *pieces]


def _nothing(message: Mapping[str, object]) -> UnsupportedContent:
    return UnsupportedContent(
        kind="unsupported" if message.get("is_unsupported") else "message without content"
    )


def _story_reply(story: Mapping[str, object], text: str, mid: str) -> StoryReferenceContent:
    return StoryReferenceContent(
        kind="story_reply",
        reference=as_text(story.get("id")) or mid,
        text=text or None,
        url=as_text(story.get("url")),
    )


def _of_attachment(attachment: Mapping[str, object], text: str, mid: str) -> Iterator[Piece]:
    kind = as_text(attachment.get("type")) or "attachment"
    payload = as_map(attachment.get("payload"))
    url = as_text(payload.get("url"))
    title = as_text(payload.get("title")) or as_text(attachment.get("title"))
    sticker = as_text(payload.get("sticker_id"))
    if sticker in THUMBS_UP:
        yield Piece(TextContent(text="👍"))
    elif kind == "like_heart":
        yield Piece(TextContent(text="❤️"))
    elif kind == "story_mention":
        # Its file is not kept: it has to go when its author deletes the story, and its address ends by then.
        reference = as_text(payload.get("id")) or mid
        yield Piece(StoryReferenceContent(kind="story_mention", reference=reference, url=url))
    elif kind == "location":
        yield Piece(_location(payload, title))
    elif kind == "template" or "product" in payload:
        yield Piece(_template(payload, title))
    elif kind in _MEDIA and url is not None and not _is_page(url):
        content = MediaContent(kind="sticker" if sticker else _MEDIA[kind], caption=title)
        yield Piece(content, media=url)
    elif url is not None or kind == "fallback":
        # A preview of a link that stands in the text says nothing more.
        link = "\n".join(part for part in (title, url or as_text(attachment.get("url"))) if part)
        if link and not text:
            yield Piece(TextContent(text=link[:MAX_TEXT]))
    else:
        yield Piece(UnsupportedContent(kind=kind, text=title))


def _is_page(url: str) -> bool:
    """Whether a shared thing is given as a page to open and not as a file."""
    host = url.partition("://")[2].partition("/")[0].lower()
    return host.removeprefix("www.") in _PAGES


def _location(payload: Mapping[str, object], title: str | None) -> Content:
    latitude = as_number(dig(payload, "coordinates", "lat"))
    longitude = as_number(dig(payload, "coordinates", "long"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return UnsupportedContent(kind="location", text=title)
    return LocationContent(latitude=latitude, longitude=longitude, name=title)


def _template(payload: Mapping[str, object], title: str | None) -> Content:
    """A product that somebody asks about, or, in an echo, a template that went out."""
    elements = as_list(payload.get("elements")) or as_list(dig(payload, "product", "elements"))
    cards = [card for element in elements if (card := _card(as_map(element))) is not None]
    if cards:
        return CarouselContent(cards=cards[:_MOST_CARDS])
    text = as_text(payload.get("text"))
    buttons = _buttons(payload)
    if text and buttons:
        return ButtonsContent(text=text[:MAX_TEXT], buttons=buttons)
    return UnsupportedContent(kind=as_text(payload.get("template_type")) or "template", text=text or title)


def _card(element: Mapping[str, object]) -> Card | None:
    title = as_text(element.get("title"))
    if title is None:
        return None
    return Card(
        title=title[:_LONGEST_LABEL],
        subtitle=as_text(element.get("subtitle")),
        image_url=as_text(element.get("image_url")),
        buttons=_buttons(element),
    )


def _buttons(holder: Mapping[str, object]) -> list[Button]:
    fields = [as_map(button) for button in as_list(holder.get("buttons"))]
    return [
        Button(label=title[:_LONGEST_LABEL], payload=as_text(one.get("payload")), url=as_text(one.get("url")))
        for one in fields
        if (title := as_text(one.get("title"))) is not None
    ][:_MOST_BUTTONS]
