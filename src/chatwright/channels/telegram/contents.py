"""What a message says, out of the many parts that it may have (Bot API, Message)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from chatwright.channels.telegram.files import FileReference, file_in
from chatwright.net.reading import as_list, as_map, as_number, as_text, dig
from chatwright.ports.content import (
    MAX_TEXT,
    ContactCardContent,
    Content,
    LocationContent,
    MediaContent,
    ReplyContent,
    StoryReferenceContent,
    TextContent,
    UnsupportedContent,
)


@dataclass(frozen=True, slots=True)
class Said:
    """The content of a message, and its file if it has one."""

    content: Content
    file: FileReference | None = None


Message = Mapping[str, Any]
Kind = Literal["image", "video", "audio", "voice", "sticker", "file"]


def said_in(message: Message) -> Said | None:
    """What a message says; None when it is one of the notes that a chat makes by itself."""
    story = _answer_to_story(message)
    if story is not None:
        return Said(story)
    for name, read in _READERS.items():
        if name in message and (found := read(message)) is not None:
            return found
    kind = kind_of(message)
    if kind in NOTES:
        return None
    return Said(UnsupportedContent(kind=kind, text=_words(message)))


def kind_of(message: Message) -> str:
    """The part that makes the message what it is, by the provider's name."""
    known = next((name for name in (*_READERS, *_SHOWN_AS_WORDS, *sorted(NOTES)) if name in message), None)
    return known or next((name for name in message if name not in _ABOUT), "empty")


def _text(message: Message) -> Said | None:
    text = as_text(message.get("text"))
    return Said(TextContent(text=text[:MAX_TEXT])) if text else None


def _photo(message: Message) -> Said | None:
    """A photo comes in several sizes, the largest last."""
    sizes = [as_map(size) for size in as_list(message.get("photo"))]
    return _with_file(message, "image", sizes[-1] if sizes else {}, "image/jpeg")


def _file(name: str, kind: Kind, media_type: str) -> Callable[[Message], Said | None]:
    def read(message: Message) -> Said | None:
        return _with_file(message, kind, as_map(message.get(name)), media_type)

    return read


def _sticker(message: Message) -> Said | None:
    sticker = as_map(message.get("sticker"))
    moving = "application/x-tgsticker" if sticker.get("is_animated") is True else "image/webp"
    return _with_file(
        message, "sticker", sticker, "video/webm" if sticker.get("is_video") is True else moving
    )


def _with_file(message: Message, kind: Kind, part: Mapping[str, Any], media_type: str) -> Said | None:
    file = file_in(part, media_type)
    if file is None:
        return None
    caption = as_text(message.get("caption"))
    return Said(MediaContent(kind=kind, caption=caption, filename=file.filename), file)


def _place(message: Message) -> Said | None:
    venue = as_map(message.get("venue"))
    location = as_map(venue.get("location")) or as_map(message.get("location"))
    latitude, longitude = as_number(location.get("latitude")), as_number(location.get("longitude"))
    if latitude is None or longitude is None:
        return None
    name, address = as_text(venue.get("title")), as_text(venue.get("address"))
    try:
        return Said(LocationContent(latitude=latitude, longitude=longitude, name=name, address=address))
    except ValidationError:
        return None


def _contact(message: Message) -> Said | None:
    contact = as_map(message.get("contact"))
    name = " ".join(filter(None, (as_text(contact.get("first_name")), as_text(contact.get("last_name")))))
    phone = as_text(contact.get("phone_number"))
    if not name and not phone:
        return None
    return Said(ContactCardContent(name=name or phone or "", phones=[phone] if phone else []))


def _from_web_app(message: Message) -> Said | None:
    """What a page opened from the keyboard hands back: any text, often JSON but not always."""
    handed = as_map(message.get("web_app_data"))
    data = as_text(handed.get("data"))
    if data is None:
        return None
    return Said(ReplyContent(text=as_text(handed.get("button_text")) or data[:MAX_TEXT], payload=data))


def _answer_to_story(message: Message) -> StoryReferenceContent | None:
    story = as_map(message.get("reply_to_story"))
    story_id = as_text(story.get("id"))
    if story_id is None:
        return None
    chat_id = as_text(dig(story, "chat", "id")) or "unknown"
    text = as_text(message.get("text")) or as_text(message.get("caption"))
    return StoryReferenceContent(kind="story_reply", reference=f"{chat_id}/{story_id}", text=text)


_READERS: Mapping[str, Callable[[Message], Said | None]] = {
    "text": _text,
    "photo": _photo,
    # An animation comes with a document, and a venue with a location, for clients that know only those.
    "animation": _file("animation", "video", "video/mp4"),
    "video": _file("video", "video", "video/mp4"),
    "video_note": _file("video_note", "video", "video/mp4"),
    "audio": _file("audio", "audio", "audio/mpeg"),
    "voice": _file("voice", "voice", "audio/ogg"),
    "document": _file("document", "file", "application/octet-stream"),
    "sticker": _sticker,
    "venue": _place,
    "location": _place,
    "contact": _contact,
    "web_app_data": _from_web_app,
}


def _words(message: Message) -> str | None:
    """Any words found in something that we do not show as what it is."""
    for name, read in _SHOWN_AS_WORDS.items():
        if name in message:
            return read(as_map(message.get(name)))
    words = as_text(message.get("text")) or as_text(message.get("caption"))
    return words[:MAX_TEXT] if words else None


def _poll(poll: Mapping[str, Any]) -> str | None:
    options = [as_text(as_map(option).get("text")) for option in as_list(poll.get("options"))]
    lines = [as_text(poll.get("question")), *(f"- {option}" for option in options if option)]
    return "\n".join(line for line in lines if line) or None


def _dice(dice: Mapping[str, Any]) -> str | None:
    return " ".join(filter(None, (as_text(dice.get("emoji")), as_text(dice.get("value"))))) or None


def _checklist(checklist: Mapping[str, Any]) -> str | None:
    tasks = [as_text(as_map(task).get("text")) for task in as_list(checklist.get("tasks"))]
    lines = [as_text(checklist.get("title")), *(f"- {task}" for task in tasks if task)]
    return "\n".join(line for line in lines if line) or None


def _titled(part: Mapping[str, Any]) -> str | None:
    return as_text(part.get("title")) or as_text(part.get("description"))


_SHOWN_AS_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "poll": _poll,
    "dice": _dice,
    "checklist": _checklist,
    "game": _titled,
    "invoice": _titled,
    "story": _titled,
    "paid_media": _titled,
    "giveaway": _titled,
    "giveaway_winners": _titled,
}

NOTES = frozenset(
    {
        *("new_chat_members", "new_chat_member", "new_chat_participant"),
        *("left_chat_member", "left_chat_participant", "new_chat_title", "new_chat_photo"),
        *("delete_chat_photo", "group_chat_created", "supergroup_chat_created", "channel_chat_created"),
        *("message_auto_delete_timer_changed", "migrate_to_chat_id", "migrate_from_chat_id"),
        *("pinned_message", "successful_payment", "refunded_payment", "users_shared", "chat_shared"),
        *("gift", "unique_gift", "connected_website", "write_access_allowed", "passport_data"),
        *("proximity_alert_triggered", "boost_added", "chat_background_set", "checklist_tasks_done"),
        *("checklist_tasks_added", "direct_message_price_changed", "paid_message_price_changed"),
        *("forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened"),
        *("general_forum_topic_hidden", "general_forum_topic_unhidden", "giveaway_created"),
        *("giveaway_completed", "video_chat_scheduled", "video_chat_started", "video_chat_ended"),
        "video_chat_participants_invited",
    }
)
"""What a chat tells of itself (service messages): nobody said it to us."""

_ABOUT = frozenset(
    {
        *("message_id", "message_thread_id", "from", "sender_chat", "sender_boost_count"),
        *("sender_business_bot", "sender_tag", "date", "business_connection_id", "chat", "forward_origin"),
        *("forward_from", "forward_from_chat", "forward_from_message_id", "forward_signature"),
        *("forward_sender_name", "forward_date", "is_topic_message", "is_automatic_forward"),
        *("reply_to_message", "external_reply", "quote", "reply_to_story", "reply_to_checklist_task_id"),
        *("via_bot", "edit_date", "has_protected_content", "is_from_offline", "is_paid_post"),
        *("media_group_id", "author_signature", "paid_star_count", "entities", "link_preview_options"),
        *("suggested_post_info", "effect_id", "caption", "caption_entities", "show_caption_above_media"),
        *("has_media_spoiler", "reply_markup", "direct_messages_topic"),
    }
)
"""Parts that tell about a message and are not what it says."""
