"""The verbs about exports."""

from chatwright.features.contacts.access import limits_of
from chatwright.features.contacts.errors import (
    ExportNotFound,
    FieldMismatch,
    SegmentNotFound,
    UnknownField,
)
from chatwright.features.contacts.exports import store
from chatwright.features.contacts.exports.models import (
    ContactExport,
    DownloadExport,
    ExportFile,
    GetExport,
    ListExports,
    StartExport,
)
from chatwright.features.contacts.filters import Node
from chatwright.features.contacts.finding import checked_clause
from chatwright.features.contacts.segments.finding import segment_filter
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.caller import Caller
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.database import emit, wake


@operation(
    "exports.start",
    tool="start_contact_export",
    scope="contacts:write",
    effect=Effect.ADD,
    http="POST /exports",
    errors=(SegmentNotFound, UnknownField, FieldMismatch, InboxNotFound),
    asks=True,
    job="exports.get",
)
async def start_export(caller: Caller, request: StartExport) -> ContactExport:
    """Write contacts into a CSV file, in the background. An import takes it back with its columns as they are."""
    conditions: list[Node] = [] if request.filter is None else [request.filter]
    if request.segment_id is not None:
        conditions.append(await segment_filter(caller.workspace_id, request.segment_id))
    for node in conditions:
        await checked_clause(caller, node)
    kept = [node.model_dump(mode="json", exclude_none=True) for node in conditions]
    export_id = new_id()
    started = await store.INSERT_EXPORT.one(
        export_id,
        caller.workspace_id,
        {"type": "and", "filters": kept} if kept else None,
        limits_of(caller),
        f"{caller.workspace_id}/exports/{export_id}.csv",
        caller.name,
    )
    wake("contact_exports")
    emit(Event("export.started", caller.workspace_id, export_id))
    return started


@operation(
    "exports.get",
    tool="get_contact_export",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /exports/{export_id}",
    errors=(ExportNotFound,),
)
async def get_export(caller: Caller, request: GetExport) -> ContactExport:
    """Show how far an export is."""
    found = await store.FIND_EXPORT.first(caller.workspace_id, limits_of(caller), request.export_id)
    if found is None:
        raise ExportNotFound
    return found


@operation(
    "exports.list",
    tool="list_contact_exports",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /exports",
)
async def list_exports(caller: Caller, request: ListExports) -> Page[ContactExport]:
    """List the exports of this workspace, newest first."""
    before = None if request.cursor is None else after_id(request.cursor)
    rows = await store.LIST_EXPORTS.all(caller.workspace_id, limits_of(caller), before, request.limit + 1)
    return page_of(rows, request.limit, lambda row: (str(row.id),))


@operation(
    "exports.download",
    tool="download_contact_export",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /exports/{export_id}/content",
    errors=(ExportNotFound,),
    surfaces=frozenset(),
)
async def download_export(caller: Caller, request: DownloadExport) -> ExportFile:
    """Find the file of a finished export; the face that was asked for it streams it out of the store."""
    file = await store.EXPORT_FILE.first(caller.workspace_id, limits_of(caller), request.export_id)
    if file is None:
        raise ExportNotFound
    return file
