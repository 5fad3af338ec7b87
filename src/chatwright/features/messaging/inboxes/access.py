"""Which inboxes a caller may touch, and what it sees of them."""

from uuid import UUID

from chatwright.features.messaging.inboxes import store
from chatwright.features.messaging.inboxes.models import Inbox
from chatwright.features.messaging.inboxes.secrets import hook_token, hook_url, opened_secrets
from chatwright.features.messaging.inboxes.store import InboxRow
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import Misconfigured
from chatwright.ports.channel import Handshaking, channel_named


async def visible_inbox(caller: Caller, inbox_id: UUID) -> InboxRow:
    """The inbox, if the caller sees it; raises InboxNotFound."""
    inbox = (
        await store.FIND_INBOX.first(caller.workspace_id, inbox_id) if caller.sees_inbox(inbox_id) else None
    )
    if inbox is None:
        raise InboxNotFound("There is no such inbox in this workspace.")
    return inbox


async def locked_inbox(caller: Caller, inbox_id: UUID) -> InboxRow:
    """The inbox as it is now, ours to change until the transaction ends; raises InboxNotFound.

    Its credentials may be turning over at the moment: who writes settings back that were read before would bring
    the used-up ones back.
    """
    await visible_inbox(caller, inbox_id)
    inbox = await store.LOCK_INBOX.first(inbox_id)
    if inbox is None:
        raise InboxNotFound("There is no such inbox in this workspace.")
    return inbox


def shown(row: InboxRow) -> Inbox:
    """An inbox without its secrets."""
    handshaking = isinstance(channel_named(row.channel), Handshaking)
    return Inbox(
        id=row.id,
        channel=row.channel,
        name=row.name,
        settings=dict(row.settings),
        secrets_set=_secrets_set(row),
        account=row.account,
        health=row.health,
        health_words=row.health_words,
        health_until=row.health_until,
        hook_url=hook_url(row.id),
        hook_token=hook_token(row.id) if handshaking else None,
        created_at=row.created_at,
    )


def _secrets_set(row: InboxRow) -> list[str]:
    """Names of the secrets there are. Those that cannot be opened are as good as none."""
    try:
        return sorted(opened_secrets(row.id, row.secrets))
    except Misconfigured:
        return []
