"""Which inboxes a caller may touch."""

from uuid import UUID

from chatwright.features.messaging.inboxes import store
from chatwright.features.messaging.inboxes.models import Inbox
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.caller import Caller


async def visible_inbox(caller: Caller, inbox_id: UUID) -> Inbox:
    """The inbox as the caller sees it; raises InboxNotFound."""
    inbox = (
        await store.FIND_INBOX.first(caller.workspace_id, inbox_id) if caller.sees_inbox(inbox_id) else None
    )
    if inbox is None:
        raise InboxNotFound("There is no such inbox in this workspace.")
    return inbox
