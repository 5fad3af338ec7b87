"""Reading a value of a custom field into the form in which it is kept."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final
from urllib.parse import urlsplit

from chatwright.features.contacts.addresses import read_email, read_phone
from chatwright.features.contacts.fields.models import ContactField
from chatwright.features.contacts.values import FieldValue

MAX_NUMBER: Final = 1e15
"""Beyond it JSON readers that know only 64-bit floats lose whole numbers."""
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,16}")
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_YES: Final = frozenset({"true", "yes", "y", "1", "on"})
_NO: Final = frozenset({"false", "no", "n", "0", "off"})


def read_value(field: ContactField, given: FieldValue, region: str | None = None) -> FieldValue:
    """The value as it is kept; raises ValueError with words for whoever gave it.

    Every kind can be given as text, because a cell of a CSV file is nothing else.
    """
    if field.kind == "number":
        return _number(given)
    if field.kind == "boolean":
        return _boolean(given)
    text = given.strip() if isinstance(given, str) else ""
    if not text:
        raise ValueError(_WANTED[field.kind])
    if field.kind == "phone":
        return read_phone(text, region)
    return _choice(field, text) if field.kind == "choice" else _READERS[field.kind](text)


_WANTED: Final = {
    "text": "This field takes text.",
    "date": "This field takes a date such as 2026-11-30.",
    "datetime": "This field takes a date and time with an offset, such as 2026-11-30T09:00:00+07:00.",
    "email": "This field takes an e-mail address.",
    "phone": "This field takes a telephone number as text.",
    "url": "This field takes an address that begins with http:// or https://.",
    "choice": "This field takes one of its choices.",
}


def _number(given: FieldValue) -> FieldValue:
    number = _parsed(given.strip()) if isinstance(given, str) else given
    if number is None or isinstance(number, bool):
        message = "This field takes a number."
        raise ValueError(message)
    if not math.isfinite(number) or abs(number) > MAX_NUMBER:
        message = "This number is too large."
        raise ValueError(message)
    return number


def _parsed(text: str) -> int | float | None:
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else None


def _boolean(given: FieldValue) -> bool:
    if isinstance(given, bool):
        return given
    word = given.strip().lower() if isinstance(given, str) else ""
    if word in _YES:
        return True
    if word in _NO:
        return False
    message = "This field takes true or false."
    raise ValueError(message)


def _date(text: str) -> str:
    if len(text) != len("2026-11-30"):
        raise ValueError(_WANTED["date"])
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ValueError(_WANTED["date"]) from error


def _datetime(text: str) -> str:
    """UTC with microseconds and always the same width, so that the order of the texts is that of the moments."""
    try:
        moment = datetime.fromisoformat(text)
        written = written_moment(moment)
    except (ValueError, OverflowError) as error:
        raise ValueError(_WANTED["datetime"]) from error
    if moment.tzinfo is None:
        raise ValueError(_WANTED["datetime"])
    return written


def written_moment(moment: datetime) -> str:
    """A moment as values of kind datetime are kept."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or any(letter.isspace() for letter in text):
        raise ValueError(_WANTED["url"])
    return text


_READERS: Final[Mapping[str, Callable[[str], str]]] = {
    "text": str,
    "date": _date,
    "datetime": _datetime,
    "email": read_email,
    "url": _url,
}


def _choice(field: ContactField, text: str) -> str:
    by_word = {choice.casefold(): choice for choice in field.choices}
    chosen = by_word.get(text.casefold())
    if chosen is None:
        message = f"This field takes one of: {', '.join(field.choices)}."
        raise ValueError(message)
    return chosen
