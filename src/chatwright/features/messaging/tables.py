"""Tables of the messaging room."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

from chatwright.ports.ledger import ledger_columns

metadata = MetaData()
_now = text("now()")

inboxes = Table(
    "inboxes",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("channel", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("settings", JSONB, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Column("deleted_at", TIMESTAMP(timezone=True)),
    Index("inboxes_workspace", "workspace_id", "id"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, ForeignKey("inboxes.id"), nullable=False),
    Column("contact_id", UUID, nullable=False),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("snoozed_until", TIMESTAMP(timezone=True)),
    Column("assignee_id", UUID),
    Column("owner", Text, nullable=False, server_default="bot"),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("last_position", BigInteger, nullable=False, server_default="0"),
    Column("last_text", Text, nullable=False, server_default=""),
    Column("last_inbound_at", TIMESTAMP(timezone=True)),
    Column("read_position", BigInteger, nullable=False, server_default="0"),
    Column("contact_read_position", BigInteger, nullable=False, server_default="0"),
    Column("unread", Integer, nullable=False, server_default="0"),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("inbox_id", "address", name="conversations_one_per_address"),
    Index("conversations_recent", "workspace_id", "updated_at", "id"),
    Index("conversations_contact", "contact_id", "inbox_id"),
    Index("conversations_snoozed", "snoozed_until", postgresql_where=text("state = 'snoozed'")),
)
"""`address` is where the contact is reached in this inbox; `version` counts changes of the owner.

A contact has one address in an inbox and so one conversation. Only a contact that absorbed another one may have
two of both, and each is answered where it was written."""

messages = Table(
    "messages",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, nullable=False),
    Column("conversation_id", UUID, ForeignKey("conversations.id"), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("direction", Text, nullable=False),
    Column("author_kind", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("external_id", Text),
    Column("status", Text, nullable=False),
    Column("error", Text),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("conversation_id", "position", name="messages_position"),
    Index("messages_external", "inbox_id", "direction", "external_id", unique=True),
    Index(
        "messages_attachment",
        text("(content ->> 'attachment_id')"),
        postgresql_where=text("content ->> 'attachment_id' is not null"),
    ),
)

message_statuses = Table(
    "message_statuses",
    metadata,
    Column("message_id", UUID, ForeignKey("messages.id"), primary_key=True),
    Column("status", Text, primary_key=True),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Column("detail", Text),
)
"""Every status a message ever got, with its first time; `messages.status` is the furthest."""

inbound_events = Table(
    "inbound_events",
    metadata,
    *ledger_columns("inbound_events"),
    Column("workspace_id", UUID, nullable=False),
    Column("inbox_id", UUID, nullable=False),
    Column("dedupe_key", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    UniqueConstraint("inbox_id", "dedupe_key", name="inbound_events_once"),
)
"""Raw provider events, stored before anything is done with them."""

unknown_events = Table(
    "unknown_events",
    metadata,
    Column("inbox_id", UUID, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("seen", BigInteger, nullable=False),
    Column("last_event_id", UUID, nullable=False),
    Column("last_seen_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
)
"""How often each inbox got something that nobody here knows, and where to look at the latest."""

deliveries = Table(
    "deliveries",
    metadata,
    *ledger_columns("deliveries"),
    Column("workspace_id", UUID, nullable=False),
    Column("message_id", UUID, ForeignKey("messages.id"), nullable=False, unique=True),
)
"""Intended sends, in order per conversation."""

attachments = Table(
    "attachments",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("storage_key", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    Index("attachments_workspace", "workspace_id", "id"),
)

saved_replies = Table(
    "saved_replies",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("shortcut", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("workspace_id", "shortcut", name="saved_replies_shortcut"),
)
