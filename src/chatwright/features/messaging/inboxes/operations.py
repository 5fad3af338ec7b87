"""The verbs of inboxes."""

from typing import Any

from pydantic import ValidationError

from chatwright.features.contacts.access import limits_of
from chatwright.features.messaging.errors import UnknownChannel
from chatwright.features.messaging.inboxes import store
from chatwright.features.messaging.inboxes.access import visible_inbox
from chatwright.features.messaging.inboxes.models import (
    ChannelKind,
    CreateInbox,
    DeleteInbox,
    Inbox,
    ListChannels,
    ListInboxes,
    ShowInbox,
    UpdateInbox,
)
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.features.workspaces.models import Removed
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import FieldProblem, InvalidInput, field_problems, told
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, decode_cursor, page_of
from chatwright.ports.channel import AnyChannel, channel_named, channel_names
from chatwright.ports.database import emit


@operation(
    "inboxes.list_channels",
    tool="list_channels",
    scope="inboxes:read",
    effect=Effect.READ,
    http="GET /channels",
)
async def list_channels(caller: Caller, request: ListChannels) -> Page[ChannelKind]:
    """List the channels that an inbox can connect, with the settings each one takes."""
    del caller
    after = "" if request.cursor is None else str(decode_cursor(request.cursor, str)[0])
    kinds = [_kind(_channel(name)) for name in channel_names() if name > after]
    return page_of(kinds, request.limit, lambda kind: (kind.name,))


@operation(
    "inboxes.create", tool="create_inbox", scope="inboxes:write", effect=Effect.ADD, http="POST /inboxes"
)
async def create_inbox(caller: Caller, request: CreateInbox) -> Inbox:
    """Connect a channel as a new inbox."""
    caller.require_every_inbox()
    settings = _checked_settings(_channel(request.channel), request.settings)
    inbox = await store.INSERT_INBOX.one(
        new_id(), caller.workspace_id, request.channel, request.name, settings
    )
    emit(Event("inbox.created", caller.workspace_id, inbox.id, inbox_id=inbox.id))
    return inbox


@operation("inboxes.list", tool="list_inboxes", scope="inboxes:read", effect=Effect.READ, http="GET /inboxes")
async def list_inboxes(caller: Caller, request: ListInboxes) -> Page[Inbox]:
    """List the connected inboxes with their channels."""
    rows = await store.LIST_INBOXES.all(
        caller.workspace_id, after_id(request.cursor), limits_of(caller), request.limit + 1
    )
    return page_of(rows, request.limit, lambda row: (str(row.id),))


@operation(
    "inboxes.get",
    tool="get_inbox",
    scope="inboxes:read",
    effect=Effect.READ,
    http="GET /inboxes/{inbox_id}",
    errors=(InboxNotFound,),
)
async def get_inbox(caller: Caller, request: ShowInbox) -> Inbox:
    """Show one inbox with the settings of its channel."""
    return await visible_inbox(caller, request.inbox_id)


@operation(
    "inboxes.update",
    tool="update_inbox",
    scope="inboxes:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PATCH /inboxes/{inbox_id}",
    errors=(InboxNotFound,),
)
async def update_inbox(caller: Caller, request: UpdateInbox) -> Inbox:
    """Rename an inbox or change settings of its channel."""
    inbox = await visible_inbox(caller, request.inbox_id)
    settings = _checked_settings(_channel(inbox.channel), {**inbox.settings, **(request.settings or {})})
    changed = await store.UPDATE_INBOX.one(caller.workspace_id, inbox.id, request.name, settings)
    emit(Event("inbox.updated", caller.workspace_id, inbox.id, inbox_id=inbox.id))
    return changed


@operation(
    "inboxes.delete",
    tool="delete_inbox",
    scope="inboxes:write",
    effect=Effect.DESTROY,
    http="DELETE /inboxes/{inbox_id}",
    errors=(InboxNotFound,),
)
async def delete_inbox(caller: Caller, request: DeleteInbox) -> Removed:
    """Disconnect an inbox. Its conversations stay readable; nothing comes in or goes out any more."""
    inbox = await visible_inbox(caller, request.inbox_id)
    await store.DELETE_INBOX.one(caller.workspace_id, inbox.id)
    emit(Event("inbox.deleted", caller.workspace_id, inbox.id, inbox_id=inbox.id))
    return Removed(id=inbox.id)


def _channel(name: str) -> AnyChannel:
    channel = channel_named(name)
    if channel is None:
        message = f"There is no channel called '{name}'. There are: {', '.join(channel_names())}."
        raise UnknownChannel(message, fields=[FieldProblem(path="channel", message=message)])
    return channel


def _kind(channel: AnyChannel) -> ChannelKind:
    capabilities = channel.capabilities
    return ChannelKind(
        name=channel.name,
        settings_schema=channel.Settings.model_json_schema(),
        contents=sorted(capabilities.contents),
        text_limit=capabilities.text_limit,
    )


def _checked_settings(channel: AnyChannel, settings: dict[str, Any]) -> dict[str, Any]:
    try:
        return channel.Settings.model_validate(settings).model_dump(mode="json")
    except ValidationError as error:
        problems = field_problems(error, under="settings")
        raise InvalidInput(
            f"The settings do not fit the channel '{channel.name}': {told(problems)}", fields=problems
        ) from error
