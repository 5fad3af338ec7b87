"""Making one thing fit where it is too big as a whole: long texts and lists keep their beginnings."""

from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson

_STEPS: Final = ((4_000, 200), (2_000, 100), (1_000, 50), (500, 25), (200, 10), (100, 5))
"""Longest text in characters and longest list in items, one step after the other until it fits."""
MARK: Final = "…"
"""What a shortened text ends in."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Something that was shortened or left out."""

    place: str
    """Where, as a JSON pointer (RFC 6901)."""
    words: str
    """How much there is of it as a whole."""


def shortened(value: dict[str, Any], most: int) -> tuple[dict[str, Any], list[Cut]]:
    """A JSON object of `most` bytes, and what had to be done to it.

    Its longest texts and lists are shortened, as little as makes it fit; where that is not enough, its largest
    fields are left out.
    """
    if len(orjson.dumps(value)) <= most:
        return value, []
    knife = _Knife(*_STEPS[0])
    short = value
    for text, items in _STEPS:
        knife = _Knife(text, items)
        short = knife.object(value, "")
        if len(orjson.dumps(short)) <= most:
            return short, knife.cuts
    return _without_largest(short, most, knife.cuts)


@dataclass
class _Knife:
    """Shortens whatever is longer than this."""

    text: int
    items: int
    cuts: list[Cut] = field(default_factory=list[Cut])

    def object(self, value: dict[str, Any], place: str) -> dict[str, Any]:
        return {name: self._value(inner, f"{place}/{_token(name)}") for name, inner in value.items()}

    def _value(self, value: Any, place: str) -> Any:  # noqa: ANN401 - any JSON value.
        if isinstance(value, str) and len(value) > self.text:
            self.cuts.append(Cut(place, f"{len(value)} characters"))
            return value[: self.text] + MARK
        if isinstance(value, dict):
            return self.object(cast("dict[str, Any]", value), place)
        if isinstance(value, list):
            return self._list(cast("list[Any]", value), place)
        return value

    def _list(self, value: list[Any], place: str) -> list[Any]:
        if len(value) > self.items:
            self.cuts.append(Cut(place, f"{len(value)} items"))
        return [self._value(item, f"{place}/{number}") for number, item in enumerate(value[: self.items])]


def _without_largest(value: dict[str, Any], most: int, cuts: list[Cut]) -> tuple[dict[str, Any], list[Cut]]:
    """Leave out field after field of the object, or of the only item of a list, the largest first."""
    place, thing = "", value
    match value:
        case {"items": [{} as only]}:
            place, thing = "/items/0", cast("dict[str, Any]", only)
        case _:
            pass
    sizes = sorted(((len(orjson.dumps(inner)), name) for name, inner in thing.items()), reverse=True)
    too_much = len(orjson.dumps(value)) - most
    gone: set[str] = set()
    for size, name in sizes:
        if too_much <= 0:
            break
        gone.add(name)
        too_much -= size
    left = {name: inner for name, inner in thing.items() if name not in gone}
    dropped = [f"{place}/{_token(name)}" for name in gone]
    kept = [cut for cut in cuts if not f"{cut.place}/".startswith(tuple(f"{there}/" for there in dropped))]
    told = kept + [Cut(there, "left out") for there in sorted(dropped)]
    return ({**value, "items": [left]} if place else left), told


def _token(name: str) -> str:
    """A name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
