"""Secrets at rest."""

from typing import Protocol


class Cipher(Protocol):
    """Authenticated encryption of small values, bound to a context such as the row that holds them."""

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt; the same context must be given to open it again."""
        ...

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt; raises Misconfigured when the key or the context is not the one it was sealed with."""
        ...

    def sign(self, message: bytes, purpose: str) -> bytes:
        """Keyed digest (32 bytes) under a key of its own per purpose."""
        ...
