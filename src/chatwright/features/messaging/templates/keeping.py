"""What is known of templates, brought up to date by whoever hears of them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chatwright.features.messaging.errors import TemplateNotUsable
from chatwright.features.messaging.templates import store
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import InboxView
from chatwright.ports.content import Content, TemplateContent
from chatwright.ports.database import emit
from chatwright.ports.inbound import InboundTemplate
from chatwright.ports.templates import ProviderTemplate, TemplateDraft

APPROVED = "approved"


async def keep_template(workspace_id: UUID, inbox_id: UUID, template: ProviderTemplate) -> UUID | None:
    """Keep a template as the provider has it; returns its id when that was news."""
    changed = await store.KEEP_TEMPLATE.first(
        new_id(),
        workspace_id,
        inbox_id,
        template.name,
        template.language,
        template.category,
        template.status,
        list(template.components),
        template.template_id,
        template.quality,
        template.reason,
    )
    return None if changed is None else _announced(workspace_id, inbox_id, changed)


def submitted(draft: TemplateDraft) -> ProviderTemplate:
    """A draft as providers have it right after it was submitted, for a rehearsal that submits nothing."""
    return ProviderTemplate(draft.name, draft.language, draft.category, "pending", draft.components)


async def forget_others(
    workspace_id: UUID, inbox_id: UUID, templates: Sequence[ProviderTemplate]
) -> list[UUID]:
    """Forget the inbox's templates that are not among these; returns their ids."""
    names = [template.name for template in templates]
    languages = [template.language for template in templates]
    gone = await store.DELETE_OTHERS.all(inbox_id, names, languages)
    for template_id in gone:
        emit(Event("template.deleted", workspace_id, template_id, inbox_id=inbox_id))
    return gone


async def take_template_news(view: InboxView[Any], inbound: InboundTemplate) -> None:
    """A provider's word on a template, known or not; what it leaves out stays as it was."""
    changed = await store.TEMPLATE_NEWS.first(
        view.id,
        inbound.name,
        inbound.language,
        inbound.template_id,
        inbound.status,
        inbound.category,
        inbound.quality,
        inbound.reason,
    )
    if changed is None:
        changed = await store.INSERT_NEWS.first(
            new_id(),
            view.workspace_id,
            view.id,
            inbound.name,
            inbound.language,
            inbound.category,
            inbound.status,
            inbound.template_id,
            inbound.quality,
            inbound.reason,
        )
    if changed is not None:
        _announced(view.workspace_id, view.id, changed)


async def check_usable(inbox_id: UUID, content: Content) -> None:
    """Raise TemplateNotUsable for a template that its provider would refuse; one we never heard of may go."""
    if not isinstance(content, TemplateContent):
        return
    template = await store.NAMED_TEMPLATE.first(inbox_id, content.name, content.language)
    if template is None or template.status == APPROVED:
        return
    why = f" ({template.reason})" if template.reason else ""
    message = f"The template '{template.name}' in '{template.language}' is {template.status}{why}."
    raise TemplateNotUsable(message)


def _announced(workspace_id: UUID, inbox_id: UUID, changed: Mapping[str, Any]) -> UUID:
    """`template.created` or `template.changed`, with its status and what that was before."""
    what = "created" if changed["before"] is None else "changed"
    data = {"status": changed["status"], "before": changed["before"]}
    emit(Event(f"template.{what}", workspace_id, changed["id"], inbox_id=inbox_id, data=data))
    return changed["id"]
