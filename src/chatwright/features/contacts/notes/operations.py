"""The verbs about notes."""

from uuid import UUID

from chatwright.features.contacts.access import visible_contact
from chatwright.features.contacts.errors import ContactNotFound, NoteNotFound
from chatwright.features.contacts.notes import store
from chatwright.features.contacts.notes.models import AddNote, ContactNote, DeleteNote, ListNotes, UpdateNote
from chatwright.features.workspaces.models import Removed
from chatwright.kernel.caller import Caller
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.database import emit


@operation(
    "notes.list",
    tool="list_contact_notes",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /contacts/{contact_id}/notes",
    errors=(ContactNotFound,),
)
async def list_notes(caller: Caller, request: ListNotes) -> Page[ContactNote]:
    """List the notes about a contact, oldest first."""
    contact = await visible_contact(caller, request.contact_id)
    rows = await store.LIST_NOTES.all(
        caller.workspace_id, contact.id, after_id(request.cursor), request.limit + 1
    )
    return page_of(rows, request.limit, lambda note: (str(note.id),))


@operation(
    "notes.add",
    tool="add_contact_note",
    scope="contacts:write",
    effect=Effect.ADD,
    http="POST /contacts/{contact_id}/notes",
    errors=(ContactNotFound,),
)
async def add_note(caller: Caller, request: AddNote) -> ContactNote:
    """Keep a note about a contact. The contact never sees it."""
    contact = await visible_contact(caller, request.contact_id)
    note = await store.INSERT_NOTE.one(new_id(), caller.workspace_id, contact.id, request.text, caller.name)
    emit(Event("note.created", caller.workspace_id, note.id, data={"contact_id": str(contact.id)}))
    return note


@operation(
    "notes.update",
    tool="update_contact_note",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PATCH /notes/{note_id}",
    errors=(NoteNotFound,),
)
async def update_note(caller: Caller, request: UpdateNote) -> ContactNote:
    """Change the text of a note."""
    note = await _note(caller, request.note_id)
    emit(Event("note.updated", caller.workspace_id, note.id, data={"contact_id": str(note.contact_id)}))
    return await store.UPDATE_NOTE.one(caller.workspace_id, note.id, request.text)


@operation(
    "notes.delete",
    tool="delete_contact_note",
    scope="contacts:write",
    effect=Effect.DESTROY,
    http="DELETE /notes/{note_id}",
    errors=(NoteNotFound,),
)
async def delete_note(caller: Caller, request: DeleteNote) -> Removed:
    """Delete a note for good."""
    note = await _note(caller, request.note_id)
    await store.DELETE_NOTE.run(caller.workspace_id, note.id)
    emit(Event("note.deleted", caller.workspace_id, note.id, data={"contact_id": str(note.contact_id)}))
    return Removed(id=note.id)


async def _note(caller: Caller, note_id: UUID) -> ContactNote:
    """The note, if the caller sees the contact it is about."""
    note = await store.FIND_NOTE.first(caller.workspace_id, note_id)
    if note is None:
        raise NoteNotFound
    try:
        await visible_contact(caller, note.contact_id)
    except ContactNotFound as error:
        raise NoteNotFound from error
    return note
