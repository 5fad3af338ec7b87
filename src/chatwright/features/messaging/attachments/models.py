"""What goes in and out of attachments."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chatwright.features.contacts.values import Name
from chatwright.kernel.operation import OUTSIDE, Input, Output


class Attachment(Output):
    """A stored file."""

    id: UUID
    """Id of the file, for `attachment_id` of a media message."""
    filename: Annotated[str, OUTSIDE]
    """Name to show and to save it under."""
    media_type: str
    """Its type, e.g. `image/png`."""
    size: int
    """Bytes."""
    created_at: datetime
    """When it was stored."""


class RegisterAttachment(Input):
    """A file whose bytes are in the store already."""

    storage_key: Annotated[str, Field(max_length=200)]
    """Where they are."""
    filename: Name
    """Name to show and to save it under."""
    media_type: Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+-]+$", max_length=100)]
    """Its type, e.g. `image/png`."""
    size: Annotated[int, Field(ge=0)]
    """Bytes."""


class ShowAttachment(Input):
    """A file to show."""

    attachment_id: UUID
    """Id of the file."""
