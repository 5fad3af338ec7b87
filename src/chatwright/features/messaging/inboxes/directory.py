"""The inboxes, for rooms below this one."""

from collections.abc import Collection
from uuid import UUID

from chatwright.features.messaging.inboxes import store


class StoredInboxes:
    """The directory of inboxes as the database has them."""

    async def strange(self, workspace_id: UUID, inbox_ids: Collection[UUID]) -> set[UUID]:
        """Look all of them up at once, in the current transaction."""
        return set(await store.STRANGE_INBOXES.all(workspace_id, list(inbox_ids)))
