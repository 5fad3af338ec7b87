"""What goes in and out about tags."""

from datetime import datetime
from uuid import UUID

from chatwright.features.contacts.values import Name
from chatwright.kernel.operation import Input, Output
from chatwright.kernel.paging import PageRequest


class Tag(Output):
    """A name that is put on contacts."""

    id: UUID
    """Id of the tag."""
    name: str
    """The name; upper and lower case make no difference."""
    contacts: int
    """How many contacts carry it."""
    created_at: datetime
    """When it was made."""


class ListTags(PageRequest):
    """The tags of the workspace."""


class CreateTag(Input):
    """A new tag."""

    name: Name
    """The name."""


class RenameTag(Input):
    """A new name for a tag."""

    tag_id: UUID
    """Id of the tag."""
    name: Name
    """The new name."""


class DeleteTag(Input):
    """A tag to take off every contact and delete."""

    tag_id: UUID
    """Id of the tag."""
