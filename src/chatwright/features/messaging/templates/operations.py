"""The verbs of templates."""

from typing import Any

from chatwright.features.contacts.access import limits_of
from chatwright.features.messaging.errors import NoTemplates, TemplateNotFound
from chatwright.features.messaging.inboxes.access import visible_inbox
from chatwright.features.messaging.inboxes.opening import opened
from chatwright.features.messaging.inboxes.operations import CHECK_RATE, CHECK_SECONDS
from chatwright.features.messaging.templates import store
from chatwright.features.messaging.templates.keeping import forget_others, keep_template, submitted
from chatwright.features.messaging.templates.models import (
    CreateTemplate,
    DeleteTemplate,
    ListTemplates,
    ShowTemplate,
    SyncedTemplates,
    SyncTemplates,
    Template,
)
from chatwright.features.messaging.templates.rules import is_of
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.features.workspaces.inboxes import check_inboxes
from chatwright.features.workspaces.models import Removed
from chatwright.kernel.caller import Caller
from chatwright.kernel.events import Event
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.channel import InboxView, ProviderRefused, TemplateTaken, Templating
from chatwright.ports.database import emit
from chatwright.ports.templates import ProviderTemplate, TemplateDraft


@operation(
    "templates.list",
    tool="list_templates",
    scope="inboxes:read",
    effect=Effect.READ,
    http="GET /templates",
    errors=(InboxNotFound,),
)
async def list_templates(caller: Caller, request: ListTemplates) -> Page[Template]:
    """List message templates with whether their provider lets them be sent."""
    if request.inbox_id is not None:
        await check_inboxes(caller, [request.inbox_id])
    rows = await store.LIST_TEMPLATES.all(
        caller.workspace_id,
        after_id(request.cursor),
        limits_of(caller),
        request.inbox_id,
        request.status,
        request.limit + 1,
    )
    return page_of(rows, request.limit, lambda row: (str(row.id),))


@operation(
    "templates.get",
    tool="get_template",
    scope="inboxes:read",
    effect=Effect.READ,
    http="GET /templates/{template_id}",
    errors=(TemplateNotFound,),
)
async def get_template(caller: Caller, request: ShowTemplate) -> Template:
    """Show one message template with its parts."""
    template = await store.FIND_TEMPLATE.first(caller.workspace_id, request.template_id, limits_of(caller))
    if template is None:
        raise TemplateNotFound("There is no such template in this workspace.")
    return template


@operation(
    "templates.sync",
    tool="sync_templates",
    scope="inboxes:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /inboxes/{inbox_id}/templates/sync",
    errors=(InboxNotFound, NoTemplates, ProviderRefused),
    rate=CHECK_RATE,
    seconds=CHECK_SECONDS,
    outward=True,
)
async def sync_templates(caller: Caller, request: SyncTemplates) -> SyncedTemplates:
    """Read an inbox's templates anew from its provider; those it no longer has are forgotten."""
    channel, view = await _templating(caller, request)
    if caller.rehearsing:
        known = await store.COUNT_TEMPLATES.one(view.id)
        return SyncedTemplates(known=known, changed=0, gone=0)
    templates = await channel.list_templates(view)
    changed = [await keep_template(caller.workspace_id, view.id, template) for template in templates]
    gone = await forget_others(caller.workspace_id, view.id, templates)
    news = [template_id for template_id in changed if template_id is not None]
    return SyncedTemplates(known=len(templates), changed=len(news), gone=len(gone))


@operation(
    "templates.create",
    tool="create_template",
    scope="inboxes:write",
    effect=Effect.ADD,
    http="POST /inboxes/{inbox_id}/templates",
    errors=(InboxNotFound, NoTemplates, ProviderRefused, TemplateTaken),
    rate=CHECK_RATE,
    seconds=CHECK_SECONDS,
    outward=True,
)
async def create_template(caller: Caller, request: CreateTemplate) -> Template:
    """Submit a message template to an inbox's provider. It can be sent once that has approved it.

    One that the provider has already, with the same content, is taken as it is.
    """
    channel, view = await _templating(caller, request)
    draft = TemplateDraft(request.name, request.language, request.category, request.components)
    made = submitted(draft) if caller.rehearsing else await _submitted_once(channel, view, draft)
    await keep_template(caller.workspace_id, view.id, made)
    return await store.NAMED_TEMPLATE.one(view.id, made.name, made.language)


@operation(
    "templates.delete",
    tool="delete_template",
    scope="inboxes:write",
    effect=Effect.DESTROY,
    http="DELETE /templates/{template_id}",
    errors=(TemplateNotFound, NoTemplates, ProviderRefused),
    rate=CHECK_RATE,
    seconds=CHECK_SECONDS,
    outward=True,
)
async def delete_template(caller: Caller, request: DeleteTemplate) -> Removed:
    """Delete a message template at its provider and here."""
    template = await get_template.handler(caller, ShowTemplate(template_id=request.template_id))
    row = await visible_inbox(caller, template.inbox_id)
    inbox = opened(row)
    channel = _able(inbox.channel)
    if not caller.rehearsing:
        await channel.delete_template(inbox.view, template.name, template.language)
    await store.DELETE_TEMPLATE.one(caller.workspace_id, template.id)
    emit(Event("template.deleted", caller.workspace_id, template.id, inbox_id=template.inbox_id))
    return Removed(id=template.id, name=template.name)


async def _templating(
    caller: Caller, request: SyncTemplates | CreateTemplate
) -> tuple[Templating, InboxView[Any]]:
    inbox = opened(await visible_inbox(caller, request.inbox_id))
    return _able(inbox.channel), inbox.view


async def _submitted_once(
    channel: Templating, view: InboxView[Any], draft: TemplateDraft
) -> ProviderTemplate:
    """The template at the provider, submitted now or by a call that ended before it could keep it."""
    try:
        return await channel.create_template(view, draft)
    except TemplateTaken as taken:
        if not is_of(taken.there, draft):
            raise
        return taken.there


def _able(channel: object) -> Templating:
    if not isinstance(channel, Templating):
        raise NoTemplates("The channel of this inbox has no templates.")
    return channel
