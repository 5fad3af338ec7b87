"""The filter of a segment, for those who want its contacts."""

from uuid import UUID

from chatwright.features.contacts.errors import SegmentNotFound
from chatwright.features.contacts.filters import FILTER, Filter
from chatwright.features.contacts.segments import store


async def segment_filter(workspace_id: UUID, segment_id: UUID) -> Filter:
    """The conditions of a segment; raises SegmentNotFound."""
    segment = await store.FIND_SEGMENT.first(workspace_id, segment_id)
    if segment is None:
        raise SegmentNotFound
    return FILTER.validate_python(segment.filter)
