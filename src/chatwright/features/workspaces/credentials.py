"""What credentials look like, and how they are stored."""

import hashlib
import secrets
from typing import Final

TOKEN_PREFIX: Final = "cw_"  # noqa: S105 - the public part of every access token that a member made.
GRANT_PREFIX: Final = "cwo_"
"""The public part of every access token of an OAuth grant."""


SHOWN_PREFIX: Final = 9
"""How many characters of a token are shown, to recognise it by."""


def new_token(prefix: str = TOKEN_PREFIX) -> str:
    """A fresh token: the prefix and 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """How tokens and links are stored: they are random, so a plain SHA-256 keeps them."""
    return hashlib.sha256(secret.encode()).digest()
