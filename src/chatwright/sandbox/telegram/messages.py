"""Messages as the Bot API tells of them, and as they stand in somebody's phone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from chatwright.sandbox.telegram.bot import Bot
from chatwright.sandbox.telegram.chats import chat_of, user_of
from chatwright.sandbox.telegram.keyboards import Markup
from chatwright.sandbox.world import Bubble, Button, Media, Person, Side

KINDS = (
    *("text", "photo", "video", "animation", "audio", "voice", "video_note", "document", "sticker"),
    *("venue", "location", "contact", "poll", "dice"),
)
"""What a message can be; one with several is the first of them."""


def compose(
    bot: Bot,
    person: Person,
    parts: Mapping[str, Any],
    *,
    by: Side,
    at: datetime,
    reply_to: Bubble | None = None,
) -> dict[str, Any]:
    """A message of these parts, with a new id."""
    message: dict[str, Any] = {
        "message_id": bot.next_message_id(),
        "from": bot.me() if by == "account" else user_of(person),
        "chat": chat_of(person),
        "date": int(at.timestamp()),
    }
    if reply_to is not None:
        shown = {name: part for name, part in reply_to.details.items() if name != "reply_to_message"}
        message["reply_to_message"] = shown
    return message | dict(parts)


def bubble_of(message: Mapping[str, Any], *, side: Side, at: datetime, media: Sequence[Media] = ()) -> Bubble:
    """The message in the phone."""
    replied = message.get("reply_to_message")
    return Bubble(
        id=str(message["message_id"]),
        side=side,
        kind=next((kind for kind in KINDS if kind in message), "other"),
        at=at,
        text=text_of(message),
        media=list(media),
        buttons=buttons_of(message.get("reply_markup")),
        tick="sent",
        reply_to=str(replied["message_id"]) if replied else None,
        details=dict(message),
    )


def text_of(message: Mapping[str, Any]) -> str:
    """What a message says in words."""
    match message:
        case {"text": str(text)} | {"caption": str(text)}:
            return text
        case {"venue": {"title": title, "address": address}}:
            return f"{title}, {address}"
        case {"location": {"latitude": latitude, "longitude": longitude}}:
            return f"{latitude}, {longitude}"
        case {"contact": {"first_name": first, "phone_number": phone, **others}}:
            return " ".join(filter(None, (first, others.get("last_name"), phone)))
        case {"poll": {"question": question}}:
            return str(question)
        case _:
            return ""


def buttons_of(markup: Markup | None) -> list[Button]:
    """What can be pressed under a message, or stands instead of the keyboard."""
    if not markup:
        return []
    inline = markup.get("inline_keyboard")
    rows = cast("list[list[Any]]", inline or markup.get("keyboard") or [])
    return [
        Button(
            id=f"{row}.{column}",
            title=button["text"],
            kind=_kind(button, inline=bool(inline)),
            payload=str(button.get("callback_data") or button.get("url") or button["text"]),
        )
        for row, buttons in enumerate(rows)
        for column, button in enumerate(_buttons(buttons))
    ]


def _buttons(row: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"text": button} if isinstance(button, str) else button for button in row]


def _kind(button: Mapping[str, Any], *, inline: bool) -> str:
    if not inline:
        return next(
            (name for name in ("request_contact", "request_location") if button.get(name)), "keyboard"
        )
    return "callback" if "callback_data" in button else "url" if "url" in button else "other"
