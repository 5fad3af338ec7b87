"""What the messaging room does in the background."""

from chatwright.features.messaging import events, store
from chatwright.features.messaging.attachments.downloading import download_ledger, sweep_files
from chatwright.features.messaging.courtesies import courtesy_ledger
from chatwright.features.messaging.deliveries.lookups import lookup_ledger
from chatwright.features.messaging.deliveries.releasing import RELEASING
from chatwright.features.messaging.deliveries.store import FORGET_BUCKETS
from chatwright.features.messaging.deliveries.working import delivery_ledger
from chatwright.features.messaging.inbound.leads import lead_ledger
from chatwright.features.messaging.receiving import inbound_ledger
from chatwright.kernel.events import Event
from chatwright.ports.database import emit
from chatwright.ports.eventlog import Following

__all__ = [
    "FORGETTING",
    "RELEASING",
    "courtesy_ledger",
    "delivery_ledger",
    "download_ledger",
    "forget_buckets",
    "inbound_ledger",
    "lead_ledger",
    "lookup_ledger",
    "sweep_files",
    "wake_snoozed",
]


async def wake_snoozed() -> None:
    """Open the conversations whose time has come, in the current transaction."""
    for conversation in await store.WAKE_SNOOZED.all():
        emit(events.conversation_changed(conversation, "reopened"))


async def forget_buckets() -> None:
    """Drop the paces of people who were not written to for a while, in the current transaction."""
    await FORGET_BUCKETS.run()


async def _forget_conversations(event: Event) -> None:
    """A deleted contact's conversations go with everything that was said in them."""
    contact_ids = event.data.get("ids", [str(event.subject_id)])
    for conversation in await store.FORGET_CONVERSATIONS.all(event.workspace_id, contact_ids):
        emit(events.conversation_changed(conversation, "deleted"))


FORGETTING = Following("messaging.forgetting", frozenset({"contact.deleted"}), _forget_conversations)
