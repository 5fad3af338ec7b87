"""The verbs about custom fields."""

from chatwright.features.contacts.errors import FieldExists, FieldInUse, FieldNotFound
from chatwright.features.contacts.fields import store
from chatwright.features.contacts.fields.models import (
    ContactField,
    CreateField,
    DeleteField,
    FieldKind,
    ListFields,
    UpdateField,
)
from chatwright.features.contacts.filters import FILTER, own_fields_of
from chatwright.features.contacts.store import SEGMENT_FILTERS
from chatwright.features.workspaces.models import Removed
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import FieldProblem, InvalidInput
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.database import emit

MAX_FIELDS = 200


@operation(
    "fields.create",
    tool="create_contact_field",
    scope="contacts:write",
    effect=Effect.ADD,
    http="POST /fields",
    errors=(FieldExists,),
)
async def create_field(caller: Caller, request: CreateField) -> ContactField:
    """Define a custom field that contacts of this workspace can have. Its key and kind never change."""
    caller.require_every_inbox()
    _check_choices(request.kind, request.choices)
    if await store.COUNT_FIELDS.one(caller.workspace_id) >= MAX_FIELDS:
        message = f"A workspace has {MAX_FIELDS} custom fields at most."
        raise InvalidInput(message)
    label = request.label or request.key.replace("_", " ").capitalize()
    field = await store.INSERT_FIELD.first(
        new_id(), caller.workspace_id, request.key, label, request.kind, request.choices
    )
    if field is None:
        message = f"There is a custom field '{request.key}' already."
        raise FieldExists(message)
    emit(Event("field.created", caller.workspace_id, field.id))
    return field


@operation(
    "fields.list", tool="list_contact_fields", scope="contacts:read", effect=Effect.READ, http="GET /fields"
)
async def list_fields(caller: Caller, request: ListFields) -> Page[ContactField]:
    """List the custom fields that contacts can have, with their keys and kinds."""
    rows = await store.LIST_FIELDS.all(caller.workspace_id, after_id(request.cursor), request.limit + 1)
    return page_of(rows, request.limit, lambda field: (str(field.id),))


@operation(
    "fields.update",
    tool="update_contact_field",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PATCH /fields/{field_id}",
    errors=(FieldNotFound,),
)
async def update_field(caller: Caller, request: UpdateField) -> ContactField:
    """Change the label or the choices of a custom field. Values that contacts have already stay."""
    caller.require_every_inbox()
    field = await store.FIND_FIELD.first(caller.workspace_id, request.field_id)
    if field is None:
        raise FieldNotFound
    if request.choices is not None:
        _check_choices(field.kind, request.choices)
    emit(Event("field.updated", caller.workspace_id, field.id))
    return await store.UPDATE_FIELD.one(caller.workspace_id, field.id, request.label, request.choices)


@operation(
    "fields.delete",
    tool="delete_contact_field",
    scope="contacts:write",
    effect=Effect.DESTROY,
    http="DELETE /fields/{field_id}",
    errors=(FieldNotFound, FieldInUse),
)
async def delete_field(caller: Caller, request: DeleteField) -> Removed:
    """Delete a custom field with the values that contacts have in it. One that segments use stays."""
    caller.require_every_inbox()
    field = await store.FIND_FIELD.first(caller.workspace_id, request.field_id)
    if field is None:
        raise FieldNotFound
    users = [
        segment["name"]
        for segment in await SEGMENT_FILTERS.all(caller.workspace_id)
        if field.key in own_fields_of(FILTER.validate_python(segment["filter"]))
    ]
    if users:
        message = f"These segments use the field: {', '.join(users[:5])}."
        raise FieldInUse(message)
    await store.DELETE_FIELD.run(caller.workspace_id, field.id)
    await store.FORGET_VALUES.run(caller.workspace_id, field.key)
    emit(Event("field.deleted", caller.workspace_id, field.id))
    return Removed(id=field.id, name=field.key)


def _check_choices(kind: FieldKind, choices: list[str]) -> None:
    different = {choice.casefold() for choice in choices}
    if (kind == "choice") != bool(choices) or len(different) != len(choices):
        message = "A field of kind choice needs choices that differ from each other; no other kind takes any."
        raise InvalidInput(message, fields=[FieldProblem(path="choices", message=message)])
