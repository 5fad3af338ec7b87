"""Reading JSON that others wrote: nothing raises, what does not fit is absent."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

_MILLISECONDS_FROM = 100_000_000_000
"""Seconds reach this in the year 5138, milliseconds reached it in 1973."""


def as_map(value: object) -> dict[str, object]:
    """The object, or an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The list, or an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def as_text(value: object) -> str | None:
    """The text, unless it is empty; a whole number as text, as ids come as either."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def as_number(value: object) -> float | None:
    """The number, also where it comes as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def as_code(value: object) -> int | None:
    """The whole number, also where it comes as text."""
    number = as_number(value)
    return int(number) if number is not None and number.is_integer() else None


def as_moment(value: object) -> datetime | None:
    """The time of a Unix timestamp, in seconds or in milliseconds, as a number or as text."""
    number = as_number(value)
    if number is None or not number > 0:
        return None
    seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def dig(value: object, *keys: str) -> object:
    """What lies below these keys; None when there is nothing."""
    for key in keys:
        value = as_map(value).get(key)
    return value


def texts(values: Mapping[str, object]) -> dict[str, str]:
    """Those of the values that can be read as text."""
    return {name: text for name, value in values.items() if (text := as_text(value)) is not None}
