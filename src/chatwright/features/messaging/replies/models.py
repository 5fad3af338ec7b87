"""What goes in and out of saved replies."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chatwright.kernel.operation import Input, Output
from chatwright.kernel.paging import PageRequest
from chatwright.ports.content import Text


class SavedReply(Output):
    """Words to send again."""

    id: UUID
    """Id of the saved reply."""
    shortcut: str
    """What to type to find it."""
    text: str
    """The words."""
    updated_at: datetime
    """When it was last changed."""


class SaveReply(Input):
    """A reply to keep under a shortcut; an older one of that name is replaced."""

    shortcut: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    """What to type to find it."""
    text: Text
    """The words."""


class DeleteReply(Input):
    """A saved reply to delete."""

    reply_id: UUID
    """Id of the saved reply."""


class ListReplies(PageRequest):
    """The saved replies."""
