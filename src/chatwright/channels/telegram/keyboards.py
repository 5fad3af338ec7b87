"""Buttons: below a message (inline keyboard), or in the place of the phone's keyboard (reply keyboard).

What an inline button answers with, `callback_data`, has 64 bytes. A button that answers with its own words
may have longer ones; then a digest stands for them, and the words are read from the keyboard of the pressed
message, which comes along with the press.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from chatwright.net.reading import as_list, as_map, as_text
from chatwright.ports.content import Button

DATA_BYTES = 64
"""Bot API, InlineKeyboardButton: callback_data is 1 to 64 bytes."""
_DIGEST = "~"

Markup = dict[str, Any]


def inline_keyboard(buttons: Sequence[Button]) -> Markup:
    """Buttons below a message, one in a row, which answer or open a page."""
    return {"inline_keyboard": [[_inline_button(button)] for button in buttons]}


def reply_keyboard(replies: Sequence[Button]) -> Markup:
    """Suggested answers that go as ordinary text when they are pressed, and then vanish."""
    rows = [[{"text": reply.label}] for reply in replies]
    return {"keyboard": rows, "one_time_keyboard": True, "resize_keyboard": True}


def answers_with_its_words(button: Button) -> bool:
    """Whether a press says no more than the button shows."""
    return button.url is None and button.payload in {None, button.label}


def too_long(buttons: Sequence[Button]) -> bool:
    """Whether one of them has a payload that no button of Telegram's carries."""
    return any(len((button.payload or "").encode()) > DATA_BYTES for button in buttons if not button.url)


def pressed(data: str, markup: object) -> tuple[str, str]:
    """The words and the payload of the button that was pressed, from its data and the keyboard it stood in."""
    label = _label_of(data, markup)
    if label is not None and data == _digest(label):
        return label, label
    return label or data, data


def _inline_button(button: Button) -> Markup:
    if button.url is not None:
        return {"text": button.label, "url": button.url}
    return {"text": button.label, "callback_data": button.payload or _data_of(button.label)}


def _data_of(label: str) -> str:
    return label if len(label.encode()) <= DATA_BYTES else _digest(label)


def _digest(label: str) -> str:
    return _DIGEST + hashlib.sha256(label.encode()).hexdigest()[:32]


def _label_of(data: str, markup: object) -> str | None:
    for row in as_list(as_map(markup).get("inline_keyboard")):
        for button in as_list(row):
            found: Mapping[str, object] = as_map(button)
            if found.get("callback_data") == data:
                return as_text(found.get("text"))
    return None
