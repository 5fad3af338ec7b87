"""Every operation of the product, in one explicit tuple."""

from typing import Final

from chatwright.features.contacts import operations as contacts
from chatwright.features.contacts.exports import operations as exports
from chatwright.features.contacts.fields import operations as fields
from chatwright.features.contacts.imports import operations as imports
from chatwright.features.contacts.merges import operations as merges
from chatwright.features.contacts.notes import operations as notes
from chatwright.features.contacts.segments import operations as segments
from chatwright.features.contacts.tags import operations as tags
from chatwright.features.messaging import operations as messaging
from chatwright.features.messaging.attachments import operations as attachments
from chatwright.features.messaging.inboxes import operations as inboxes
from chatwright.features.messaging.replies import operations as replies
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
    workspaces.export_audit,
    contacts.create_contact,
    contacts.upsert_contact,
    contacts.get_contact,
    contacts.find_contacts,
    contacts.filter_contacts,
    contacts.update_contact,
    contacts.delete_contact,
    contacts.block_contact,
    contacts.unblock_contact,
    contacts.add_contact_tags,
    contacts.remove_contact_tags,
    contacts.record_consent,
    contacts.list_consents,
    merges.merge_contacts,
    merges.undo_merge,
    merges.list_merges,
    tags.list_tags,
    tags.create_tag,
    tags.rename_tag,
    tags.delete_tag,
    fields.list_fields,
    fields.create_field,
    fields.update_field,
    fields.delete_field,
    segments.list_segments,
    segments.create_segment,
    segments.get_segment,
    segments.update_segment,
    segments.delete_segment,
    segments.preview_segment,
    segments.count_segment,
    segments.list_segment_contacts,
    notes.list_notes,
    notes.add_note,
    notes.update_note,
    notes.delete_note,
    imports.upload_import_file,
    imports.start_import,
    imports.get_import,
    imports.list_imports,
    imports.cancel_import,
    imports.list_import_errors,
    exports.start_export,
    exports.get_export,
    exports.list_exports,
    exports.download_export,
    inboxes.list_channels,
    inboxes.create_inbox,
    inboxes.connect_inbox,
    inboxes.check_inbox,
    inboxes.reconnect_inbox,
    inboxes.list_inboxes,
    inboxes.get_inbox,
    inboxes.update_inbox,
    inboxes.delete_inbox,
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
    replies.save_reply,
    replies.list_replies,
    replies.delete_reply,
    attachments.register_attachment,
    attachments.get_attachment,
)
