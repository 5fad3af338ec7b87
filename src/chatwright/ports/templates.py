"""Messages that a provider approves beforehand."""

from dataclasses import dataclass, field
from typing import Any, Literal

TemplateStatus = Literal[
    "draft",
    "pending",
    "approved",
    "rejected",
    "paused",
    "disabled",
    "flagged",
    "in_appeal",
    "archived",
    "deleted",
]
TemplateCategory = Literal["marketing", "utility", "authentication"]


@dataclass(frozen=True, slots=True)
class ProviderTemplate:
    """A template as the provider has it."""

    name: str
    language: str
    category: str
    status: str
    components: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """The provider's own shape: header, body, footer, buttons."""
    template_id: str | None = None
    quality: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A template to be submitted."""

    name: str
    language: str
    category: TemplateCategory
    components: list[dict[str, Any]]
