"""The tags, for rooms below this one."""

from collections.abc import Collection
from uuid import UUID

from chatwright.features.contacts.tags import store


class StoredTags:
    """The directory of tags as the database has them."""

    async def strange(self, workspace_id: UUID, tag_ids: Collection[UUID]) -> set[UUID]:
        """Look all of them up at once, in the current transaction."""
        return set(await store.STRANGE_TAGS.all(workspace_id, list(tag_ids)))
