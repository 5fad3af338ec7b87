"""The verbs of the contacts room about contacts themselves."""

from datetime import UTC, datetime
from uuid import UUID

from chatwright.features.contacts import store
from chatwright.features.contacts.access import limits_of, visible_contact
from chatwright.features.contacts.audience import Clause, found_by, known_by, seen_in, tagged
from chatwright.features.contacts.errors import (
    ContactNotFound,
    FieldMismatch,
    IdentityTaken,
    SegmentNotFound,
    UnknownField,
)
from chatwright.features.contacts.finding import checked_clause, page_of_contacts
from chatwright.features.contacts.folding import prefix_query, tag_key
from chatwright.features.contacts.forgetting import forget_contact
from chatwright.features.contacts.identities import hold_identity, lock_identities
from chatwright.features.contacts.models import (
    AddContactTags,
    BlockContact,
    ConsentRecord,
    Contact,
    CreateContact,
    DeleteContact,
    FilterContacts,
    FindContacts,
    GetContact,
    IdentityKey,
    ListConsents,
    RecordConsent,
    RemoveContactTags,
    UnblockContact,
    UpdateContact,
    UpsertContact,
    UpsertedContact,
)
from chatwright.features.contacts.segments.finding import segment_filter
from chatwright.features.contacts.tags.tagging import put_on, take_off
from chatwright.features.contacts.writing import change, create
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.features.workspaces.inboxes import check_inboxes
from chatwright.features.workspaces.models import Removed
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import FieldProblem, InvalidInput
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.database import emit


@operation(
    "contacts.create",
    tool="create_contact",
    scope="contacts:write",
    effect=Effect.ADD,
    http="POST /contacts",
    errors=(IdentityTaken, InboxNotFound),
)
async def create_contact(caller: Caller, request: CreateContact) -> Contact:
    """Create a contact.

    Use `upsert_contact` where the person may be known already under a channel's identity.
    """
    await check_inboxes(caller, [identity.inbox_id for identity in request.identities])
    if caller.inbox_ids is not None and not request.identities:
        message = "A caller limited to some inboxes has to say by which name one of them knows the contact."
        raise InvalidInput(message, fields=[FieldProblem(path="identities", message=message)])
    await lock_identities(caller.workspace_id, request.identities)
    for at, identity in enumerate(request.identities):
        await _check_free(caller, identity, f"identities.{at}")
    contact_id = await create(caller.workspace_id, request, identities=request.identities, tags=request.tags)
    return await visible_contact(caller, contact_id)


@operation(
    "contacts.upsert",
    tool="upsert_contact",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PUT /contacts",
    errors=(InboxNotFound,),
)
async def upsert_contact(caller: Caller, request: UpsertContact) -> UpsertedContact:
    """Find a contact by the name under which a channel knows it and bring it up to date, or create it."""
    await check_inboxes(caller, [request.identity.inbox_id])
    await lock_identities(caller.workspace_id, [request.identity])
    contact_id = await hold_identity(caller.workspace_id, request.identity)
    if contact_id is None:
        made = await create(caller.workspace_id, request, identities=[request.identity], tags=request.tags)
        return UpsertedContact(contact=await visible_contact(caller, made), created=True)
    await change(caller.workspace_id, contact_id, request)
    await put_on(caller.workspace_id, contact_id, request.tags)
    return UpsertedContact(contact=await visible_contact(caller, contact_id), created=False)


@operation(
    "contacts.get",
    tool="get_contact",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /contacts/{contact_id}",
    errors=(ContactNotFound,),
)
async def get_contact(caller: Caller, request: GetContact) -> Contact:
    """Show a contact with its tags, fields, identities and consents.

    The id of a merged contact shows the contact that absorbed it.
    """
    return await visible_contact(caller, request.contact_id)


@operation(
    "contacts.find",
    tool="find_contacts",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /contacts",
    errors=(SegmentNotFound, InboxNotFound),
)
async def find_contacts(caller: Caller, request: FindContacts) -> Page[Contact]:
    """Find contacts by beginnings of words, tag, segment, inbox or identity, newest first."""
    clauses: list[Clause] = []
    if request.query is not None and (query := prefix_query(request.query)):
        clauses.append(found_by(query))
    if request.tag is not None:
        clauses.append(tagged([tag_key(request.tag)]))
    if request.segment_id is not None:
        node = await segment_filter(caller.workspace_id, request.segment_id)
        clauses.append(await checked_clause(caller, node))
    if request.inbox_id is not None:
        await check_inboxes(caller, [request.inbox_id])
        clauses.append(seen_in([request.inbox_id]))
    if request.identity is not None:
        clauses.append(known_by(request.identity, limits_of(caller)))
    return await page_of_contacts(caller, request, *clauses)


@operation(
    "contacts.filter",
    tool="filter_contacts",
    scope="contacts:read",
    effect=Effect.READ,
    http="POST /contacts/filter",
    errors=(UnknownField, FieldMismatch, InboxNotFound),
)
async def filter_contacts(caller: Caller, request: FilterContacts) -> Page[Contact]:
    """Find contacts by conditions on any of their data, nested with and, or and not, newest first."""
    return await page_of_contacts(caller, request, await checked_clause(caller, request.filter))


@operation(
    "contacts.update",
    tool="update_contact",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PATCH /contacts/{contact_id}",
    errors=(ContactNotFound,),
)
async def update_contact(caller: Caller, request: UpdateContact) -> Contact:
    """Change a contact's names, addresses, language, time zone or custom fields.

    A list of e-mails or phones replaces the one before.
    """
    contact = await visible_contact(caller, request.contact_id)
    await change(caller.workspace_id, contact.id, request, clear=request.clear)
    return await visible_contact(caller, contact.id)


@operation(
    "contacts.delete",
    tool="delete_contact",
    scope="contacts:write",
    effect=Effect.DESTROY,
    http="DELETE /contacts/{contact_id}",
    errors=(ContactNotFound,),
)
async def delete_contact(caller: Caller, request: DeleteContact) -> Removed:
    """Delete a contact for good, with its notes, consents, identities and whatever was merged into it.

    Its conversations go too, a moment later.
    """
    contact = await visible_contact(caller, request.contact_id)
    await forget_contact(caller.workspace_id, contact.id)
    return Removed(id=contact.id, name=contact.name)


@operation(
    "contacts.block",
    tool="block_contact",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /contacts/{contact_id}/block",
    errors=(ContactNotFound,),
)
async def block_contact(caller: Caller, request: BlockContact) -> Contact:
    """Ignore a contact's messages from now on, and refuse to write to it."""
    return await _set_blocked(caller, request.contact_id, blocked=True)


@operation(
    "contacts.unblock",
    tool="unblock_contact",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /contacts/{contact_id}/unblock",
    errors=(ContactNotFound,),
)
async def unblock_contact(caller: Caller, request: UnblockContact) -> Contact:
    """Take a contact's messages again."""
    return await _set_blocked(caller, request.contact_id, blocked=False)


@operation(
    "contacts.add_tags",
    tool="add_contact_tags",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /contacts/{contact_id}/tags",
    errors=(ContactNotFound,),
)
async def add_contact_tags(caller: Caller, request: AddContactTags) -> Contact:
    """Put tags on a contact. New tags are made; those it carries already are ignored."""
    contact = await visible_contact(caller, request.contact_id)
    await put_on(caller.workspace_id, contact.id, request.tags)
    return await visible_contact(caller, contact.id)


@operation(
    "contacts.remove_tags",
    tool="remove_contact_tags",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="DELETE /contacts/{contact_id}/tags",
    errors=(ContactNotFound,),
)
async def remove_contact_tags(caller: Caller, request: RemoveContactTags) -> Contact:
    """Remove tags from a contact. Tags it does not carry are ignored."""
    contact = await visible_contact(caller, request.contact_id)
    await take_off(caller.workspace_id, contact.id, request.tags)
    return await visible_contact(caller, contact.id)


@operation(
    "contacts.record_consent",
    tool="record_contact_consent",
    scope="contacts:write",
    effect=Effect.ADD,
    http="POST /contacts/{contact_id}/consents",
    errors=(ContactNotFound,),
)
async def record_consent(caller: Caller, request: RecordConsent) -> Contact:
    """Write down that a contact agreed or objected to being written to on a channel, with the evidence.

    The latest word on a channel counts; earlier ones stay as history.
    """
    contact = await visible_contact(caller, request.contact_id)
    if request.given_at is not None and request.given_at > datetime.now(UTC):
        message = "Nobody can have said so in the future."
        raise InvalidInput(message, fields=[FieldProblem(path="given_at", message=message)])
    await store.INSERT_CONSENT.run(
        new_id(),
        caller.workspace_id,
        contact.id,
        request.channel,
        request.state,
        request.source,
        request.evidence,
        request.given_at,
        caller.name,
    )
    emit(
        Event(f"contact.{request.state}", caller.workspace_id, contact.id, data={"channel": request.channel})
    )
    return await visible_contact(caller, contact.id)


@operation(
    "contacts.list_consents",
    tool="list_contact_consents",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /contacts/{contact_id}/consents",
    errors=(ContactNotFound,),
)
async def list_consents(caller: Caller, request: ListConsents) -> Page[ConsentRecord]:
    """List everything a contact ever said about being written to, with the evidence, oldest first."""
    contact = await visible_contact(caller, request.contact_id)
    rows = await store.LIST_CONSENTS.all(
        caller.workspace_id, contact.id, after_id(request.cursor), request.limit + 1
    )
    return page_of(rows, request.limit, lambda row: (str(row.id),))


async def _check_free(caller: Caller, identity: IdentityKey, path: str) -> None:
    if await hold_identity(caller.workspace_id, identity) is not None:
        message = f"Another contact is known as {identity.kind} {identity.value} in this inbox."
        raise IdentityTaken(message, fields=[FieldProblem(path=path, message=message)])


async def _set_blocked(caller: Caller, contact_id: UUID, *, blocked: bool) -> Contact:
    contact = await visible_contact(caller, contact_id)
    if await store.SET_BLOCKED.first(caller.workspace_id, contact.id, blocked) is not None:
        emit(Event("contact.blocked" if blocked else "contact.unblocked", caller.workspace_id, contact.id))
    return await visible_contact(caller, contact.id)
