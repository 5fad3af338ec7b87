"""Every operation of the product, in one explicit tuple, and the sets of them that go together as tools."""

from collections.abc import Collection, Mapping
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
from chatwright.features.messaging.arrivals import operations as arrivals
from chatwright.features.messaging.attachments import operations as attachments
from chatwright.features.messaging.deliveries import operations as deliveries
from chatwright.features.messaging.inboxes import operations as inboxes
from chatwright.features.messaging.replies import operations as replies
from chatwright.features.messaging.templates import operations as templates
from chatwright.features.workspaces import operations as workspaces
from chatwright.features.workspaces.approvals import operations as approvals
from chatwright.features.workspaces.oauth import operations as oauth
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
    approvals.list_approvals,
    approvals.get_approval,
    approvals.approve_call,
    approvals.refuse_call,
    approvals.get_approval_policy,
    approvals.set_approval_policy,
    oauth.list_grants,
    oauth.get_grant,
    oauth.revoke_grant,
    oauth.narrow_grant,
    oauth.create_oauth_client,
    oauth.list_oauth_clients,
    oauth.list_connections,
    oauth.end_connection,
    oauth.delete_oauth_client,
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
    arrivals.list_events,
    arrivals.count_events,
    arrivals.retry_event,
    templates.list_templates,
    templates.get_template,
    templates.sync_templates,
    templates.create_template,
    templates.delete_template,
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
    deliveries.check_send,
    deliveries.resend_message,
    deliveries.mark_sent,
    deliveries.cancel_message,
    deliveries.release_message,
    deliveries.trace_message,
    deliveries.set_quiet_hours,
    deliveries.get_quiet_hours,
    replies.save_reply,
    replies.list_replies,
    replies.delete_reply,
    attachments.register_attachment,
    attachments.get_attachment,
)


def _named(*names: str) -> frozenset[str]:
    """Operations by name; a noun stands for all of its own. Raises LookupError for what there is not."""
    found = {name: {op.name for op in CATALOGUE if name in {op.name, op.noun}} for name in names}
    unknown = [name for name, operations in found.items() if not operations]
    if unknown:
        message = f"no operations are called {unknown}"
        raise LookupError(message)
    return frozenset[str]().union(*found.values())


DEFAULT_TOOLSET: Final = "default"
"""The toolset that is shown where none is chosen: what answering customers and finding the right ones takes."""

TOOLSETS: Final[Mapping[str, frozenset[str]]] = {
    DEFAULT_TOOLSET: _named(
        "inboxes.list",
        "conversations.list",
        "messages.list",
        "messages.send",
        "messages.add_note",
        "conversations.set_owner",
        "conversations.assign",
        "conversations.close",
        "contacts.find",
        "contacts.filter",
        "contacts.get",
        "contacts.upsert",
        "contacts.update",
        "contacts.add_tags",
        "segments.list",
        "segments.create",
        "templates.list",
    ),
    "all": frozenset(operation.name for operation in CATALOGUE),
    "agent": _named(
        "conversations",
        "messages",
        "notes",
        "saved_replies",
        "attachments",
        "contacts.find",
        "contacts.get",
        "contacts.create",
        "contacts.update",
        "contacts.add_tags",
        "contacts.remove_tags",
        "contacts.block",
        "contacts.unblock",
        "contacts.record_consent",
        "tags.list",
        "fields.list",
        "inboxes.list",
        "members.list",
        "templates.list",
    ),
    "marketer": _named(
        "contacts",
        "tags",
        "fields",
        "segments",
        "imports",
        "exports",
        "templates",
        "inboxes.list",
        "inboxes.get_quiet_hours",
        "messages.check_send",
        "messages.send",
        "conversations.list",
        "messages.list",
    ),
    "builder": _named(
        "inboxes",
        "templates",
        "fields",
        "tags",
        "segments",
        "saved_replies",
        "contacts.find",
        "conversations.list",
        "messages.list",
        "messages.send",
        "messages.trace",
    ),
    "analyst": _named(
        "workspace.get",
        "members.list",
        "inboxes.list",
        "inboxes.count_events",
        "contacts.find",
        "contacts.filter",
        "contacts.get",
        "contacts.list_consents",
        "tags.list",
        "fields.list",
        "segments.list",
        "segments.get",
        "segments.preview",
        "segments.count",
        "segments.contacts",
        "exports",
        "conversations.list",
        "conversations.get",
        "messages.list",
        "messages.get",
        "messages.trace",
        "templates.list",
        "audit.list",
    ),
    "admin": _named(
        "workspace",
        "members",
        "token",
        "grants",
        "oauth_clients",
        "approvals",
        "audit",
        "inboxes",
        "fields",
        "tags",
    ),
    **{noun: _named(noun) for noun in dict.fromkeys(operation.noun for operation in CATALOGUE)},
}
"""Names of operations by toolset: the default one, all, one for each job, and one for each noun."""


def toolsets_with(added: Collection[AnyOperation]) -> dict[str, frozenset[str]]:
    """The toolsets where these operations were added: they are in `all`, and in one for each noun of theirs."""
    by_noun: dict[str, set[str]] = {}
    for operation in added:
        by_noun.setdefault(operation.noun, set()).add(operation.name)
    with_them = TOOLSETS["all"] | {operation.name for operation in added}
    return {**TOOLSETS, "all": with_them, **{noun: frozenset(names) for noun, names in by_noun.items()}}
