"""What a send shows in the person's phone, once it is checked as Messenger and Instagram check it."""

from datetime import datetime
from typing import Any

from chatwright.sandbox.graph.accounts import GraphAccount, Template
from chatwright.sandbox.graph.errors import GraphError, invalid, missing
from chatwright.sandbox.graph.reading import Part
from chatwright.sandbox.graph.templates import filled
from chatwright.sandbox.world import Bubble, Button, Card, Media

MEDIA_KINDS = {"image", "audio", "video", "file"}
MESSENGER_TEXT = 2000
INSTAGRAM_BYTES = 1000
TITLE = 20
"""Longer titles are cut, not refused."""
CARD_TEXT = 80
MEGABYTE = 1024 * 1024


def read_message(body: dict[str, Any]) -> Part:
    """The message of a call; raises GraphError."""
    if not body.get("message"):
        raise GraphError(
            100, "Message cannot be empty, must provide valid attachment or text", subcode=2018015
        )
    return Part(body["message"], "message", lacking=missing, wrong=invalid)


def draw(account: GraphAccount, message: Part, bubble_id: str, at: datetime) -> Bubble:
    """The bubble of a message; raises GraphError."""
    bubble = Bubble(bubble_id, "account", "text", at, details=message.fields)
    text = message.text_or_none("text")
    parts = [message.part("attachment")] if message.has("attachment") else []
    if message.has("attachments"):
        parts += message.parts("attachments", most=30)
    if text and parts:
        raise invalid("Messages must not have both text and an attachment.")
    if text:
        _check_length(account, text)
        bubble.text = text
    elif message.has("template"):
        _draw_utility(account, message.part("template"), bubble)
    elif parts:
        for part in parts:
            _draw_attachment(account, part, bubble)
    else:
        raise GraphError(
            100, "Message cannot be empty, must provide valid attachment or text", subcode=2018015
        )
    if message.has("quick_replies"):
        bubble.buttons += _quick_replies(account, message)
    return bubble


def _check_length(account: GraphAccount, text: str) -> None:
    if account.kind == "instagram" and len(text.encode()) > INSTAGRAM_BYTES:
        raise invalid(f"Length of param message[text] must be less than or equal to {INSTAGRAM_BYTES} bytes")
    if len(text) > MESSENGER_TEXT:
        raise invalid(f"Length of param message[text] must be less than or equal to {MESSENGER_TEXT}")


def _quick_replies(account: GraphAccount, message: Part) -> list[Button]:
    replies: list[Button] = []
    for index, reply in enumerate(message.parts("quick_replies", most=13)):
        kind = reply.text("content_type")
        if kind == "text":
            title, payload = reply.text("title"), reply.text("payload", most=1000)
            replies.append(Button(f"q{index}", title[:TITLE], "quick_reply", payload))
        elif kind in {"user_phone_number", "user_email"} and account.kind == "messenger":
            replies.append(Button(f"q{index}", kind, "quick_reply", kind))
        else:
            raise invalid(f"Quick replies of content_type {kind} are not supported.")
    return replies


def _draw_attachment(account: GraphAccount, part: Part, bubble: Bubble) -> None:
    kind = part.text("type")
    if kind == "template":
        _draw_template(part.part("payload"), bubble)
        return
    if kind == "like_heart" and account.kind == "instagram":
        bubble.kind, bubble.text = kind, "❤️"
        return
    if kind not in MEDIA_KINDS:
        raise invalid(f"Attachment type {kind} is not supported.")
    bubble.kind = kind
    bubble.media.append(media_in(account, part.part("payload"), kind))


def media_in(account: GraphAccount, payload: Part, kind: str) -> Media:
    """A file by address or attachment id."""
    if payload.has("attachment_id"):
        file = account.files.get(str(payload.fields["attachment_id"]))
        if file is None:
            raise GraphError(100, "Attachment was not found.", subcode=2018074)
        return Media(kind, file.mime_type, file.content, filename=file.filename)
    url = payload.text("url")
    if not url.startswith(("https://", "http://")):
        raise invalid("Param url is not a valid URI.")
    return Media(kind, "", url=url)


def check_file(account: GraphAccount, media: Media) -> None:
    """What is wrong with a file that was fetched; raises GraphError."""
    limit = 8 if account.kind == "instagram" and media.kind == "image" else 25
    if len(media.content) > limit * MEGABYTE:
        raise GraphError(100, "Attachment size exceeds allowable limit", subcode=2018047)
    family = media.mime_type.partition("/")[0]
    if media.kind != "file" and family in {"image", "audio", "video", "text"} and family != media.kind:
        raise GraphError(100, "Upload attachment failure: type mismatch.", subcode=2018047)


def _draw_template(payload: Part, bubble: Bubble) -> None:
    bubble.kind = payload.text("template_type")
    if bubble.kind == "generic":
        bubble.cards = [
            _card(element, index) for index, element in enumerate(payload.parts("elements", most=10))
        ]
    elif bubble.kind == "button":
        bubble.text = payload.text("text", most=640)
        bubble.buttons = _buttons(payload, "b")
    elif bubble.kind == "media":
        element = payload.parts("elements", most=1)[0]
        bubble.media = [Media(element.text("media_type"), "", url=str(element.fields.get("url", "")))]
        bubble.buttons = _buttons(element, "b") if element.has("buttons") else []
    elif bubble.kind not in {"receipt", "coupon", "product", "customer_information", "image_grid"}:
        raise invalid(f"Template type {bubble.kind} is not supported.")


def _card(element: Part, index: int) -> Card:
    title = element.text("title")
    subtitle = element.text_or_none("subtitle") or ""
    image = element.text_or_none("image_url") or ""
    buttons = _buttons(element, f"{index}.") if element.has("buttons") else []
    if not (subtitle or image or buttons or element.has("default_action")):
        raise invalid("A card needs at least one thing beside its title.")
    return Card(title[:CARD_TEXT], subtitle[:CARD_TEXT], image, buttons)


def _buttons(part: Part, prefix: str) -> list[Button]:
    given = part.fields.get("buttons")
    if isinstance(given, list) and not 1 <= len(part.fields["buttons"]) <= 3:
        raise GraphError(100, "Number of buttons must be between 1 and 3.", subcode=2018041)
    buttons: list[Button] = []
    for index, button in enumerate(part.parts("buttons")):
        kind = button.text("type")
        if kind == "postback":
            target = button.text("payload", most=1000)
        elif kind == "web_url":
            target = button.text("url")
        elif kind == "phone_number":
            target = button.text("payload")
        elif kind in {"account_link", "account_unlink"}:
            target = str(button.fields.get("url", ""))
        else:
            raise GraphError(100, f"Button type {kind} is not supported.", subcode=2018040)
        title = button.fields.get("title", kind)
        buttons.append(Button(f"{prefix}{index}", str(title)[:TITLE], kind, target))
    return buttons


def _draw_utility(account: GraphAccount, call: Part, bubble: Bubble) -> None:
    """A utility template, which stands in `message.template`."""
    name, language = call.text("name"), call.part("language").text("code")
    template: Template | None = account.find_template(name, language)
    if template is None or template.status != "APPROVED":
        raise invalid(f"Template {name} in {language} does not exist or is not approved.")
    bubble.kind = "template"
    given = {
        str(part.fields.get("type", "")).upper(): part.fields.get("parameters", [])
        for part in (call.parts("components") if call.fields.get("components") else [])
    }
    for component in template.components:
        kind = str(component.get("type", "")).upper()
        if kind == "BUTTONS":
            bubble.buttons = [
                Button(f"b{index}", str(one.get("text", "")), "postback", str(one.get("payload", "")))
                for index, one in enumerate(component.get("buttons", []))
            ]
            continue
        text = filled(str(component.get("text", "")), given.get(kind, []))
        if kind == "HEADER":
            bubble.header = text
        else:
            bubble.text = "\n".join(filter(None, (bubble.text, text)))
