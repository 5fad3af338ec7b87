"""What the contact may see of a conversation."""

from uuid import UUID

from chatwright.features.messaging import store
from chatwright.features.messaging.store import ConversationRow, VisibleMessage


async def conversation_with(inbox_id: UUID, address: str) -> ConversationRow | None:
    """The conversation with this address; None while nothing was said."""
    return await store.CONVERSATION_BY_ADDRESS.first(inbox_id, address)


async def visible_messages(inbox_id: UUID, address: str, after: int, limit: int) -> list[VisibleMessage]:
    """Messages with this address after a position, oldest first; notes among us are never among them."""
    return await store.VISIBLE_MESSAGES.all(inbox_id, address, after, limit)
