"""The verbs of saved replies."""

from chatwright.features.messaging.errors import ReplyNotFound
from chatwright.features.messaging.replies import store
from chatwright.features.messaging.replies.models import DeleteReply, ListReplies, SavedReply, SaveReply
from chatwright.features.workspaces.models import Removed
from chatwright.kernel.caller import Caller
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of


@operation(
    "saved_replies.save",
    tool="save_reply",
    scope="conversations:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PUT /saved-replies/{shortcut}",
)
async def save_reply(caller: Caller, request: SaveReply) -> SavedReply:
    """Keep a reply under a shortcut, in place of an older one."""
    return await store.SAVE_REPLY.one(new_id(), caller.workspace_id, request.shortcut, request.text)


@operation(
    "saved_replies.list",
    tool="list_saved_replies",
    scope="conversations:read",
    effect=Effect.READ,
    http="GET /saved-replies",
)
async def list_replies(caller: Caller, request: ListReplies) -> Page[SavedReply]:
    """List the saved replies with their shortcuts."""
    rows = await store.LIST_REPLIES.all(caller.workspace_id, after_id(request.cursor), request.limit + 1)
    return page_of(rows, request.limit, lambda row: (str(row.id),))


@operation(
    "saved_replies.delete",
    tool="delete_saved_reply",
    scope="conversations:write",
    effect=Effect.DESTROY,
    http="DELETE /saved-replies/{reply_id}",
    errors=(ReplyNotFound,),
)
async def delete_reply(caller: Caller, request: DeleteReply) -> Removed:
    """Delete a saved reply."""
    shortcut = await store.DELETE_REPLY.first(caller.workspace_id, request.reply_id)
    if shortcut is None:
        raise ReplyNotFound("There is no such saved reply in this workspace.")
    return Removed(id=request.reply_id, name=shortcut)
