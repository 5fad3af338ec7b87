"""What a caller limited to tags reaches: contacts that carry one of them, and what belongs to those.

Every operation that is not named here is beyond such a caller, so that a new one is closed until somebody has thought
about it.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from chatwright.features.contacts.access import carries
from chatwright.features.contacts.errors import ContactNotFound
from chatwright.features.messaging import store
from chatwright.features.messaging.errors import ConversationNotFound, MessageNotFound
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import OutsideGrant
from chatwright.kernel.operation import AnyOperation

APART: Final = frozenset(
    {
        "workspace.get",
        "members.list",
        "fields.list",
        "inboxes.list_channels",
        "inboxes.list",
        "inboxes.get",
        "inboxes.get_quiet_hours",
        "templates.list",
        "templates.get",
        "saved_replies.list",
        "segments.list",
        "segments.get",
        "token.create",
        "approvals.get",
    }
)
"""What shows nothing of any contact, making a token, which is limited to the same tags, and what became of the
caller's own calls."""

NARROWED: Final = frozenset(
    {
        "contacts.find",
        "contacts.filter",
        "segments.preview",
        "segments.count",
        "segments.contacts",
        "conversations.list",
    }
)
"""What looks through contacts or conversations, and by itself only through those within the tags."""

OF_ONE: Final = frozenset(
    {
        "contacts.get",
        "contacts.update",
        "contacts.block",
        "contacts.unblock",
        "contacts.add_tags",
        "contacts.remove_tags",
        "contacts.record_consent",
        "contacts.list_consents",
        "notes.list",
        "notes.add",
        "conversations.get",
        "conversations.close",
        "conversations.reopen",
        "conversations.snooze",
        "conversations.assign",
        "conversations.set_owner",
        "conversations.mark_read",
        "conversations.mark_unread",
        "messages.list",
        "messages.get",
        "messages.send",
        "messages.add_note",
        "messages.check_send",
        "messages.resend",
        "messages.mark_sent",
        "messages.cancel",
        "messages.release",
        "messages.trace",
    }
)
"""What names the contact, conversation or message that it is about."""


class ReachOfTags:
    """Judges calls by the tables above."""

    operations: Collection[str] = APART | NARROWED | OF_ONE

    async def check(self, caller: Caller, operation: AnyOperation, request: BaseModel) -> None:
        """Raise OutsideGrant, ContactNotFound, ConversationNotFound or MessageNotFound."""
        if operation.name in APART | NARROWED:
            return
        named = [await _contact_of(caller, *each) for each in _ids(request)]
        if operation.name not in OF_ONE or not named:
            message = f"{operation.title} cannot be limited to some tags, and this access is."
            raise OutsideGrant(message)
        for contact_id, unseen in named:
            if contact_id is None or not await carries(caller, contact_id):
                raise unseen


def _ids(request: BaseModel) -> list[tuple[str, UUID]]:
    """The ids in a request that lead to a contact, with their fields."""
    fields = {name: getattr(request, name, None) for name in ("contact_id", "conversation_id", "message_id")}
    return [(name, id_) for name, id_ in fields.items() if isinstance(id_, UUID)]


async def _contact_of(caller: Caller, field: str, id_: UUID) -> tuple[UUID | None, Exception]:
    """The contact that an id leads to, and what is said when the caller may not see it."""
    match field:
        case "contact_id":
            return id_, ContactNotFound()
        case "conversation_id":
            found = await store.CONTACT_OF_CONVERSATION.first(caller.workspace_id, id_)
            return found, ConversationNotFound("There is no such conversation in this workspace.")
        case _:
            found = await store.CONTACT_OF_MESSAGE.first(caller.workspace_id, id_)
            return found, MessageNotFound("There is no such message in this workspace.")
