"""Every operation of the product, in one explicit tuple."""

from typing import Final

from chatwright.features.messaging import attachments, operations as messaging
from chatwright.features.workspaces import operations as workspaces
from chatwright.kernel.operation import AnyOperation

CATALOGUE: Final[tuple[AnyOperation, ...]] = (
    workspaces.get_workspace,
    workspaces.update_workspace,
    workspaces.create_workspace,
    workspaces.list_workspaces,
    workspaces.list_members,
    workspaces.invite_member,
    workspaces.set_member_role,
    workspaces.remove_member,
    workspaces.create_token,
    workspaces.list_tokens,
    workspaces.revoke_token,
    workspaces.list_audit,
    workspaces.verify_audit,
    messaging.create_inbox,
    messaging.list_inboxes,
    messaging.get_inbox,
    messaging.update_inbox,
    messaging.delete_inbox,
    messaging.list_conversations,
    messaging.get_conversation,
    messaging.close_conversation,
    messaging.reopen_conversation,
    messaging.snooze_conversation,
    messaging.assign_conversation,
    messaging.set_owner,
    messaging.mark_read,
    messaging.mark_unread,
    messaging.list_messages,
    messaging.get_message,
    messaging.send_message,
    messaging.add_note,
    messaging.save_reply,
    messaging.list_replies,
    messaging.delete_reply,
    attachments.register_attachment,
    attachments.get_attachment,
)
