"""Text of strangers on a terminal: what customers write must not steer it."""

import re

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of writing."""


def plain(text: str) -> str:
    """The text with every steering character replaced by a visible mark."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text)
