"""Which inboxes there are, for rooms below the one that keeps them."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID


class InboxDirectory(Protocol):
    """Knows the inboxes of every workspace, disconnected ones too: what they brought stays to be asked for."""

    async def strange(self, workspace_id: UUID, inbox_ids: Collection[UUID]) -> set[UUID]:
        """Those among the ids that are no inboxes of this workspace."""
        ...


_registered: list[InboxDirectory] = []


def register_inbox_directory(directory: InboxDirectory) -> None:
    """Make the directory known, once per process, before anything is served."""
    _registered[:] = [directory]


def inbox_directory() -> InboxDirectory:
    """The directory of this process; LookupError when none was registered."""
    if not _registered:
        message = "No inbox directory is registered."
        raise LookupError(message)
    return _registered[0]
