"""Cutting text to the length that a channel takes, never inside what people see as one character. Pure."""

import unicodedata
from typing import Final

_ZERO_WIDTH_JOINER: Final = "\u200d"
_ELLIPSIS: Final = "…"
_BREAKS: Final = ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ")
"""Where text is cut best, the best first."""
_LEAST_FILLED: Final = 0.5
"""A break further to the front would leave a piece too short; the next best kind is looked for."""


def pieces(text: str, characters: int, most_bytes: int | None = None) -> list[str]:
    """The text in pieces of so many characters and bytes of UTF-8 at most, cut where it reads best."""
    found: list[str] = []
    rest = text
    while rest:
        if _fits(rest, characters, most_bytes):
            found.append(rest)
            break
        end = _best_break(rest, _most(rest, characters, most_bytes))
        found.append(rest[:end].rstrip() or rest[:end])
        rest = rest[end:].lstrip()
    return found


def shortened(text: str, characters: int, most_bytes: int | None = None) -> str:
    """The text itself, or its beginning with an ellipsis."""
    if _fits(text, characters, most_bytes):
        return text
    room = None if most_bytes is None else most_bytes - len(_ELLIPSIS.encode())
    return text[: _most(text, characters - 1, room)].rstrip() + _ELLIPSIS


def _fits(text: str, characters: int, most_bytes: int | None) -> bool:
    return len(text) <= characters and (most_bytes is None or len(text.encode()) <= most_bytes)


def _most(text: str, characters: int, most_bytes: int | None) -> int:
    """How much of the text fits, up to the end of a whole character as people see it; one at least."""
    end = min(characters, len(text))
    if most_bytes is not None:
        end = min(end, len(text.encode()[:most_bytes].decode(errors="ignore")))
    whole = end
    while 0 < whole < len(text) and not _is_boundary(text, whole):
        whole -= 1
    return whole or max(end, 1)


def _best_break(text: str, most: int) -> int:
    for mark in _BREAKS:
        # A break's own space may be the first that no longer fits: it is dropped.
        at = text.rfind(mark, 0, most + 1)
        if at + len(mark) > most * _LEAST_FILLED:
            return at + len(mark)
    return most


def _is_boundary(text: str, at: int) -> bool:
    """Whether no character as people see it reaches over this place (after Unicode, UAX 29, as far as text goes)."""
    before, after = text[at - 1], text[at]
    if before == "\r" and after == "\n":
        return False
    if _extends(after) or _ZERO_WIDTH_JOINER in (before, after):
        return False
    if _is_flag_half(before) and _is_flag_half(after):
        return _flag_halves_before(text, at) % 2 == 0
    return not (_is_hangul_part(after) and _is_hangul(before))


def _extends(character: str) -> bool:
    code = ord(character)
    return (
        unicodedata.category(character).startswith("M")
        or 0x1F3FB <= code <= 0x1F3FF
        or 0xE0020 <= code <= 0xE007F
        or code == 0x200C
    )


def _is_flag_half(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def _flag_halves_before(text: str, at: int) -> int:
    start = at
    while start > 0 and _is_flag_half(text[start - 1]):
        start -= 1
    return at - start


def _is_hangul(character: str) -> bool:
    return 0x1100 <= ord(character) <= 0x11FF or 0xAC00 <= ord(character) <= 0xD7FB


def _is_hangul_part(character: str) -> bool:
    """A vowel or an end that belongs to the syllable before it."""
    return 0x1160 <= ord(character) <= 0x11FF or 0xD7B0 <= ord(character) <= 0xD7FB
