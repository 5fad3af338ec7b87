"""Text as it is compared and searched: without regard to case, accents and marks.

It is done here and stored, because extensions such as unaccent are not everywhere and `lower()` depends on
the server's collation.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_WORD = 64
MAX_WORDS = 500

_STROKED: Final = str.maketrans(
    {"đ": "d", "ð": "d", "ø": "o", "ł": "l", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe"}
)
"""Letters that Unicode does not take apart into a base and a mark; in lower case. U+0131 is the i without a dot."""
_LATIN_MARKS: Final = range(0x0300, 0x0370)
"""Combining marks of Latin, Greek and Cyrillic; those of Indic scripts and Thai are vowels and stay."""


def fold(text: str) -> str:
    """The text in its comparable form: `Đặng Thị Hồng` becomes `dang thi hong`."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(letter for letter in apart if ord(letter) not in _LATIN_MARKS)
    return unicodedata.normalize("NFC", bare.translate(_STROKED))


def tag_key(name: str) -> str:
    """What makes two tags the same: their name without regard to case; accents do make a difference."""
    return unicodedata.normalize("NFC", name).casefold()


def words_of(text: str) -> list[str]:
    """The folded words of a text; punctuation and symbols part words."""
    spaced = "".join(letter if unicodedata.category(letter)[0] in "LMN" else " " for letter in fold(text))
    return [word[:MAX_WORD] for word in spaced.split()]


def search_words(texts: Iterable[str]) -> str:
    """The words under which something is found, each once, parted by spaces."""
    found = dict.fromkeys(word for text in texts for word in words_of(text))
    return " ".join(list(found)[:MAX_WORDS])


def prefix_query(text: str) -> str | None:
    """A tsquery that asks for words beginning with each word of the text; None when it has no words.

    A telephone number is taken as one word, however it is grouped.
    """
    words = [_digits(text)] if _looks_like_a_number(text) else words_of(text)
    return " & ".join(f"'{word}':*" for word in words[:10]) or None


def _looks_like_a_number(text: str) -> bool:
    return len(_digits(text)) >= 4 and not set(text) - set("0123456789 +-().")


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter in "0123456789")
