"""What goes in and out about segments."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import JsonValue

from chatwright.features.contacts.filters import ContactFilter
from chatwright.features.contacts.models import Contact
from chatwright.features.contacts.values import Name
from chatwright.kernel.operation import DETAIL, Input, Output
from chatwright.kernel.paging import PageRequest


class Segment(Output):
    """A filter kept under a name; who is in it follows from the contacts as they are at the time."""

    id: UUID
    """Id of the segment."""
    name: str
    """Name people see."""
    filter: Annotated[dict[str, JsonValue], DETAIL]
    """The conditions, as `create_segment` takes them."""
    created_at: datetime
    """When it was made."""
    updated_at: datetime
    """When it was last changed."""


class ListSegments(PageRequest):
    """The segments of the workspace."""


class CreateSegment(Input):
    """A new segment."""

    name: Name
    """Name people see."""
    filter: ContactFilter
    """The conditions."""


class GetSegment(Input):
    """A segment to show."""

    segment_id: UUID
    """Id of the segment."""


class UpdateSegment(Input):
    """Changes to a segment; what is left out stays."""

    segment_id: UUID
    """Id of the segment."""
    name: Name | None = None
    """New name."""
    filter: ContactFilter | None = None
    """New conditions."""


class DeleteSegment(Input):
    """A segment to delete."""

    segment_id: UUID
    """Id of the segment."""


class PreviewSegment(Input):
    """A filter to try out without keeping it."""

    filter: ContactFilter
    """The conditions."""


class SegmentPreview(Output):
    """Who meets a filter."""

    count: int
    """How many contacts meet it now."""
    sample: list[Contact]
    """The newest few of them."""


class CountSegment(Input):
    """A segment whose contacts to count."""

    segment_id: UUID
    """Id of the segment."""


class SegmentCount(Output):
    """How many contacts are in a segment."""

    count: int
    """How many there are now."""


class ListSegmentContacts(PageRequest):
    """A segment whose contacts to list."""

    segment_id: UUID
    """Id of the segment."""
