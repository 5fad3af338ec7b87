"""Our contents as messages of the Cloud API (POST /{phone_number_id}/messages)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from chatwright.channels.whatsapp.people import is_user_id, phone_digits
from chatwright.channels.whatsapp.settings import WhatsAppSettings
from chatwright.net.forms import FormFile
from chatwright.net.graph.client import GraphClient, attempt, not_yet_sent, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.graph.templates import filled_template
from chatwright.net.http import NoAnswer, NotSent
from chatwright.net.reading import as_list, as_text, dig
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    ContactCardContent,
    ListContent,
    ListRow,
    LocationContent,
    MediaContent,
    QuickRepliesContent,
    ReactionContent,
    TemplateContent,
    TextContent,
)
from chatwright.ports.sending import Outgoing, OutgoingFile, Reaction, SendOutcome

PRODUCT: Final = {"messaging_product": "whatsapp"}
# Interactive list messages; what else is limited is so by the channel's capabilities.
LONGEST_HEADING: Final = 24
LONGEST_DESCRIPTION: Final = 72
_KINDS: Final = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "voice": "audio",
    "sticker": "sticker",
    "file": "document",
}
_CAPTIONED: Final = frozenset({"image", "video", "document"})
Message = dict[str, Any]


async def send(client: GraphClient, settings: WhatsAppSettings, outgoing: Outgoing) -> SendOutcome:
    """Put a message on the wire once, after its file if it has one."""
    address = address_of(outgoing.to)
    if address is None:
        detail = "This person has neither a phone number nor a user id of WhatsApp."
        return SendOutcome(reaction=Reaction.UNREACHABLE, detail=detail)
    file_id = None
    if outgoing.file is not None and not settings.send_links:
        try:
            file_id = await _upload(client, settings.phone_number_id, outgoing.file)
        except (GraphError, NotSent, NoAnswer) as error:
            return not_yet_sent(error)
    message = message_of(outgoing, file_id, preview=settings.preview_links)
    if message is None:
        return SendOutcome(reaction=Reaction.BAD_PAYLOAD, detail="WhatsApp cannot show this.")
    body = {
        **PRODUCT,
        "recipient_type": "individual",
        **address,
        **message,
        "biz_opaque_callback_data": str(outgoing.message_id),
    }
    return await attempt(client.post(path_of(settings.phone_number_id, "messages"), body), _ids_in)


def address_of(to: str) -> dict[str, str] | None:
    """Whom a message goes to: a user id and a phone number have fields of their own. None for no address."""
    if is_user_id(to):
        return {"recipient": to}
    digits = phone_digits(to)
    return {"to": digits} if digits else None


def message_of(outgoing: Outgoing, file_id: str | None, *, preview: bool) -> Message | None:
    """The part of a body that says what is said; None for a content that has no form here."""
    content = outgoing.content
    if isinstance(content, ReactionContent):
        answered = outgoing.reply_to or content.message_id
        return _typed("reaction", {"message_id": answered, "emoji": content.emoji})
    message = (
        _media(content, outgoing.file, file_id)
        if isinstance(content, MediaContent)
        else _said(content, preview)
    )
    if message is None or outgoing.reply_to is None:
        return message
    return {**message, "context": {"message_id": outgoing.reply_to}}


def _said(content: object, preview: bool) -> Message | None:  # noqa: FBT001 - a setting passed on.
    match content:
        case TextContent(text=text):
            return _typed("text", {"body": text, "preview_url": preview})
        case LocationContent():
            return _typed("location", content.model_dump(exclude={"type"}, exclude_none=True))
        case ContactCardContent():
            return _typed("contacts", [_card(content)])
        case TemplateContent():
            return _typed("template", filled_template(content))
        case _:
            return _interactive(content)


def _interactive(content: object) -> Message | None:
    """What people can press."""
    match content:
        case ButtonsContent(text=text, buttons=[Button(url=str(url), label=label)]):
            action = {"name": "cta_url", "parameters": {"display_text": label, "url": url}}
            return _pressed("cta_url", text, action)
        case ButtonsContent(text=text, buttons=buttons) | QuickRepliesContent(text=text, replies=buttons):
            return _pressed("button", text, {"buttons": [_reply(button) for button in buttons]})
        case ListContent():
            return _list(content)
        case _:
            return None


async def _upload(client: GraphClient, phone_number_id: str, file: OutgoingFile) -> str:
    """Give WhatsApp a file, which it keeps for 30 days; returns its id there."""
    form_file = FormFile("file", file.filename, file.media_type, file.read(), file.size)
    fields = {**PRODUCT, "type": file.media_type}
    reply = await client.upload(path_of(phone_number_id, "media"), fields, form_file)
    file_id = as_text(reply.body.get("id"))
    if file_id is None:
        message = "WhatsApp took the file and did not name it."
        raise NotSent(message)
    return file_id


def _media(content: MediaContent, file: OutgoingFile | None, file_id: str | None) -> Message | None:
    kind = _KINDS[content.kind]
    link = file.url if file is not None else content.url
    if file_id is None and link is None:
        return None
    part: Message = {"id": file_id} if file_id is not None else {"link": link}
    if content.caption and kind in _CAPTIONED:
        part["caption"] = content.caption
    if kind == "document":
        part["filename"] = content.filename or (file.filename if file is not None else "file")
    if content.kind == "voice":
        part["voice"] = True
    return _typed(kind, part)


def _list(content: ListContent) -> Message:
    sections = [
        {
            "title": (section.title or f"{number}")[:LONGEST_HEADING],
            "rows": [_row(row) for row in section.rows],
        }
        for number, section in enumerate(content.sections, 1)
    ]
    if len(sections) == 1 and content.sections[0].title is None:
        # Only where there are several does each need a heading.
        del sections[0]["title"]
    return _pressed("list", content.text, {"button": content.button, "sections": sections})


def _row(row: ListRow) -> dict[str, str]:
    described = {"description": row.description[:LONGEST_DESCRIPTION]} if row.description else {}
    return {"id": row.payload or row.title, "title": row.title, **described}


def _reply(button: Button) -> Message:
    return {"type": "reply", "reply": {"id": button.payload or button.label, "title": button.label}}


def _card(content: ContactCardContent) -> Message:
    card: Message = {"name": {"formatted_name": content.name, "first_name": content.name}}
    if content.phones:
        card["phones"] = [{"phone": phone} for phone in content.phones]
    if content.emails:
        card["emails"] = [{"email": email} for email in content.emails]
    return card


def _pressed(kind: str, text: str, action: Mapping[str, object]) -> Message:
    return _typed("interactive", {"type": kind, "body": {"text": text}, "action": action})


def _typed(kind: str, part: object) -> Message:
    return {"type": kind, kind: part}


def _ids_in(answer: Mapping[str, object]) -> Sequence[str]:
    return [name for one in as_list(answer.get("messages")) if (name := as_text(dig(one, "id"))) is not None]
