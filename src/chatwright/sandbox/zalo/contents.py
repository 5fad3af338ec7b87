"""What an app may send to somebody: checked as Zalo checks it, and read into a bubble."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from chatwright.sandbox.world import Bubble, Button, Card, Media
from chatwright.sandbox.zalo.account import Asset, OfficialAccount
from chatwright.sandbox.zalo.refusals import Refused

TEXT_LIMIT = 2000
MOST_BUTTONS = 5
BUTTON_TITLE = 100
PAYLOAD_LIMIT = 1000
LINK_TYPES = frozenset({"oa.open.url", "oa.open.phone", "oa.open.sms"})
QUERY_TYPES = frozenset({"oa.query.show", "oa.query.hide"})
MEDIA_TYPES = frozenset({"image", "gif", "sticker"})

JSON = Mapping[str, Any]


@dataclass
class Content:
    """A message as it will stand in the phone, and the kind of echo it makes."""

    event: str
    kind: str
    text: str = ""
    media: list[Media] = field(default_factory=list[Media])
    buttons: list[Button] = field(default_factory=list[Button])
    cards: list[Card] = field(default_factory=list[Card])

    def bubble(self, bubble_id: str, at: datetime, details: JSON) -> Bubble:
        return Bubble(
            bubble_id,
            "account",
            self.kind,
            at,
            text=self.text,
            media=self.media,
            buttons=self.buttons,
            cards=self.cards,
            tick="sent",
            details=dict(details),
        )


def read_content(account: OfficialAccount, message: JSON, now: datetime) -> Content:
    """The content of a customer-care message; raises Refused."""
    text = _text(message)
    attachment = message.get("attachment")
    if attachment is None:
        if not text:
            raise _invalid("message.text")
        return Content("oa_send_text", "text", text)
    match cast("JSON", attachment):
        case {"type": "file", "payload": {"token": str(token)}}:
            return Content("oa_send_file", "file", text, [_asset(account, token, now).media])
        case {"type": "template", "payload": {"template_type": "media", "elements": [element]}}:
            return _picture(account, _object(element), text, now)
        case {
            "type": "template",
            "payload": {"template_type": "request_user_info", "elements": [card]},
        }:
            return _request(_object(card), text)
        case {"type": "template", "payload": {"buttons": buttons}} if text:
            return Content("oa_send_text", "buttons", text, buttons=_buttons(buttons))
        case _:
            raise _invalid("message.attachment")


def _text(message: JSON) -> str:
    text = message.get("text") or ""
    if not isinstance(text, str) or len(text) > TEXT_LIMIT:
        raise _invalid("message.text")
    return text


def _picture(account: OfficialAccount, element: JSON, text: str, now: datetime) -> Content:
    kind = element.get("media_type")
    if kind not in MEDIA_TYPES:
        raise _invalid("media_type")
    if kind == "gif" and not (element.get("width") and element.get("height")):
        raise _invalid("width and height")
    named, url = element.get("attachment_id"), element.get("url")
    if named:
        # A sticker's id comes from Zalo's own shop, and nobody uploads one.
        media = Media("sticker", "image/png") if kind == "sticker" else _asset(account, str(named), now).media
    elif isinstance(url, str) and url.startswith(("http://", "https://")):
        media = Media(str(kind), "image/gif" if kind == "gif" else "image/jpeg", url=url)
    else:
        raise _invalid("url or attachment_id")
    return Content(f"oa_send_{kind}", str(kind), text, [media])


def _request(card: JSON, text: str) -> Content:
    title = card.get("title")
    if not isinstance(title, str) or not title:
        raise _invalid("title")
    shown = Card(title, str(card.get("subtitle", "")), str(card.get("image_url", "")))
    share = Button("share", "Share details", "request_user_info")
    return Content("oa_send_text", "request_user_info", text, cards=[shown], buttons=[share])


def _buttons(value: object) -> list[Button]:
    listed = cast("list[object]", value) if isinstance(value, list) else []
    if not 1 <= len(listed) <= MOST_BUTTONS:
        raise _invalid("buttons")
    return [_button(str(number), _object(button)) for number, button in enumerate(listed)]


def _button(button_id: str, button: JSON) -> Button:
    title, kind, payload = button.get("title"), button.get("type"), button.get("payload")
    if not isinstance(title, str) or not 1 <= len(title) <= BUTTON_TITLE:
        raise _invalid("button title")
    if kind in QUERY_TYPES and isinstance(payload, str) and len(payload) <= PAYLOAD_LIMIT:
        return Button(button_id, title, str(kind), payload)
    if kind in LINK_TYPES and isinstance(payload, dict):
        named = cast("JSON", payload)
        return Button(button_id, title, str(kind), str(named.get("url") or named.get("phone_code") or ""))
    raise _invalid("button payload")


def _asset(account: OfficialAccount, name: str, now: datetime) -> Asset:
    asset = account.assets.get(name)
    if asset is None or asset.until <= now:
        raise Refused(-100, "attachment")
    return asset


def _object(value: object) -> JSON:
    if not isinstance(value, dict):
        raise _invalid("object expected")
    return cast("JSON", value)


def _invalid(what: str) -> Refused:
    return Refused(-201, what)
