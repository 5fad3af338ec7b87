"""What goes in and out about exports."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from chatwright.features.contacts.filters import ContactFilter
from chatwright.kernel.operation import Input, Output
from chatwright.kernel.paging import PageRequest


class StartExport(Input):
    """Which contacts to write into a CSV file; all when nothing is said."""

    segment_id: UUID | None = None
    """Only contacts of this segment."""
    filter: ContactFilter | None = None
    """Only contacts that meet these conditions."""


class ContactExport(Output):
    """An export and how far it is."""

    id: UUID
    """Id of the export."""
    state: Literal["queued", "running", "done", "failed"]
    """How far it is."""
    rows: int
    """Contacts in the file so far."""
    size: int | None
    """Bytes of the file, once it is done."""
    created_by: str
    """Who started it."""
    created_at: datetime
    """When it was started."""
    finished_at: datetime | None
    """When it ended."""


class ExportFile(Output):
    """The file of a finished export."""

    storage_key: str
    """Where it lies in the store."""
    size: int
    """Its bytes."""


class DownloadExport(Input):
    """A finished export whose file to give out."""

    export_id: UUID
    """Id of the export."""


class GetExport(Input):
    """An export to show."""

    export_id: UUID
    """Id of the export."""


class ListExports(PageRequest):
    """The exports of the workspace."""
