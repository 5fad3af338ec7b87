"""Inboxes that a caller names, checked before they are believed."""

from collections.abc import Collection
from uuid import UUID

from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.caller import Caller
from chatwright.ports.inboxes import inbox_directory


async def check_inboxes(caller: Caller, inbox_ids: Collection[UUID]) -> None:
    """Raise InboxNotFound unless all of these are inboxes of the workspace which the caller may see.

    The answer is the same whether an inbox is unknown, another workspace's, or beyond the caller's limits.
    """
    if not inbox_ids:
        return
    hidden = {inbox_id for inbox_id in inbox_ids if not caller.sees_inbox(inbox_id)}
    if refused := hidden or await inbox_directory().strange(caller.workspace_id, inbox_ids):
        message = f"There is no inbox {min(refused)} in this workspace, or the caller may not see it."
        raise InboxNotFound(message)
