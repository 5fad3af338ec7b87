"""Which tags there are, for rooms below the one that keeps them."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID


class TagDirectory(Protocol):
    """Knows the tags of every workspace."""

    async def strange(self, workspace_id: UUID, tag_ids: Collection[UUID]) -> set[UUID]:
        """Those among the ids that are no tags of this workspace."""
        ...


_registered: list[TagDirectory] = []


def register_tag_directory(directory: TagDirectory) -> None:
    """Make the directory known, once per process, before anything is served."""
    _registered[:] = [directory]


def tag_directory() -> TagDirectory:
    """The directory of this process; LookupError when none was registered."""
    if not _registered:
        message = "No tag directory is registered."
        raise LookupError(message)
    return _registered[0]
