"""The verbs of inboxes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from chatwright.features.contacts.access import limits_of
from chatwright.features.messaging.errors import (
    AccountConnected,
    InboxNotReady,
    OtherAccount,
    ProviderNotReached,
    UnknownChannel,
)
from chatwright.features.messaging.inboxes import store
from chatwright.features.messaging.inboxes.access import locked_inbox, shown, visible_inbox
from chatwright.features.messaging.inboxes.checking import (
    health_of,
    look,
    proven,
    refuse_fundamental,
    set_up,
    shown_findings,
    take_down,
    together,
    unsure,
)
from chatwright.features.messaging.inboxes.health import set_health
from chatwright.features.messaging.inboxes.models import (
    ChannelKind,
    ChannelLimits,
    CheckInbox,
    ConnectInbox,
    CreateInbox,
    DeleteInbox,
    Inbox,
    InboxCheck,
    ListChannels,
    ListInboxes,
    ReconnectInbox,
    ShowInbox,
    UpdateInbox,
)
from chatwright.features.messaging.inboxes.opening import OpenInbox, opened, view_of
from chatwright.features.messaging.inboxes.secrets import sealed_secrets
from chatwright.features.messaging.inboxes.settings import (
    changed_settings,
    checked_settings,
    claim_account,
    known_channel,
)
from chatwright.features.messaging.inboxes.store import InboxRow
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.features.workspaces.models import Removed
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import Misconfigured
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, RateClass, operation
from chatwright.kernel.paging import Page, after_id, decode_cursor, page_of
from chatwright.ports.channel import AnyChannel, Capabilities, Finding, Renewing, channel_names
from chatwright.ports.database import emit
from chatwright.ports.secret_settings import public_part

HOUR = timedelta(hours=1)
CHECK_RATE = RateClass(per_minute=30, burst=10)
"""Calls that ask a provider while they wait."""
CHECK_SECONDS = 90.0
"""A provider may take its time twice in one call: to be looked at, and to be set up."""


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
    kinds = [_kind(known_channel(name)) for name in channel_names() if name > after]
    return page_of(kinds, request.limit, lambda kind: (kind.name,))


@operation(
    "inboxes.create",
    tool="create_inbox",
    scope="inboxes:write",
    effect=Effect.ADD,
    http="POST /inboxes",
    errors=(UnknownChannel,),
)
async def create_inbox(caller: Caller, request: CreateInbox) -> Inbox:
    """Add an inbox without asking its provider; `connect_inbox` does that first and sets the webhook up too.

    Its provider account stays open to others until `check_inbox` finds that the credentials are good for it.
    """
    caller.require_every_inbox()
    channel = known_channel(request.channel)
    settings = checked_settings(channel, request.settings)
    return await _add(caller, request, new_id(), settings, account=None)


@operation(
    "inboxes.connect",
    tool="connect_inbox",
    scope="inboxes:write",
    effect=Effect.ADD,
    http="POST /inboxes/connect",
    errors=(UnknownChannel, AccountConnected, InboxNotReady, ProviderNotReached),
    rate=CHECK_RATE,
    seconds=CHECK_SECONDS,
    outward=True,
)
async def connect_inbox(caller: Caller, request: ConnectInbox) -> InboxCheck:
    """Connect a provider account as a new inbox: check it live, then point its webhook at this server.

    When the provider does not let us in, nothing is kept, and every fault is told. Smaller faults are among the
    findings, to be mended later.
    """
    caller.require_every_inbox()
    channel = known_channel(request.channel)
    settings = checked_settings(channel, request.settings)
    view = view_of(new_id(), caller.workspace_id, settings)
    findings = await look(caller, channel, view)
    refuse_fundamental(findings)
    account = await claim_account(channel, view) if proven(findings) else None
    findings = together(findings, await set_up(caller, channel, view))
    refuse_fundamental(findings)
    inbox = await _add(caller, request, view.id, settings, account, findings)
    return InboxCheck(inbox=inbox, findings=shown_findings(findings))


@operation(
    "inboxes.check",
    tool="check_inbox",
    scope="inboxes:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /inboxes/{inbox_id}/check",
    errors=(InboxNotFound,),
    rate=CHECK_RATE,
    seconds=CHECK_SECONDS,
    outward=True,
)
async def check_inbox(caller: Caller, request: CheckInbox) -> InboxCheck:
    """Look live whether an inbox works, say in words what does not, and note its health accordingly.

    Credentials that are found to be good make the provider account this inbox's, unless another one has it.
    """
    row = await visible_inbox(caller, request.inbox_id)
    inbox = opened(row)
    findings = await look(caller, inbox.channel, inbox.view)
    if caller.rehearsing:
        return InboxCheck(inbox=shown(row), findings=shown_findings(findings))
    if row.account is None and proven(findings):
        findings = together(findings, await _claim_late(caller, inbox))
    if not unsure(findings):
        await set_health(caller.workspace_id, row.id, *health_of(findings))
    changed = await visible_inbox(caller, row.id)
    return InboxCheck(inbox=shown(changed), findings=shown_findings(findings))


@operation(
    "inboxes.reconnect",
    tool="reconnect_inbox",
    scope="inboxes:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /inboxes/{inbox_id}/reconnect",
    errors=(InboxNotFound, AccountConnected, OtherAccount, InboxNotReady, ProviderNotReached),
    rate=CHECK_RATE,
    seconds=CHECK_SECONDS,
    outward=True,
)
async def reconnect_inbox(caller: Caller, request: ReconnectInbox) -> InboxCheck:
    """Give an inbox new credentials, check them live, and let go out what has waited for them.

    Nothing is changed when the provider does not take them.
    """
    row = await visible_inbox(caller, request.inbox_id)
    channel = known_channel(row.channel)
    settings = changed_settings(channel, row, request.settings)
    account = channel.account(settings)
    if row.account is not None and account != row.account:
        raise OtherAccount(f"These are credentials of the account {account}; this inbox is of {row.account}.")
    view = view_of(row.id, caller.workspace_id, settings)
    findings = await look(caller, channel, view)
    refuse_fundamental(findings)
    claimed = await claim_account(channel, view) if proven(findings) else None
    findings = together(findings, await set_up(caller, channel, view))
    refuse_fundamental(findings)
    # Not locked before, because a provider may take its time, and what goes out meanwhile notes the health.
    row = await locked_inbox(caller, row.id)
    settings = changed_settings(channel, row, request.settings)
    await _save(caller, row, None, channel, settings, claimed or row.account)
    await set_health(caller.workspace_id, row.id, *health_of(findings))
    emit(Event("inbox.updated", caller.workspace_id, row.id, inbox_id=row.id))
    changed = await visible_inbox(caller, row.id)
    return InboxCheck(inbox=shown(changed), findings=shown_findings(findings))


@operation("inboxes.list", tool="list_inboxes", scope="inboxes:read", effect=Effect.READ, http="GET /inboxes")
async def list_inboxes(caller: Caller, request: ListInboxes) -> Page[Inbox]:
    """List the connected inboxes with their channels."""
    rows = await store.LIST_INBOXES.all(
        caller.workspace_id, after_id(request.cursor), limits_of(caller), request.limit + 1
    )
    return page_of([shown(row) for row in rows], request.limit, lambda inbox: (str(inbox.id),))


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
    return shown(await visible_inbox(caller, request.inbox_id))


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
    """Rename an inbox or change settings of its channel. New credentials are better given to `reconnect_inbox`.

    Settings of another provider account make it this inbox's only once `check_inbox` has found them to be good.
    """
    row = await locked_inbox(caller, request.inbox_id)
    channel = known_channel(row.channel)
    settings = changed_settings(channel, row, request.settings or {})
    changed = await _save(caller, row, request.name, channel, settings, row.account)
    emit(Event("inbox.updated", caller.workspace_id, row.id, inbox_id=row.id))
    return shown(changed)


@operation(
    "inboxes.delete",
    tool="delete_inbox",
    scope="inboxes:write",
    effect=Effect.DESTROY,
    http="DELETE /inboxes/{inbox_id}",
    errors=(InboxNotFound,),
    outward=True,
    seconds=CHECK_SECONDS,
)
async def delete_inbox(caller: Caller, request: DeleteInbox) -> Removed:
    """Disconnect an inbox and forget its secrets.

    Its conversations stay readable; nothing comes in or goes out any more.
    """
    row = await visible_inbox(caller, request.inbox_id)
    await _take_down(caller, row)
    await store.DELETE_INBOX.one(caller.workspace_id, row.id)
    emit(Event("inbox.deleted", caller.workspace_id, row.id, inbox_id=row.id))
    return Removed(id=row.id, name=row.name)


async def _claim_late(caller: Caller, looked_at: OpenInbox) -> list[Finding]:
    """Give an inbox the account that a look has shown to be its own; that another inbox has it is a finding."""
    channel, view = looked_at.channel, looked_at.view
    try:
        account = await claim_account(channel, view)
    except AccountConnected as error:
        return [Finding("account", ok=False, words=f"{error.message} {error.hint}")]
    row = await locked_inbox(caller, view.id)
    # The settings may be others by now, and nothing is known of their account.
    if row.account is None and channel.account(opened(row).view.settings) == account:
        await store.SET_ACCOUNT.run(caller.workspace_id, row.id, account)
    return []


async def _add(
    caller: Caller,
    request: CreateInbox,
    inbox_id: UUID,
    settings: BaseModel,
    account: str | None,
    findings: Sequence[Finding] = (),
) -> Inbox:
    channel = known_channel(request.channel)
    row = await store.INSERT_INBOX.one(
        inbox_id,
        caller.workspace_id,
        request.channel,
        request.name,
        public_part(settings),
        sealed_secrets(inbox_id, settings),
        account,
        _renewal(channel, inbox_id, caller.workspace_id, settings),
        *health_of(findings),
    )
    emit(Event("inbox.created", caller.workspace_id, inbox_id, inbox_id=inbox_id))
    return shown(row)


async def _save(
    caller: Caller,
    row: InboxRow,
    name: str | None,
    channel: AnyChannel,
    settings: BaseModel,
    account: str | None,
) -> InboxRow:
    """Write settings; `account` is the one shown to be the inbox's, which settings of another one give up."""
    return await store.UPDATE_INBOX.one(
        caller.workspace_id,
        row.id,
        name,
        public_part(settings),
        sealed_secrets(row.id, settings),
        account if channel.account(settings) == account else None,
        _renewal(channel, row.id, caller.workspace_id, settings),
    )


def _renewal(channel: AnyChannel, inbox_id: UUID, workspace_id: UUID, settings: BaseModel) -> datetime | None:
    renewing: object = channel
    if not isinstance(renewing, Renewing):
        return None
    return renewing.renew_at(view_of(inbox_id, workspace_id, settings))


async def _take_down(caller: Caller, row: InboxRow) -> None:
    try:
        inbox = opened(row)
    except Misconfigured:
        # Nobody can speak for an inbox whose channel or key is gone; it can be forgotten all the same.
        return
    await take_down(caller, inbox.channel, inbox.view)


def _kind(channel: AnyChannel) -> ChannelKind:
    capabilities = channel.capabilities
    return ChannelKind(
        name=channel.name,
        settings_schema=channel.Settings.model_json_schema(),
        contents=sorted(capabilities.contents),
        text_limit=capabilities.text_limit,
        limits=_limits(capabilities),
    )


def _limits(capabilities: Capabilities) -> ChannelLimits:
    window = capabilities.window
    human = None if window is None else window.human_for
    return ChannelLimits(
        reply_hours=None if window is None else window.open_for / HOUR,
        human_hours=None if human is None else human / HOUR,
        templates=window is not None and window.templates,
        per_second=capabilities.pace and capabilities.pace.per_second,
        per_second_to_one=capabilities.pair_pace and capabilities.pair_pace.per_second,
        buttons=capabilities.buttons_limit,
        quick_replies=capabilities.quick_replies_limit,
        list_rows=capabilities.list_rows_limit,
        cards=capabilities.cards_limit,
        file_bytes=dict(capabilities.files),
        tells_read=capabilities.read_receipts,
    )
