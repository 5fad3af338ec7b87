"""What goes in and out about imports."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chatwright.features.contacts.models import Region
from chatwright.features.contacts.values import Name
from chatwright.kernel.operation import OUTSIDE, Input, Output
from chatwright.kernel.paging import PageRequest

MAX_CSV = 5_000_000
"""Characters of CSV in one call; larger files go into the storage first."""

MAX_FILE = 20_000_000
"""Bytes of an uploaded file."""

Target = (
    Literal["id", "name", "first_name", "last_name", "email", "phone", "locale", "timezone", "tags"]
    | Annotated[str, Field(pattern=r"^fields\.[a-z][a-z0-9_]{0,49}$")]
)
ImportState = Literal["queued", "running", "done", "failed", "cancelled"]


class ImportColumn(Input):
    """Where the cells of one column go."""

    column: Annotated[str, Field(min_length=1, max_length=200)]
    """The column's name in the header row; case makes no difference."""
    to: Target
    """What its cells are; a custom field as `fields.` and its key. Several columns may go to email or phone."""


class UploadImportFile(Input):
    """A file for an import, whose bytes come by themselves."""


class ImportPlace(Output):
    """A place in the store for the file of an import."""

    storage_key: str
    """The place, for `storage_key` of `start_contact_import`."""


class ImportFile(ImportPlace):
    """An uploaded file."""

    size: int
    """Its bytes."""


class StartImport(Input):
    """A CSV file with a header row, and what to do with it."""

    name: Name = "contacts.csv"
    """Name to know the import by, e.g. that of the file."""
    csv: Annotated[str, Field(max_length=MAX_CSV)] | None = None
    """The file's text: comma, semicolon, tab or bar between cells."""
    storage_key: Annotated[str, Field(max_length=300)] | None = None
    """Where an uploaded file lies, instead of `csv`; `POST /api/v1/imports/files` takes it and answers the place."""
    columns: list[ImportColumn] | None = Field(default=None, min_length=1, max_length=200)
    """What the columns are; when absent, columns named like the targets are taken, as an export names them."""
    existing: Literal["update", "skip"] = "update"
    """What to do with a row whose contact is there already: by id, else e-mail, else phone."""
    region: Region | None = None
    """Country (ISO 3166, e.g. `VN`) whose national phone numbers are meant where the + is missing."""
    tags: list[Name] = Field(default_factory=list[Name], max_length=20)
    """Tags to put on every contact of the file."""
    dry_run: bool = False
    """Whether to check every row and report, without keeping anything."""


class ContactImport(Output):
    """An import and how far it is."""

    id: UUID
    """Id of the import."""
    name: str
    """Name it is known by."""
    state: ImportState
    """How far it is."""
    dry_run: bool
    """Whether it only checks. A person who is in the file twice then counts as two new contacts."""
    rows_total: int | None
    """Rows below the header; absent until the file was read."""
    rows_done: int
    """Rows that were worked so far."""
    rows_created: int
    """Rows that made a contact."""
    rows_updated: int
    """Rows whose contact was there and was brought up to date."""
    rows_skipped: int
    """Rows that were empty, or whose contact was there and was to stay."""
    rows_failed: int
    """Rows that could not be taken; `list_contact_import_errors` says why."""
    error: str | None
    """Why the whole import failed."""
    created_by: str
    """Who started it."""
    created_at: datetime
    """When it was started."""
    finished_at: datetime | None
    """When it ended."""


class GetImport(Input):
    """An import to show."""

    import_id: UUID
    """Id of the import."""


class ListImports(PageRequest):
    """The imports of the workspace."""


class CancelImport(Input):
    """An import to stop."""

    import_id: UUID
    """Id of the import."""


class ImportRowError(Output):
    """Why one row could not be taken."""

    row: int
    """Number of the row as a spreadsheet shows it; the header is row 1."""
    column: Annotated[str, OUTSIDE]
    """Name of the column; empty when it is about the whole row."""
    message: str
    """What is wrong."""


class ListImportErrors(PageRequest):
    """An import whose rows at fault to list."""

    import_id: UUID
    """Id of the import."""
