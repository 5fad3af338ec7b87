"""What the messaging room announces."""

from uuid import UUID

from chatwright.features.messaging.store import ConversationRow
from chatwright.kernel.events import Event


def conversation_changed(conversation: ConversationRow, what: str, **data: object) -> Event:
    """`conversation.<what>`: created, reopened, closed, snoozed, assigned, owner_changed, read."""
    return Event(
        f"conversation.{what}",
        conversation.workspace_id,
        conversation.id,
        inbox_id=conversation.inbox_id,
        conversation_id=conversation.id,
        data=data,
    )


def message_changed(conversation: ConversationRow, message_id: UUID, what: str, **data: object) -> Event:
    """`message.<what>`: created, status for a step on its way, edited, unsent, reaction, updated for its file."""
    return Event(
        f"message.{what}",
        conversation.workspace_id,
        message_id,
        inbox_id=conversation.inbox_id,
        conversation_id=conversation.id,
        data=data,
    )
