"""How much of its allowance an account has used, as the headers of each answer say (Graph API, Rate limits)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from chatwright.net.reading import as_list, as_map, as_number

_PLAIN = ("x-app-usage", "x-page-usage")
_BY_BUSINESS = "x-business-use-case-usage"
_SHARES = ("call_count", "total_cputime", "total_time")


@dataclass(frozen=True, slots=True)
class Usage:
    """The fullest of an account's allowances."""

    load: float | None = None
    """Share that is used, 0 to 1; None when the answer does not say."""
    regain_seconds: float | None = None
    """How long nothing will be taken, where Meta has closed the account for that."""


def read_usage(headers: Mapping[str, str]) -> Usage:
    """What the headers of an answer say, under names in lower case."""
    found = list(_allowances(headers))
    percents = [
        number for one in found for name in _SHARES if (number := _positive(one.get(name))) is not None
    ]
    minutes = [_positive(one.get("estimated_time_to_regain_access")) or 0.0 for one in found]
    regain = max(minutes, default=0.0) * 60
    load = min(max(percents) / 100, 1.0) if percents else None
    return Usage(1.0 if regain else load, regain or None)


def _allowances(headers: Mapping[str, str]) -> Iterator[Mapping[str, object]]:
    for name in _PLAIN:
        yield as_map(_json(headers.get(name)))
    for businesses in as_map(_json(headers.get(_BY_BUSINESS))).values():
        yield from map(as_map, as_list(businesses))


def _positive(value: object) -> float | None:
    number = as_number(value)
    return number if number is not None and 0 <= number < float("inf") else None


def _json(text: str | None) -> object:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None
