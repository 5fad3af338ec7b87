"""Our messages as calls (Official Account documentation, Send consulting message)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatwright.channels.zalo.addresses import Address, AnonymousAddress, PhoneAddress, UserAddress
from chatwright.channels.zalo.contents import PRESSED
from chatwright.channels.zalo.reactions import icon_of
from chatwright.channels.zalo.uploads import media_attachment
from chatwright.ports.content import (
    Button,
    ButtonsContent,
    MediaContent,
    ReactionContent,
    TemplateContent,
    TextContent,
)
from chatwright.ports.sending import Outgoing

REQUEST_USER_INFO = "request_user_info"
"""The one template that needs no approval: a card with a button that shares name, phone and address."""

Json = dict[str, Any]


class Unsendable(Exception):
    """The message cannot be put into a call; the words say why."""


@dataclass(frozen=True, slots=True)
class Call:
    """A path with what goes to it."""

    path: str
    body: Mapping[str, Any]
    business: bool = False
    """Whether it is the host of templates to phone numbers."""
    makes_none: bool = False
    """Whether no message comes of it; the id in the answer is then the one that was reacted to."""


def call_for(outgoing: Outgoing, address: Address, attachment: Json | None = None) -> Call:
    """The call that sends a message; `attachment` is its file as it was uploaded. Raises Unsendable."""
    content = outgoing.content
    match address:
        case PhoneAddress(phone=phone):
            return _to_phone(outgoing, phone)
        case AnonymousAddress():
            return Call(
                "/v2.0/oa/message", {"recipient": address.recipient, **_message(outgoing, attachment)}
            )
        case UserAddress():
            pass
    match content:
        case ReactionContent():
            body = {"recipient": address.recipient, **_reaction(content, outgoing)}
            return Call("/v2.0/oa/message", body, makes_none=True)
        case TemplateContent() if content.name != REQUEST_USER_INFO:
            body = {"user_id": address.user_id, **_template(content)}
            return Call("/v3.0/oa/message/template", body)
        case _:
            body = {"recipient": address.recipient, **_message(outgoing, attachment)}
            return Call("/v3.0/oa/message/cs", body)


def without_quote(call: Call) -> Call | None:
    """The same without the message it answers, which Zalo may have forgotten; None when it answers none."""
    message: Json = dict(call.body.get("message") or {})
    if message.pop("quote_message_id", None) is None:
        return None
    return Call(call.path, {**call.body, "message": message}, call.business)


def _to_phone(outgoing: Outgoing, phone: str) -> Call:
    content = outgoing.content
    if not isinstance(content, TemplateContent) or content.name == REQUEST_USER_INFO:
        raise Unsendable("A phone number gets nothing from Zalo but approved templates.")
    body = {"phone": phone, **_template(content), "tracking_id": str(outgoing.message_id)}
    return Call("/message/template", body, business=True)


def _template(content: TemplateContent) -> Json:
    return {"template_id": content.name, "template_data": dict(content.parameters)}


def _message(outgoing: Outgoing, attachment: Json | None) -> Json:
    message = _parts(outgoing, attachment)
    if outgoing.reply_to:
        # The second and later files of a message go by its id with a number.
        message["quote_message_id"] = outgoing.reply_to.partition("/")[0]
    return {"message": message}


def _parts(outgoing: Outgoing, attachment: Json | None) -> Json:
    match outgoing.content:
        case TextContent() as content:
            return {"text": content.text}
        case ButtonsContent() as content:
            buttons = [_button(button) for button in content.buttons]
            return {
                "text": content.text,
                "attachment": {"type": "template", "payload": {"buttons": buttons}},
            }
        case MediaContent() as media:
            return _media(media, attachment)
        case TemplateContent(name=name, parameters=parameters) if name == REQUEST_USER_INFO:
            card = {
                field: parameters[field]
                for field in ("title", "subtitle", "image_url")
                if field in parameters
            }
            payload = {"template_type": REQUEST_USER_INFO, "elements": [card]}
            return {"attachment": {"type": "template", "payload": payload}}
        case other:
            raise Unsendable(f"Zalo has nothing to show '{other.type}' as.")


def _media(media: MediaContent, attachment: Json | None) -> Json:
    caption: Json = {"text": media.caption} if media.caption else {}
    if attachment is not None:
        return {**caption, "attachment": attachment}
    if media.kind != "image" or media.url is None:
        raise Unsendable("The message has no file, and no address of a picture.")
    return {**caption, "attachment": media_attachment({"media_type": "image", "url": media.url})}


def _button(button: Button) -> Json:
    """A press comes back as text: what the button shows, or a payload that is marked as one and not shown."""
    if button.url is not None:
        return {"title": button.label, "type": "oa.open.url", "payload": {"url": button.url}}
    if button.payload in {None, button.label}:
        return {"title": button.label, "type": "oa.query.show", "payload": button.label}
    return {"title": button.label, "type": "oa.query.hide", "payload": f"{PRESSED}{button.payload}"}


def _reaction(reaction: ReactionContent, outgoing: Outgoing) -> Json:
    icon = icon_of(reaction.emoji)
    if icon is None:
        raise Unsendable("Zalo has no such reaction; it has a heart, a thumb and four faces.")
    message_id = outgoing.reply_to or reaction.message_id
    return {"sender_action": {"react_icon": icon, "react_message_id": message_id.partition("/")[0]}}
