"""Where attachments and exports are kept: bytes under a key."""

from collections.abc import AsyncIterator
from typing import Protocol


class Storage(Protocol):
    """A flat store of immutable objects. Keys are made by rooms and carry the workspace's id first."""

    async def put(self, key: str, content: AsyncIterator[bytes], *, limit: int) -> int:
        """Store an object whole or not at all; returns its size in bytes.

        Raises PayloadTooLarge when the content exceeds `limit` bytes.
        """
        ...

    def read(self, key: str) -> AsyncIterator[bytes]:
        """Read an object in chunks; raises NotFound when there is none."""
        ...

    async def delete(self, key: str) -> None:
        """Forget an object; a missing one is no error."""
        ...
