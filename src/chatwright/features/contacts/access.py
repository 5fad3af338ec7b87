"""Which contacts a caller may touch, and how they look to it."""

from collections.abc import Sequence
from uuid import UUID

from chatwright.features.contacts import store
from chatwright.features.contacts.errors import ContactNotFound
from chatwright.features.contacts.models import Contact
from chatwright.kernel.caller import Caller


def limits_of(caller: Caller) -> list[UUID] | None:
    """The inboxes a caller is limited to, as statements take them."""
    return None if caller.inbox_ids is None else sorted(caller.inbox_ids)


def tags_of(caller: Caller) -> list[UUID] | None:
    """The tags a caller is limited to, as statements take them."""
    return None if caller.tag_ids is None else sorted(caller.tag_ids)


async def carries(caller: Caller, contact_id: UUID) -> bool:
    """Whether a contact, or the one that absorbed it, carries one of the tags that the caller is limited to."""
    return await store.CARRIES.one(caller.workspace_id, contact_id, tags_of(caller))


async def show(workspace_id: UUID, contact_id: UUID, inbox_ids: Sequence[UUID] | None) -> Contact:
    """A contact as somebody limited to these inboxes sees it; of a merged one, the contact that absorbed it.

    Raises ContactNotFound, also when it is known only in other inboxes.
    """
    contact = await store.FIND_CONTACT.first(workspace_id, contact_id, inbox_ids)
    if contact is None:
        survivor = await store.SURVIVOR.first(workspace_id, contact_id)
        contact = await store.FIND_CONTACT.first(workspace_id, survivor, inbox_ids)
    if contact is None:
        raise ContactNotFound
    return contact


async def visible_contact(caller: Caller, contact_id: UUID) -> Contact:
    """The contact as the caller sees it; raises ContactNotFound."""
    return await show(caller.workspace_id, contact_id, limits_of(caller))
