"""What goes in and out about custom fields."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chatwright.features.contacts.values import FieldKey, Name
from chatwright.kernel.operation import Input, Output
from chatwright.kernel.paging import PageRequest

FieldKind = Literal["text", "number", "boolean", "date", "datetime", "email", "phone", "url", "choice"]


class ContactField(Output):
    """A custom field that contacts of this workspace can have."""

    id: UUID
    """Id of the field."""
    key: str
    """Name under which values are given and shown; never changes."""
    label: str
    """Words people see."""
    kind: FieldKind
    """What its values are; never changes."""
    choices: list[str]
    """What can be chosen, for the kind `choice`."""
    created_at: datetime
    """When it was made."""


class ListFields(PageRequest):
    """The custom fields of the workspace."""


class CreateField(Input):
    """A new custom field."""

    key: FieldKey
    """Name under which values are given and shown, e.g. `shoe_size`; never changes."""
    kind: FieldKind
    """What its values are. Dates are `2026-11-30`, datetimes carry an offset, URLs begin with http."""
    label: Name | None = None
    """Words people see; made of the key when absent."""
    choices: list[Name] = Field(default_factory=list, max_length=200)
    """What can be chosen, for the kind `choice`."""


class UpdateField(Input):
    """Changes to a custom field; what is left out stays."""

    field_id: UUID
    """Id of the field."""
    label: Name | None = None
    """New words people see."""
    choices: Annotated[list[Name], Field(max_length=200)] | None = None
    """All that can be chosen from now on; values already given stay."""


class DeleteField(Input):
    """A custom field to delete."""

    field_id: UUID
    """Id of the field."""
