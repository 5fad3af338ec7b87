"""What goes in and out about merges."""

from datetime import datetime
from uuid import UUID

from chatwright.features.contacts.models import Contact
from chatwright.kernel.operation import Input, Output
from chatwright.kernel.paging import PageRequest


class Merge(Output):
    """The record of a merge."""

    id: UUID
    """Id of the merge."""
    contact_id: UUID
    """The contact that stayed."""
    absorbed_id: UUID
    """The contact that went into it; its id still leads there."""
    merged_by: str
    """Who merged them."""
    merged_at: datetime
    """When."""
    undone_at: datetime | None
    """When it was taken back, if it was."""


class MergeContacts(Input):
    """Two contacts that are one person."""

    contact_id: UUID
    """The contact that stays; where both have a value, its own counts."""
    duplicate_id: UUID
    """The contact that goes into it."""


class MergedContact(Output):
    """What a merge made."""

    merge: Merge
    """The record, with the id to undo it by."""
    contact: Contact
    """The contact that stayed, as it is now."""


class UndoMerge(Input):
    """A merge to take back."""

    merge_id: UUID
    """Id of the merge."""


class UndoneMerge(Output):
    """What taking back a merge gave."""

    contact: Contact
    """The contact that had stayed."""
    restored: Contact
    """The contact that had gone into it."""


class ListMerges(PageRequest):
    """A contact whose merges to list."""

    contact_id: UUID
    """Id of the contact that stayed."""
