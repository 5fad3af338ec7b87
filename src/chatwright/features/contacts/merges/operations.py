"""The verbs about merges."""

from collections.abc import Collection
from uuid import UUID

from chatwright.features.contacts import store as contacts_store
from chatwright.features.contacts.access import visible_contact
from chatwright.features.contacts.changes import known_fields
from chatwright.features.contacts.errors import ContactNotFound, MergeImpossible, MergeNotFound
from chatwright.features.contacts.merges import store
from chatwright.features.contacts.merges.models import (
    ListMerges,
    Merge,
    MergeContacts,
    MergedContact,
    UndoMerge,
    UndoneMerge,
)
from chatwright.features.contacts.merges.rules import RECORD, Record, State, joined, parted
from chatwright.features.contacts.merges.store import Side
from chatwright.kernel.caller import Caller
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.database import emit


@operation(
    "contacts.merge",
    tool="merge_contacts",
    scope="contacts:write",
    effect=Effect.CHANGE,
    http="POST /contacts/{contact_id}/merge",
    errors=(ContactNotFound, MergeImpossible),
)
async def merge_contacts(caller: Caller, request: MergeContacts) -> MergedContact:
    """Make one contact of two that are the same person. `undo_merge` takes it back.

    Identities, notes, consents, tags and addresses of both come together; the duplicate fills gaps of the other.
    """
    caller.require_every_inbox()
    contact = await visible_contact(caller, request.contact_id)
    duplicate = await visible_contact(caller, request.duplicate_id)
    if contact.id == duplicate.id:
        message = "These are one contact already."
        raise MergeImpossible(message)
    survivor, absorbed = await _lock(caller.workspace_id, contact.id, duplicate.id)
    if survivor.merged_into or absorbed.merged_into:
        message = "Somebody has just merged one of these contacts."
        raise MergeImpossible(message)
    merge = await _merge(caller, survivor, absorbed)
    data = {"merge_id": str(merge.id), "absorbed_id": str(absorbed.id)}
    emit(Event("contact.merged", caller.workspace_id, survivor.id, data=data))
    return MergedContact(merge=merge, contact=await visible_contact(caller, survivor.id))


@operation(
    "contacts.undo_merge",
    tool="undo_merge",
    scope="contacts:write",
    effect=Effect.CHANGE,
    http="POST /merges/{merge_id}/undo",
    errors=(MergeNotFound, MergeImpossible),
)
async def undo_merge(caller: Caller, request: UndoMerge) -> UndoneMerge:
    """Take a merge back: both contacts are as before, save what was changed by hand or came in since."""
    caller.require_every_inbox()
    merge = await store.LOCK_MERGE.first(caller.workspace_id, request.merge_id)
    if merge is None:
        raise MergeNotFound
    if merge.undone_at is not None:
        message = "This merge was undone already."
        raise MergeImpossible(message)
    record = RECORD.validate_python(merge.record)
    fields = await known_fields(caller.workspace_id, record.before.profile.fields)
    survivor, absorbed = await _lock(caller.workspace_id, merge.contact_id, merge.absorbed_id)
    if survivor.merged_into is not None:
        message = "The contact was merged into another one since; undo that merge first."
        raise MergeImpossible(message)
    await _restore(caller.workspace_id, survivor, record, fields)
    await _give_back(caller.workspace_id, survivor, absorbed, record)
    await store.END_MERGE.run(caller.workspace_id, request.merge_id)
    data = {"merge_id": str(request.merge_id), "restored_id": str(absorbed.id)}
    emit(Event("contact.unmerged", caller.workspace_id, survivor.id, data=data))
    return UndoneMerge(
        contact=await visible_contact(caller, survivor.id),
        restored=await visible_contact(caller, absorbed.id),
    )


@operation(
    "contacts.list_merges",
    tool="list_contact_merges",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /contacts/{contact_id}/merges",
    errors=(ContactNotFound,),
)
async def list_merges(caller: Caller, request: ListMerges) -> Page[Merge]:
    """List what was merged into a contact, oldest first, undone merges too."""
    contact = await visible_contact(caller, request.contact_id)
    rows = await store.LIST_MERGES.all(
        caller.workspace_id, contact.id, after_id(request.cursor), request.limit + 1
    )
    return page_of(rows, request.limit, lambda merge: (str(merge.id),))


async def _lock(workspace_id: UUID, survivor_id: UUID, absorbed_id: UUID) -> tuple[Side, Side]:
    sides = {side.id: side for side in await store.LOCK_SIDES.all(workspace_id, [survivor_id, absorbed_id])}
    if len(sides) < 2:
        raise ContactNotFound
    return sides[survivor_id], sides[absorbed_id]


async def _merge(caller: Caller, survivor: Side, absorbed: Side) -> Merge:
    workspace_id = caller.workspace_id
    profile = joined(survivor.profile, absorbed.profile)
    blocked_at = survivor.blocked_at or absorbed.blocked_at
    unchanged_since = survivor.updated_at if profile == survivor.profile else None
    if profile != survivor.profile:
        await contacts_store.SAVE_PROFILE.run(workspace_id, survivor.id, *profile.columns())
    updated_at = await store.SET_STATE.one(workspace_id, survivor.id, None, blocked_at, unchanged_since)
    await store.SET_STATE.one(
        workspace_id, absorbed.id, survivor.id, absorbed.blocked_at, absorbed.updated_at
    )
    record = Record(
        before=State(survivor.profile, survivor.blocked_at, survivor.updated_at),
        after=State(profile, blocked_at, updated_at),
        identities=await store.MOVE_IDENTITIES.all(workspace_id, absorbed.id, survivor.id),
        notes=await store.MOVE_NOTES.all(workspace_id, absorbed.id, survivor.id),
        consents=await store.MOVE_CONSENTS.all(workspace_id, absorbed.id, survivor.id),
        tags=await store.COPY_TAGS.all(absorbed.id, survivor.id),
    )
    kept = RECORD.dump_python(record, mode="json")
    return await store.INSERT_MERGE.one(new_id(), workspace_id, survivor.id, absorbed.id, kept, caller.name)


async def _restore(workspace_id: UUID, survivor: Side, record: Record, known_keys: Collection[str]) -> None:
    """Take what the merge had brought out of the contact that stayed."""
    now = State(survivor.profile, survivor.blocked_at, survivor.updated_at)
    then = parted(now, record.before, record.after, known_keys)
    changed_again = then.profile != now.profile and then.updated_at == now.updated_at
    if then.profile != now.profile:
        await contacts_store.SAVE_PROFILE.run(workspace_id, survivor.id, *then.profile.columns())
    updated_at = None if changed_again else then.updated_at
    await store.SET_STATE.one(workspace_id, survivor.id, None, then.blocked_at, updated_at)
    await store.DROP_TAGS.run(survivor.id, record.tags)


async def _give_back(workspace_id: UUID, survivor: Side, absorbed: Side, record: Record) -> None:
    """Make the other contact one of its own again, with what had moved."""
    await store.SET_STATE.one(workspace_id, absorbed.id, None, absorbed.blocked_at, absorbed.updated_at)
    keys = record.identities
    back = (workspace_id, survivor.id, absorbed.id)
    await store.RETURN_IDENTITIES.run(
        *back, [key.inbox_id for key in keys], [key.kind for key in keys], [key.value for key in keys]
    )
    await store.RETURN_NOTES.run(*back, record.notes)
    await store.RETURN_CONSENTS.run(*back, record.consents)
