"""What goes in and out about notes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from chatwright.features.contacts.values import Prose
from chatwright.kernel.operation import OUTSIDE, Input, Output
from chatwright.kernel.paging import PageRequest


class ContactNote(Output):
    """Something to remember about a contact; the contact never sees it."""

    id: UUID
    """Id of the note."""
    contact_id: UUID
    """The contact it is about."""
    text: Annotated[str, OUTSIDE]
    """What to remember."""
    author: str
    """Who wrote it."""
    created_at: datetime
    """When it was written."""
    updated_at: datetime
    """When it was last changed."""


class ListNotes(PageRequest):
    """A contact whose notes to list."""

    contact_id: UUID
    """Id of the contact."""


class AddNote(Input):
    """A new note."""

    contact_id: UUID
    """Id of the contact."""
    text: Prose
    """What to remember."""


class UpdateNote(Input):
    """A new text for a note."""

    note_id: UUID
    """Id of the note."""
    text: Prose
    """What to remember."""


class DeleteNote(Input):
    """A note to delete."""

    note_id: UUID
    """Id of the note."""
