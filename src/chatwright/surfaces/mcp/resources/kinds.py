"""The kinds of resources, as data: where each lies, which operations tell it, and which events change it.

A room joins with a `Kind` in KINDS. A kind whose operations are not in the catalogue is not offered.
"""

from collections.abc import Mapping
from typing import Any, Final

from chatwright.kernel.resources import ID, Directory, Kind, Label, Part
from chatwright.surfaces.mcp.resources.limits import access, answers, calls

OVERVIEW_ITEMS: Final = 10
"""Items of each list in a document that shows several."""


def _words(*fields: str, otherwise: str) -> Label:
    """The first of these fields that has a value."""

    def label(item: Mapping[str, Any]) -> str:
        return next((str(item[name]) for name in fields if item.get(name)), otherwise)

    return label


CONVERSATIONS: Final = Directory(
    "conversations.list",
    lambda item: f"Conversation with {item.get('contact_name') or 'an unnamed contact'}",
)
CONTACTS: Final = Directory(
    "contacts.find", _words("name", "emails", "phones", otherwise="Unnamed contact"), query="query"
)
SEGMENTS: Final = Directory("segments.list", lambda item: f"Segment {item['name']}", name="name")
TAGS: Final = Directory("tags.list", lambda item: f"Tag {item['name']}", name="name")
FIELDS: Final = Directory("fields.list", lambda item: f"Field {item['key']}", name="key")
INBOXES: Final = Directory("inboxes.list", lambda item: f"Inbox {item['name']}", name="name")
TEMPLATES: Final = Directory(
    "templates.list", lambda item: f"Template {item['name']} ({item['language']})", name="name"
)
IMPORTS: Final = Directory("imports.list", lambda item: f"Import {item['name']}")
EXPORTS: Final = Directory("exports.list", lambda item: f"Export of {str(item['created_at'])[:10]}")
APPROVALS: Final = Directory(
    "approvals.list", lambda item: f"{item['operation']} asked for by {item['requested_by']['name']}"
)

_OF_INBOX: Final = ("id", "name", "channel", "account", "health", "health_words", "health_until")
_OF_TEMPLATE: Final = ("id", "inbox_id", "name", "language", "category", "status")
_OF_FIELD: Final = ("id", "key", "label", "kind", "choices")
_OF_TAG: Final = ("id", "name", "contacts")
_OF_MEMBER: Final = ("id", "name", "email", "role")
_REPEATED: Final = ("conversation_id",)
_SECRETIVE: Final = ("settings", "secrets_set", "hook_url", "hook_token")
_CAPABILITIES: Final = ("workspace", "inbox", "template", "field", "tag", "member")


def _overview(operation: str, more: str, only: tuple[str, ...]) -> Part:
    return Part(operation, more=more, only=only, limit=OVERVIEW_ITEMS, optional=True)


KINDS: Final = (
    Kind(
        "workspace",
        "Workspace: what is here and what this access may do",
        "Read this first: the workspace, what this access reaches, its inboxes, templates, contact fields, tags "
        "and members. Each list shows its beginning and where the rest is.",
        {
            "workspace": Part("workspace.get"),
            "inboxes": _overview("inboxes.list", "workspace/inboxes", _OF_INBOX),
            "templates": _overview("templates.list", "workspace/templates", _OF_TEMPLATE),
            "fields": _overview("fields.list", "workspace/fields", _OF_FIELD),
            "tags": _overview("tags.list", "workspace/tags", _OF_TAG),
            "members": _overview("members.list", "workspace/members", _OF_MEMBER),
        },
        told={"access": access},
        links={"limits": "workspace/limits"},
        follows=dict.fromkeys(_CAPABILITIES, ()),
    ),
    Kind(
        "workspace/inboxes",
        "Inboxes",
        "The connected inboxes: channel, account and health.",
        {"inboxes": Part("inboxes.list", more="workspace/inboxes", limit=100, only=_OF_INBOX)},
        follows={"inbox": ()},
    ),
    Kind(
        "workspace/templates",
        "Message templates",
        "The templates of all inboxes with their approval. chatwright://templates/{id} shows one with its words.",
        {"templates": Part("templates.list", more="workspace/templates", limit=100, only=_OF_TEMPLATE)},
        follows={"template": (), "inbox.deleted": ()},
    ),
    Kind(
        "workspace/fields",
        "Contact fields",
        "The custom fields of contacts: key, kind and choices.",
        {"fields": Part("fields.list", more="workspace/fields", limit=100)},
        follows={"field": ()},
    ),
    Kind(
        "workspace/tags",
        "Tags",
        "The tags, and how many contacts carry each.",
        {"tags": Part("tags.list", more="workspace/tags", limit=200)},
        follows={"tag": (), "contact.tagged": (), "contact.untagged": ()},
    ),
    Kind(
        "workspace/members",
        "Members",
        "The people who work here, and as what.",
        {"members": Part("members.list", more="workspace/members", limit=100)},
        follows={"member": ()},
    ),
    Kind(
        "workspace/limits",
        "Limits",
        "What each channel can carry, its reply window and pace, how often this access may call, and how much one "
        "answer holds.",
        {
            "channels": Part(
                "inboxes.list_channels",
                more="workspace/limits",
                limit=50,
                without=("settings_schema",),
                full=True,
                optional=True,
            )
        },
        told={"calls": calls, "answers": answers},
    ),
    Kind(
        "conversations/{id}",
        "Conversation",
        "A conversation: who it is with, who answers it, and its latest messages, newest first.",
        {
            "conversation": Part("conversations.get"),
            "messages": Part("messages.list", more="conversations/{id}/messages", without=_REPEATED),
        },
        directory=CONVERSATIONS,
        listed=True,
        links={"contact": "contacts/{contact_id}", "inbox": "inboxes/{inbox_id}"},
        follows={"conversation": ("conversation",), "message": ("conversation",)},
        comes_and_goes=frozenset({"conversation.created", "conversation.deleted"}),
    ),
    Kind(
        "conversations/{id}/messages",
        "History of a conversation",
        "The messages and internal notes of a conversation, newest first, in pages.",
        {"messages": Part("messages.list", more="conversations/{id}/messages", limit=50, without=_REPEATED)},
        directory=CONVERSATIONS,
        follows={"message": ("conversation",), "conversation.deleted": ("conversation",)},
    ),
    Kind(
        "messages/{id}",
        "Message",
        "One message and its way: queued, sent, delivered, read, or why it failed.",
        {"message": Part("messages.get", spread=True)},
        follows={"message": ("subject",)},
    ),
    Kind(
        "contacts/{id}",
        "Contact",
        "A contact with its identities, tags, custom fields and consent, and our notes on it, oldest first.",
        {
            "contact": Part("contacts.get"),
            "notes": Part("notes.list", more="contacts/{id}/notes", limit=OVERVIEW_ITEMS, optional=True),
        },
        directory=CONTACTS,
        listed=True,
        follows={"contact": ("subject", "absorbed_id", "ids"), "note": ("contact_id",)},
        comes_and_goes=frozenset(
            {"contact.created", "contact.deleted", "contact.merged", "contact.unmerged"}
        ),
    ),
    Kind(
        "contacts/{id}/notes",
        "Notes on a contact",
        "Our notes on a contact, oldest first, in pages.",
        {"notes": Part("notes.list", more="contacts/{id}/notes", limit=50)},
        directory=CONTACTS,
        follows={"note": ("contact_id",), "contact.deleted": ("subject", "ids")},
    ),
    Kind(
        "segments/{id}",
        "Segment",
        "A segment, by id or name: its conditions, how many contacts are in it now, and the newest of them. Changes "
        "of its conditions are told; contacts that come and go are not.",
        {
            "segment": Part("segments.get"),
            "count": Part("segments.count", field="count", optional=True),
            "contacts": Part(
                "segments.contacts", more="segments/{id}/contacts", limit=OVERVIEW_ITEMS, optional=True
            ),
        },
        directory=SEGMENTS,
        listed=True,
        follows={"segment": ("subject",)},
        comes_and_goes=frozenset({"segment.created", "segment.updated", "segment.deleted"}),
    ),
    Kind(
        "segments/{id}/contacts",
        "Contacts of a segment",
        "The contacts that are in a segment now, in pages; the segment by id or name.",
        {"contacts": Part("segments.contacts", more="segments/{id}/contacts", limit=50)},
        directory=SEGMENTS,
        follows={"segment": ("subject",)},
    ),
    Kind(
        "tags/{id}",
        "Tag",
        "A tag, by id or name, and the contacts that carry it, in pages.",
        {"contacts": Part("contacts.find", {"tag": "{name}"}, more="tags/{id}", limit=50)},
        directory=TAGS,
        item="tag",
        follows={"tag": ("subject",), "contact.tagged": ("tag_ids",), "contact.untagged": ("tag_ids",)},
    ),
    Kind(
        "fields/{id}",
        "Contact field",
        "A custom field of contacts, by id or key.",
        directory=FIELDS,
        item="field",
        follows={"field": ("subject",)},
    ),
    Kind(
        "inboxes/{id}",
        "Inbox",
        "An inbox, by id or name: its health, its quiet hours and its approved templates.",
        {
            "inbox": Part("inboxes.get", without=_SECRETIVE),
            "quiet_hours": Part("inboxes.get_quiet_hours", field="quiet_hours", optional=True),
            "templates": Part(
                "templates.list",
                {"inbox_id": ID, "status": "approved"},
                more="inboxes/{id}/templates",
                only=_OF_TEMPLATE,
                optional=True,
            ),
        },
        directory=INBOXES,
        listed=True,
        follows={"inbox": ("subject",), "template": ("inbox",)},
        comes_and_goes=frozenset({"inbox.created", "inbox.updated", "inbox.deleted"}),
    ),
    Kind(
        "inboxes/{id}/templates",
        "Approved templates of an inbox",
        "The templates that can be sent from an inbox, in pages.",
        {
            "templates": Part(
                "templates.list",
                {"inbox_id": ID, "status": "approved"},
                more="inboxes/{id}/templates",
                limit=50,
                only=_OF_TEMPLATE,
            )
        },
        directory=INBOXES,
        follows={"template": ("inbox",), "inbox.deleted": ("subject",)},
    ),
    Kind(
        "templates/{id}",
        "Message template",
        "A template with its words, by id, or by name where only one has it: category, approval and quality.",
        {"template": Part("templates.get")},
        directory=TEMPLATES,
        links={"inbox": "inboxes/{inbox_id}"},
        follows={"template": ("subject",)},
    ),
    Kind(
        "imports/{id}",
        "Import of contacts",
        "An import, how far it is, and the rows it could not take.",
        {
            "import": Part("imports.get"),
            "errors": Part("imports.errors", more="imports/{id}/errors", optional=True),
        },
        directory=IMPORTS,
        listed=True,
        follows={"import": ("subject",)},
        comes_and_goes=frozenset({"import.started"}),
    ),
    Kind(
        "imports/{id}/errors",
        "Rows that an import could not take",
        "The rows at fault, with what is wrong, in pages.",
        {"errors": Part("imports.errors", more="imports/{id}/errors", limit=100)},
        directory=IMPORTS,
        follows={"import": ("subject",)},
    ),
    Kind(
        "exports/{id}",
        "Export of contacts",
        "An export and how far it is. `GET /api/v1/exports/{id}/content` gives the file.",
        {"export": Part("exports.get")},
        directory=EXPORTS,
        listed=True,
        follows={"export": ("subject",)},
        comes_and_goes=frozenset({"export.started"}),
    ),
    Kind(
        "approvals/{id}",
        "Call that waits for a person",
        "A call that a person of the workspace has to approve, or had to: what was asked, and what became of it.",
        {"approval": Part("approvals.get")},
        directory=APPROVALS,
        listed=True,
        follows={"approval": ("subject",)},
        comes_and_goes=frozenset({"approval.requested", "approval.decided"}),
    ),
    Kind(
        "audit",
        "Audit trail",
        "Who did what, newest first, in pages. Changes are told; a call that was refused shows at the next reading.",
        {"records": Part("audit.list", more="audit", limit=50, without=("hash",))},
        follows={"*": ()},
    ),
)
