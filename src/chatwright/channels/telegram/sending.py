"""Our messages as calls of the Bot API. Text goes as it is, without a parse mode, so nothing in it can be wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatwright.channels.telegram.addresses import Chat, message_id_in
from chatwright.channels.telegram.keyboards import (
    DATA_BYTES,
    answers_with_its_words,
    inline_keyboard,
    reply_keyboard,
    too_long,
)
from chatwright.channels.telegram.reactions import reaction_of
from chatwright.net.forms import FormFile
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    ContactCardContent,
    LocationContent,
    MediaContent,
    QuickRepliesContent,
    ReactionContent,
    TextContent,
)
from chatwright.ports.sending import Outgoing

Fields = dict[str, Any]


class Unsendable(Exception):
    """The message cannot be put into a call; the words say why."""


@dataclass(frozen=True, slots=True)
class Call:
    """A method with what goes with it."""

    method: str
    fields: Mapping[str, Any]
    file: FormFile | None = None


def call_for(outgoing: Outgoing, chat: Chat) -> Call:
    """The call that sends a message; raises Unsendable."""
    match outgoing.content:
        case ReactionContent() as reaction:
            return _reaction(reaction, outgoing, chat)
        case MediaContent() as media:
            call = _media(media, outgoing)
        case TextContent() as content:
            call = Call("sendMessage", {"text": content.text})
        case ButtonsContent() as content:
            call = _with_buttons(content.text, content.buttons)
        case QuickRepliesContent() as content:
            call = _with_replies(content)
        case LocationContent() as place:
            call = _location(place)
        case ContactCardContent() as card:
            call = _contact(card)
        case other:
            raise Unsendable(f"Telegram has nothing to show '{other.type}' as.")
    return Call(call.method, {**_to(chat), **call.fields, **_answering(outgoing)}, call.file)


def _to(chat: Chat) -> Fields:
    fields: Fields = {"chat_id": int(chat.id)}
    if chat.topic is not None:
        fields["message_thread_id"] = int(chat.topic)
    if chat.business is not None:
        fields["business_connection_id"] = chat.business
    return fields


def _answering(outgoing: Outgoing) -> Fields:
    number = message_id_in(outgoing.reply_to)
    if number is None:
        return {}
    # The message answered may have been deleted meanwhile; the answer should go all the same.
    return {"reply_parameters": {"message_id": number, "allow_sending_without_reply": True}}


def _with_buttons(text: str, buttons: list[Button]) -> Call:
    if too_long(buttons):
        raise Unsendable(f"A button's payload has more than the {DATA_BYTES} bytes that Telegram carries.")
    return Call("sendMessage", {"text": text, "reply_markup": inline_keyboard(buttons)})


def _with_replies(content: QuickRepliesContent) -> Call:
    """A reply keyboard answers with its words alone; where more is meant, buttons below the message say it."""
    if all(map(answers_with_its_words, content.replies)):
        return Call("sendMessage", {"text": content.text, "reply_markup": reply_keyboard(content.replies)})
    return _with_buttons(content.text, content.replies)


def _location(place: LocationContent) -> Call:
    where: Fields = {"latitude": place.latitude, "longitude": place.longitude}
    if place.name and place.address:
        return Call("sendVenue", {**where, "title": place.name, "address": place.address})
    return Call("sendLocation", where)


def _contact(card: ContactCardContent) -> Call:
    if not card.phones:
        raise Unsendable("Telegram shows contacts by their phone number, and this one has none.")
    fields = {"phone_number": card.phones[0], "first_name": card.name or card.phones[0]}
    if card.emails or card.phones[1:]:
        fields["vcard"] = _vcard(card)
    return Call("sendContact", fields)


def _vcard(card: ContactCardContent) -> str:
    """What is more than a name and a number (RFC 6350; Telegram takes up to 2048 bytes)."""
    lines = [
        "BEGIN:VCARD",
        "VERSION:4.0",
        f"FN:{_escaped(card.name)}",
        *(f"TEL:{_escaped(phone)}" for phone in card.phones),
        *(f"EMAIL:{_escaped(email)}" for email in card.emails),
        "END:VCARD",
    ]
    return "\r\n".join(lines)


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    return escaped.replace("\r", "").replace("\n", "\\n")


def _reaction(reaction: ReactionContent, outgoing: Outgoing, chat: Chat) -> Call:
    number = message_id_in(reaction.message_id) or message_id_in(outgoing.reply_to)
    if number is None:
        raise Unsendable("The message to react to is not known at Telegram.")
    to = {name: value for name, value in _to(chat).items() if name != "message_thread_id"}
    return Call("setMessageReaction", {**to, "message_id": number, "reaction": reaction_of(reaction.emoji)})


def _media(media: MediaContent, outgoing: Outgoing) -> Call:
    method, name = _method_for(media.kind, outgoing.file.media_type if outgoing.file else None)
    fields: Fields = {"caption": media.caption} if media.caption and name != "sticker" else {}
    file = outgoing.file
    if file is not None:
        return Call(method, fields, FormFile(name, file.filename, file.media_type, file.read(), file.size))
    if media.url is None:
        raise Unsendable("The message has no file, and no address of one.")
    return Call(method, {**fields, name: media.url})


_METHODS: Mapping[str, tuple[str, str]] = {
    "image": ("sendPhoto", "photo"),
    "video": ("sendVideo", "video"),
    "audio": ("sendAudio", "audio"),
    "voice": ("sendVoice", "voice"),
    "sticker": ("sendSticker", "sticker"),
    "file": ("sendDocument", "document"),
}


def _method_for(kind: str, media_type: str | None) -> tuple[str, str]:
    """The method and its field; a GIF would stand still as a photo."""
    if kind == "image" and media_type == "image/gif":
        return "sendAnimation", "animation"
    return _METHODS[kind]
