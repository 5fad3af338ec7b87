"""Making and changing contacts, whoever asks: a caller of an operation, or a row of an import."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from chatwright.features.contacts import store
from chatwright.features.contacts.changes import changed, cleared, differences, known_fields, with_full_name
from chatwright.features.contacts.errors import ContactNotFound
from chatwright.features.contacts.models import ContactProfile, IdentityKey
from chatwright.features.contacts.profiles import Profile
from chatwright.features.contacts.tags.tagging import put_on
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit


async def create(
    workspace_id: UUID,
    given: ContactProfile,
    *,
    identities: Sequence[IdentityKey] = (),
    tags: Sequence[str] = (),
    facts: Mapping[str, object] | None = None,
) -> UUID:
    """Make a contact; `facts` go into its event. Raises InvalidInput naming everything at fault."""
    fields = await known_fields(workspace_id, given.fields)
    profile = with_full_name(changed(Profile(), given, fields))
    contact_id = new_id()
    await store.INSERT_CONTACT.run(workspace_id, contact_id, *profile.columns())
    await store.ADD_IDENTITY.many(
        (workspace_id, identity.inbox_id, identity.kind, identity.value, contact_id)
        for identity in identities
    )
    emit(Event("contact.created", workspace_id, contact_id, data=facts or {}))
    await put_on(workspace_id, contact_id, tags)
    return contact_id


async def change(
    workspace_id: UUID,
    contact_id: UUID,
    given: ContactProfile,
    *,
    clear: Sequence[str] = (),
    facts: Mapping[str, object] | None = None,
) -> None:
    """Put what is given into a contact; `facts` go into its event.

    Raises InvalidInput naming everything at fault, or ContactNotFound.
    """
    fields = await known_fields(workspace_id, given.fields)
    before = await store.LOCK_PROFILE.first(workspace_id, contact_id)
    if before is None:
        raise ContactNotFound
    after = changed(cleared(before, clear), given, fields)
    if difference := differences(before, after):
        await store.SAVE_PROFILE.run(workspace_id, contact_id, *after.columns())
        data = {"changed": difference, **(facts or {})}
        emit(Event("contact.updated", workspace_id, contact_id, data=data))
