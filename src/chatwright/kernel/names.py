"""Names that somebody outside called things by, on their way into answers and records."""

import re
from typing import Final

_WORDS: Final = re.compile(r"[A-Za-z]{1,24}([_.-][A-Za-z]{1,24}){0,5}[_.-]?[0-9]{0,4}")
"""What fields, tools and channels are called: words, perhaps with a number behind."""


def shown_name(name: object) -> str:
    """A name as it was given; of what looks like none only how long it is, for people paste secrets anywhere."""
    text = str(name)
    return text if text.isdecimal() or _WORDS.fullmatch(text) else f"<name {len(text)}>"
