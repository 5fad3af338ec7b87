"""Committing to a send: the rows that workers take up."""

from collections.abc import Sequence
from uuid import UUID

from chatwright.features.messaging.deliveries import store
from chatwright.features.messaging.deliveries.store import LockedMessage
from chatwright.features.messaging.models import HeldFor, Message
from chatwright.kernel.ids import new_id
from chatwright.ports.content import Content
from chatwright.ports.database import wake

DELIVERIES = "deliveries"
LOOKUPS = "delivery_lookups"
AGAIN = frozenset({"failed", "unknown", "cancelled"})
"""How parts ended that a further round of their message sends again."""


async def intend(
    workspace_id: UUID,
    inbox_id: UUID,
    message: Message,
    parts: Sequence[Content],
    *,
    held: HeldFor | None = None,
    automatic: bool = False,
    wait_for_window: bool = False,
) -> None:
    """Queue a message for its channel, part by part, behind the earlier ones of its conversation.

    The first part is carried under the message's own id. A held one waits for its release, and those behind it
    wait with it. The caller has locked the conversation, so that rows get their places in its order.
    """
    for number, content in enumerate(parts, start=1):
        await store.INSERT_PART.run(
            new_id(),
            str(message.conversation_id),
            workspace_id,
            inbox_id,
            message.id,
            number,
            1,
            message.id if number == 1 else new_id(),
            None if content == message.content else content.model_dump(mode="json"),
            held,
            automatic,
            wait_for_window,
        )
    wake(DELIVERIES)


async def send_again(message: LockedMessage) -> None:
    """Begin a further round for the parts of a locked message that failed, or may have gone out.

    They are carried under new ids, so that a provider takes them for new messages and receipts tell the rounds
    apart.
    """
    for part in await store.LATEST_ROUNDS.all(message.id):
        if part["status"] in AGAIN:
            await store.INSERT_PART.run(
                new_id(),
                str(message.conversation_id),
                message.workspace_id,
                message.inbox_id,
                message.id,
                part["part"],
                part["round"] + 1,
                new_id(),
                part["content"],
                None,
                part["automatic"],
                part["wait_for_window"],
            )
    wake(DELIVERIES)
