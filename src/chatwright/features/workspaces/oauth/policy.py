"""What the server's settings say about its authorization server."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ANY: Final = "any"
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class OAuthPolicy:
    """Whom to let in, and for how long."""

    issuer: str
    """This server's public address, without a slash at the end: the name of the authorization server."""
    documents: bool = True
    """Whether clients may be known by a metadata document."""
    domains: frozenset[str] = frozenset()
    """The only domains whose documents count; any when empty. Clients from a listed one are trusted further."""
    registration: bool = True
    """Whether clients may register themselves."""
    code_seconds: int = 60
    access_seconds: int = 3600
    refresh_seconds: int = 30 * 86_400
    grace_seconds: int = 30
    """How long a refresh token that was exchanged gives the same answer again: its first may have been lost."""

    @property
    def endpoint(self) -> str:
        """What tokens are for."""
        return f"{self.issuer}/mcp"


def read_clients(words: Iterable[str]) -> tuple[bool, frozenset[str]]:
    """Whether documents count at all, and of which domains: `any`, `none`, or domains."""
    names = {word.lower() for word in words}
    if NONE in names:
        return False, frozenset()
    return True, frozenset[str]() if ANY in names else frozenset(names)
