"""What people said about being written to, for rooms above this one."""

from datetime import datetime
from uuid import UUID

from chatwright.features.contacts import store
from chatwright.features.contacts.models import Consent, ConsentState
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit


async def latest_consent(workspace_id: UUID, contact_id: UUID, channel: str) -> Consent | None:
    """The latest word of a contact, or of the one that absorbed it, on a channel; None when nothing was said."""
    return await store.LATEST_CONSENT.first(workspace_id, contact_id, channel)


async def note_consent(
    workspace_id: UUID,
    contact_id: UUID,
    channel: str,
    state: ConsentState,
    *,
    source: str,
    evidence: str | None = None,
    given_at: datetime | None = None,
    recorded_by: str,
) -> None:
    """Write down what the channel itself told us, in the current transaction, unless it is known already.

    `given_at` is now when absent; `recorded_by` names who or what noticed it.
    """
    known = await latest_consent(workspace_id, contact_id, channel)
    if known is not None and known.state == state:
        return
    survivor = await store.SURVIVOR.one(workspace_id, contact_id)
    await store.INSERT_CONSENT.run(
        new_id(), workspace_id, survivor, channel, state, source, evidence, given_at, recorded_by
    )
    emit(Event(f"contact.{state}", workspace_id, survivor, data={"channel": channel}))
