"""What goes in and out of templates."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chatwright.kernel.lengths import LooseFields
from chatwright.kernel.operation import OUTSIDE, Input, Output
from chatwright.kernel.paging import PageRequest
from chatwright.ports.templates import TemplateCategory, TemplateStatus

TemplateName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Za-z0-9]{2,8})?$")]


class Template(Output):
    """A template as its provider last told us of it."""

    id: UUID
    """Id of the template."""
    inbox_id: UUID
    """The inbox it can be sent from."""
    name: str
    """Its name at the provider, for `name` of a template message."""
    language: str
    """Its language code there."""
    category: str
    """`marketing`, `utility` or `authentication`, which decides what it costs; the provider can change it."""
    status: str
    """Whether it can be sent: `approved`, or why not: `pending`, `rejected`, `paused`, `disabled`, ..."""
    components: list[dict[str, Any]]
    """Header, body, footer and buttons, in the provider's shape."""
    quality: str | None
    """The provider's rating, e.g. `GREEN`."""
    reason: Annotated[str | None, OUTSIDE]
    """Why it was rejected or paused."""
    updated_at: datetime
    """When we last heard of it."""


class ListTemplates(PageRequest):
    """Which templates to show."""

    inbox_id: UUID | None = None
    """Only of this inbox."""
    status: TemplateStatus | None = None
    """Only with this status."""


class ShowTemplate(Input):
    """A template to show."""

    template_id: UUID
    """Id of the template."""


class SyncTemplates(Input):
    """An inbox whose templates to read anew."""

    inbox_id: UUID
    """Id of the inbox."""


class SyncedTemplates(Output):
    """What reading an inbox's templates anew came to."""

    known: int
    """How many the provider has."""
    changed: int
    """How many of them were new or different."""
    gone: int
    """How many the provider no longer has."""


class CreateTemplate(Input):
    """A template to submit for approval."""

    inbox_id: UUID
    """The inbox to send it from."""
    name: TemplateName
    """Its name, in small letters, digits and underscores."""
    language: Language
    """Its language code, e.g. `en_US` or `vi`."""
    category: TemplateCategory
    """What it is for."""
    components: Annotated[list[LooseFields], Field(min_length=1, max_length=10)]
    """Header, body, footer and buttons, in the provider's shape."""


class DeleteTemplate(Input):
    """A template to delete at its provider."""

    template_id: UUID
    """Id of the template."""
