"""Who answers a conversation, changed."""

from chatwright.features.messaging import events, store
from chatwright.features.messaging.models import Owner
from chatwright.features.messaging.store import ConversationRow
from chatwright.ports.database import emit


async def change_owner(conversation: ConversationRow, owner: Owner) -> None:
    """Let somebody else answer from now on, and announce it if it is news. The conversation is locked."""
    if await store.SET_OWNER.run(conversation.id, owner):
        version = conversation.version + 1
        emit(events.conversation_changed(conversation, "owner_changed", owner=owner, version=version))
