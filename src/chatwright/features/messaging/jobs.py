"""What the messaging room does in the background."""

from chatwright.features.messaging import events, store
from chatwright.features.messaging.delivering import delivery_ledger
from chatwright.features.messaging.receiving import inbound_ledger
from chatwright.ports.database import emit

__all__ = ["delivery_ledger", "inbound_ledger", "wake_snoozed"]


async def wake_snoozed() -> None:
    """Open the conversations whose time has come, in the current transaction."""
    for conversation in await store.WAKE_SNOOZED.all():
        emit(events.conversation_changed(conversation, "reopened"))
