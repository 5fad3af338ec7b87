"""The verbs of attachments.

A face takes the bytes in (an upload is a stream, not a JSON call), puts them into the store under
`new_key`, and then runs `register_attachment` through the pipeline like any other call.
"""

from uuid import UUID

from chatwright.features.contacts.access import limits_of
from chatwright.features.messaging.attachments import store
from chatwright.features.messaging.attachments.models import Attachment, RegisterAttachment, ShowAttachment
from chatwright.features.messaging.errors import AttachmentNotFound
from chatwright.features.workspaces.keys import principal_of
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import FieldProblem, InvalidInput
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.ports.database import emit

UPLOAD_LIMIT = 25 * 1024 * 1024
"""Bytes of one file; the limits of each channel are in its capabilities and mostly lower."""


def new_key(caller: Caller) -> str:
    """A place in the store that belongs to the caller's workspace."""
    return f"{caller.workspace_id}/attachments/{new_id().hex}"


@operation(
    "attachments.register",
    tool="register_attachment",
    scope="conversations:write",
    effect=Effect.ADD,
    http="POST /attachments",
    surfaces=frozenset(),
)
async def register_attachment(caller: Caller, request: RegisterAttachment) -> Attachment:
    """Make a file of bytes that were just put into the store."""
    if not request.storage_key.startswith(f"{caller.workspace_id}/"):
        message = "This place in the store belongs to another workspace."
        raise InvalidInput(message, fields=[FieldProblem(path="storage_key", message=message)])
    attachment = await store.INSERT_ATTACHMENT.one(
        new_id(),
        caller.workspace_id,
        request.storage_key,
        request.filename,
        request.media_type,
        request.size,
        principal_of(caller),
    )
    emit(Event("attachment.created", caller.workspace_id, attachment.id))
    return attachment


@operation(
    "attachments.get",
    tool="get_attachment",
    scope="conversations:read",
    effect=Effect.READ,
    http="GET /attachments/{attachment_id}",
    errors=(AttachmentNotFound,),
)
async def get_attachment(caller: Caller, request: ShowAttachment) -> Attachment:
    """Show the facts of a stored file; its bytes are at `/api/v1/attachments/{id}/content`."""
    return await find_attachment(caller, request.attachment_id)


async def find_attachment(caller: Caller, attachment_id: UUID) -> Attachment:
    """A file that the caller may see; raises AttachmentNotFound."""
    attachment = await store.FIND_ATTACHMENT.first(
        caller.workspace_id, attachment_id, limits_of(caller), principal_of(caller)
    )
    if attachment is None:
        raise AttachmentNotFound("There is no such file in this workspace.")
    return attachment


async def storage_key_of(caller: Caller, attachment_id: UUID) -> str:
    """Where a file's bytes are; raises AttachmentNotFound."""
    key = await store.STORAGE_KEY.first(caller.workspace_id, attachment_id)
    if key is None:
        raise AttachmentNotFound("There is no such file in this workspace.")
    return key
