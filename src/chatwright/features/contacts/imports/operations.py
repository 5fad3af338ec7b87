"""The verbs about imports."""

import asyncio
from uuid import UUID

from chatwright.features.contacts.changes import known_fields
from chatwright.features.contacts.errors import ImportNotFound, UnknownField
from chatwright.features.contacts.filters import CUSTOM
from chatwright.features.contacts.imports import store
from chatwright.features.contacts.imports.models import (
    CancelImport,
    ContactImport,
    GetImport,
    ImportPlace,
    ImportRowError,
    ListImportErrors,
    ListImports,
    StartImport,
    UploadImportFile,
)
from chatwright.features.contacts.imports.rules import PLAN, placed, plan_of
from chatwright.features.contacts.sheets import read_sheet
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import FieldProblem, InvalidInput
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, RateClass, operation
from chatwright.kernel.paging import Page, after_id, decode_cursor, page_of
from chatwright.ports.database import emit, wake

UPLOAD_RATE = RateClass(per_minute=60, burst=20)
"""Files are large, and stay until they are imported."""


@operation(
    "imports.upload",
    tool="upload_import_file",
    scope="contacts:write",
    effect=Effect.ADD,
    http="POST /imports/files",
    surfaces=frozenset(),
    rate=UPLOAD_RATE,
)
async def upload_import_file(caller: Caller, request: UploadImportFile) -> ImportPlace:
    """Get a place in the store for the file of an import; the face that takes the bytes puts them there."""
    del request
    caller.require_every_inbox()
    return ImportPlace(storage_key=f"{_uploads(caller.workspace_id)}{new_id().hex}")


@operation(
    "imports.start",
    tool="start_contact_import",
    scope="contacts:write",
    effect=Effect.ADD,
    http="POST /imports",
    errors=(UnknownField,),
    job="imports.get",
)
async def start_import(caller: Caller, request: StartImport) -> ContactImport:
    """Import contacts from a CSV file, in the background. Try it with `dry_run` first.

    `get_contact_import` shows how far it is, `list_contact_import_errors` which rows could not be taken.
    """
    caller.require_every_inbox()
    rows_total = None
    if request.csv is not None and request.storage_key is None:
        rows_total = await _checked_rows(caller.workspace_id, request.csv, request)
    elif request.csv is not None or not _is_upload(caller.workspace_id, request.storage_key):
        message = "Give either the text of the file or the place of an uploaded one."
        raise InvalidInput(message, fields=[FieldProblem(path="csv", message=message)])
    started = await store.INSERT_IMPORT.one(
        new_id(),
        caller.workspace_id,
        request.name,
        PLAN.dump_python(plan_of(request), mode="json"),
        request.dry_run,
        request.csv,
        request.storage_key,
        rows_total,
        caller.name,
    )
    wake("contact_imports")
    emit(Event("import.started", caller.workspace_id, started.id))
    return started


@operation(
    "imports.get",
    tool="get_contact_import",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /imports/{import_id}",
    errors=(ImportNotFound,),
)
async def get_import(caller: Caller, request: GetImport) -> ContactImport:
    """Show how far an import is and what became of its rows."""
    return await _import(caller, request.import_id)


@operation(
    "imports.list",
    tool="list_contact_imports",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /imports",
)
async def list_imports(caller: Caller, request: ListImports) -> Page[ContactImport]:
    """List the imports of this workspace, newest first."""
    caller.require_every_inbox()
    before = None if request.cursor is None else after_id(request.cursor)
    rows = await store.LIST_IMPORTS.all(caller.workspace_id, before, request.limit + 1)
    return page_of(rows, request.limit, lambda row: (str(row.id),))


@operation(
    "imports.cancel",
    tool="cancel_contact_import",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /imports/{import_id}/cancel",
    errors=(ImportNotFound,),
)
async def cancel_import(caller: Caller, request: CancelImport) -> ContactImport:
    """Stop an import. Rows that were taken stay; one that has ended stays as it is."""
    found = await _import(caller, request.import_id)
    if await store.CANCEL_IMPORT.first(caller.workspace_id, found.id) is not None:
        emit(Event("import.cancelled", caller.workspace_id, found.id))
    return await _import(caller, found.id)


@operation(
    "imports.errors",
    tool="list_contact_import_errors",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /imports/{import_id}/errors",
    errors=(ImportNotFound,),
)
async def list_import_errors(caller: Caller, request: ListImportErrors) -> Page[ImportRowError]:
    """List the rows of an import that could not be taken, each with the column at fault and the reason."""
    found = await _import(caller, request.import_id)
    after = (0, "") if request.cursor is None else decode_cursor(request.cursor, int, str)
    rows = await store.LIST_ERRORS.all(found.id, *after, request.limit + 1)
    return page_of(rows, request.limit, lambda row: (row.row, row.column))


async def _import(caller: Caller, import_id: UUID) -> ContactImport:
    caller.require_every_inbox()
    found = await store.FIND_IMPORT.first(caller.workspace_id, import_id)
    if found is None:
        raise ImportNotFound
    return found


async def _checked_rows(workspace_id: UUID, csv: str, request: StartImport) -> int:
    """How many rows the file has, if it can be read as asked."""
    sheet = await asyncio.to_thread(read_sheet, csv)
    targets = placed(sheet.header, request.columns)
    keys = {target.removeprefix(CUSTOM) for target in targets.values() if target.startswith(CUSTOM)}
    if unknown := sorted(keys - (await known_fields(workspace_id, keys)).keys()):
        message = f"There is no custom field {', '.join(unknown)}."
        raise UnknownField(message, fields=[FieldProblem(path="columns", message=message)])
    return len(sheet.rows)


def _is_upload(workspace_id: UUID, key: str | None) -> bool:
    """Whether a storage key is that of a file uploaded for an import of this workspace."""
    return key is not None and key.startswith(_uploads(workspace_id)) and ".." not in key


def _uploads(workspace_id: UUID) -> str:
    return f"{workspace_id}/imports/"
