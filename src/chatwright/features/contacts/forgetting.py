"""Deleting a contact for good, whoever asks for it."""

from uuid import UUID

from chatwright.features.contacts import store
from chatwright.features.contacts.identities import family_of
from chatwright.kernel.events import Event
from chatwright.ports.database import emit


async def forget_contact(workspace_id: UUID, contact_id: UUID) -> None:
    """Delete it with its notes, consents, identities and whatever was merged into it, in the current transaction.

    Rooms above follow `contact.deleted` to forget what they have of it.
    """
    family = await family_of(workspace_id, contact_id)
    await store.DELETE_CONTACT.run(workspace_id, contact_id)
    emit(Event("contact.deleted", workspace_id, contact_id, data={"ids": [str(one) for one in family]}))
