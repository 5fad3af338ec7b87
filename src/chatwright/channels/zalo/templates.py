"""Templates as Zalo tells of them. They have no language of their own, and are known by their number."""

from collections.abc import Mapping
from typing import Any

from chatwright.net.reading import as_text
from chatwright.ports.templates import ProviderTemplate

LANGUAGE = "vi"
_STATUSES = {
    "ENABLE": "approved",
    "PENDING_REVIEW": "pending",
    "REJECT": "rejected",
    "DISABLE": "disabled",
    "DELETE": "deleted",
}
_CATEGORIES = {
    "TRANSACTION": "utility",
    "CUSTOMER_CARE": "utility",
    "PROMOTION": "marketing",
    "OTP": "authentication",
}


def status_of(status: str) -> str:
    """One of `ports.templates.TemplateStatus`, or what Zalo says where nobody knows it."""
    return _STATUSES.get(status.upper(), status.lower())


def template_of(listed: Mapping[str, Any]) -> ProviderTemplate | None:
    """A template of the list; None when it has no number."""
    template_id = as_text(listed.get("templateId"))
    if template_id is None:
        return None
    tag = as_text(listed.get("templateTag")) or ""
    quality = as_text(listed.get("templateQuality"))
    return ProviderTemplate(
        name=template_id,
        language=LANGUAGE,
        category=_CATEGORIES.get(tag.upper(), "utility"),
        status=status_of(as_text(listed.get("status")) or "unknown"),
        components=[{"type": "NAME", "text": as_text(listed.get("templateName")) or template_id}],
        template_id=template_id,
        quality=quality.lower() if quality else None,
    )
