"""What the contact may see of a conversation."""

from uuid import UUID

from chatwright.features.messaging import store
from chatwright.features.messaging.store import VisibleMessage


async def visible_messages(inbox_id: UUID, address: str, after: int, limit: int) -> list[VisibleMessage]:
    """Messages with this address after a position, oldest first; notes among us are never among them."""
    return await store.VISIBLE_MESSAGES.all(inbox_id, address, after, limit)
