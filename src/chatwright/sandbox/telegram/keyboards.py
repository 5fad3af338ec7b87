"""Keyboards under a message (inline) and instead of the phone's keyboard (reply), checked as there."""

from typing import Any, cast

from chatwright.sandbox.telegram.refusals import bad_request

MOST_BUTTONS = 100
CALLBACK_DATA_BYTES = 64
_ACTIONS = frozenset(
    {
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
    }
)
_URL_SCHEMES = ("http://", "https://", "tg://", "mailto:", "tel:")
Markup = dict[str, Any]


def checked_markup(markup: object) -> Markup | None:
    """A `reply_markup` that is in order, or None for none; raises Refused."""
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    found = cast("Markup", markup)
    if "inline_keyboard" in found:
        return {"inline_keyboard": _inline(found["inline_keyboard"])}
    if "keyboard" in found:
        return found | {"keyboard": _reply(found["keyboard"])}
    if "remove_keyboard" in found or "force_reply" in found:
        return found
    return None


def _rows(value: object, what: str) -> list[list[Any]]:
    if not isinstance(value, list):
        raise bad_request(f'field "{what}" of the {_OWNERS[what]} must be an Array of Arrays')
    rows = cast("list[object]", value)
    for row in rows:
        if not isinstance(row, list):
            raise bad_request(f'field "{what}" of the {_OWNERS[what]} must be an Array of Arrays')
    found = [cast("list[Any]", row) for row in rows if row]
    if sum(map(len, found)) > MOST_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return found


_OWNERS = {"inline_keyboard": "InlineKeyboardMarkup", "keyboard": "ReplyKeyboardMarkup"}


def _inline(value: object) -> list[list[Markup]]:
    return [[_inline_button(button) for button in row] for row in _rows(value, "inline_keyboard")]


def _inline_button(value: object) -> Markup:
    if not isinstance(value, dict):
        raise bad_request("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    button = cast("Markup", value)
    if not isinstance(button.get("text"), str):
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be of type String')
    if not button["text"].strip():
        raise bad_request("BUTTON_TEXT_INVALID")
    if not _ACTIONS & button.keys():
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if (
        "callback_data" in button
        and not 1 <= len(str(button["callback_data"]).encode()) <= CALLBACK_DATA_BYTES
    ):
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and not str(button["url"]).startswith(_URL_SCHEMES):
        raise bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    return button


def _reply(value: object) -> list[list[Markup]]:
    return [[_reply_button(button) for button in row] for row in _rows(value, "keyboard")]


def _reply_button(value: object) -> Markup:
    button = {"text": value} if isinstance(value, str) else value
    if not isinstance(button, dict):
        raise bad_request("can't parse keyboard button: KeyboardButton must be an Object")
    found = cast("Markup", button)
    if not isinstance(found.get("text"), str) or not found["text"]:
        raise bad_request('can\'t parse keyboard button: Field "text" must be of type String')
    return found
