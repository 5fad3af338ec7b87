"""The verbs about segments."""

from chatwright.features.contacts.errors import FieldMismatch, SegmentNotFound, UnknownField
from chatwright.features.contacts.filters import ContactFilter
from chatwright.features.contacts.finding import checked_clause, count_contacts, page_of_contacts
from chatwright.features.contacts.models import Contact
from chatwright.features.contacts.segments import store
from chatwright.features.contacts.segments.finding import segment_filter
from chatwright.features.contacts.segments.models import (
    CountSegment,
    CreateSegment,
    DeleteSegment,
    GetSegment,
    ListSegmentContacts,
    ListSegments,
    PreviewSegment,
    Segment,
    SegmentCount,
    SegmentPreview,
    UpdateSegment,
)
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.features.workspaces.models import Removed
from chatwright.kernel.caller import Caller
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, PageRequest, after_id, page_of
from chatwright.ports.database import emit

SAMPLE = 5
_FILTER_ERRORS = (UnknownField, FieldMismatch, InboxNotFound)


@operation(
    "segments.create",
    tool="create_segment",
    scope="contacts:write",
    effect=Effect.ADD,
    http="POST /segments",
    errors=_FILTER_ERRORS,
)
async def create_segment(caller: Caller, request: CreateSegment) -> Segment:
    """Keep a filter under a name. Try it out first with `preview_segment`."""
    await checked_clause(caller, request.filter)
    segment = await store.INSERT_SEGMENT.one(
        new_id(), caller.workspace_id, request.name, _kept(request.filter)
    )
    emit(Event("segment.created", caller.workspace_id, segment.id))
    return segment


@operation(
    "segments.list", tool="list_segments", scope="contacts:read", effect=Effect.READ, http="GET /segments"
)
async def list_segments(caller: Caller, request: ListSegments) -> Page[Segment]:
    """List the segments of this workspace with their conditions."""
    rows = await store.LIST_SEGMENTS.all(caller.workspace_id, after_id(request.cursor), request.limit + 1)
    return page_of(rows, request.limit, lambda segment: (str(segment.id),))


@operation(
    "segments.get",
    tool="get_segment",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /segments/{segment_id}",
    errors=(SegmentNotFound,),
)
async def get_segment(caller: Caller, request: GetSegment) -> Segment:
    """Show a segment with its conditions."""
    segment = await store.FIND_SEGMENT.first(caller.workspace_id, request.segment_id)
    if segment is None:
        raise SegmentNotFound
    return segment


@operation(
    "segments.update",
    tool="update_segment",
    scope="contacts:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PATCH /segments/{segment_id}",
    errors=(SegmentNotFound, *_FILTER_ERRORS),
)
async def update_segment(caller: Caller, request: UpdateSegment) -> Segment:
    """Change the name or the conditions of a segment."""
    if request.filter is not None:
        await checked_clause(caller, request.filter)
    conditions = None if request.filter is None else _kept(request.filter)
    segment = await store.UPDATE_SEGMENT.first(
        caller.workspace_id, request.segment_id, request.name, conditions
    )
    if segment is None:
        raise SegmentNotFound
    emit(Event("segment.updated", caller.workspace_id, segment.id))
    return segment


@operation(
    "segments.delete",
    tool="delete_segment",
    scope="contacts:write",
    effect=Effect.DESTROY,
    http="DELETE /segments/{segment_id}",
    errors=(SegmentNotFound,),
)
async def delete_segment(caller: Caller, request: DeleteSegment) -> Removed:
    """Delete a segment. Its contacts stay."""
    name = await store.DELETE_SEGMENT.first(caller.workspace_id, request.segment_id)
    if name is None:
        raise SegmentNotFound
    emit(Event("segment.deleted", caller.workspace_id, request.segment_id))
    return Removed(id=request.segment_id, name=name)


@operation(
    "segments.preview",
    tool="preview_segment",
    scope="contacts:read",
    effect=Effect.READ,
    http="POST /segments/preview",
    errors=_FILTER_ERRORS,
)
async def preview_segment(caller: Caller, request: PreviewSegment) -> SegmentPreview:
    """Count the contacts that meet a filter and show the newest few, without keeping it."""
    clause = await checked_clause(caller, request.filter)
    page = await page_of_contacts(caller, PageRequest(limit=SAMPLE), clause)
    return SegmentPreview(count=await count_contacts(caller, clause), sample=page.items)


@operation(
    "segments.count",
    tool="count_segment",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /segments/{segment_id}/count",
    errors=(SegmentNotFound, *_FILTER_ERRORS),
)
async def count_segment(caller: Caller, request: CountSegment) -> SegmentCount:
    """Count the contacts that are in a segment now."""
    node = await segment_filter(caller.workspace_id, request.segment_id)
    return SegmentCount(count=await count_contacts(caller, await checked_clause(caller, node)))


@operation(
    "segments.contacts",
    tool="list_segment_contacts",
    scope="contacts:read",
    effect=Effect.READ,
    http="GET /segments/{segment_id}/contacts",
    errors=(SegmentNotFound, *_FILTER_ERRORS),
)
async def list_segment_contacts(caller: Caller, request: ListSegmentContacts) -> Page[Contact]:
    """List the contacts that are in a segment now, newest first."""
    node = await segment_filter(caller.workspace_id, request.segment_id)
    return await page_of_contacts(caller, request, await checked_clause(caller, node))


def _kept(conditions: ContactFilter) -> dict[str, object]:
    return conditions.model_dump(mode="json", exclude_none=True)
