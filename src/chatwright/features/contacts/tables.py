"""Tables of the contacts room."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSVECTOR, UUID

from chatwright.ports.ledger import ledger_columns

metadata = MetaData()
_now = text("now()")


def _made_at(name: str = "created_at") -> "Column[object]":
    return Column(name, TIMESTAMP(timezone=True), nullable=False, server_default=_now)


def _contact() -> "Column[object]":
    return Column("contact_id", UUID, ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False)


contacts = Table(
    "contacts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("name", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("emails", ARRAY(Text), nullable=False, server_default="{}"),
    Column("phones", ARRAY(Text), nullable=False, server_default="{}"),
    Column("locale", Text),
    Column("timezone", Text),
    Column("fields", JSONB, nullable=False, server_default="{}"),
    Column("folded", JSONB, nullable=False, server_default="{}"),
    Column("search_words", Text, nullable=False, server_default=""),
    Column(
        "search_vector",
        TSVECTOR,
        Computed("array_to_tsvector(string_to_array(search_words, ' '))", persisted=True),
        nullable=False,
    ),
    Column("blocked_at", TIMESTAMP(timezone=True)),
    Column("merged_into", UUID, ForeignKey("contacts.id", ondelete="CASCADE")),
    _made_at(),
    _made_at("updated_at"),
    Index("contacts_workspace", "workspace_id", "id", postgresql_where=text("merged_into is null")),
    Index("contacts_search", "search_vector", postgresql_using="gin"),
    Index("contacts_emails", "emails", postgresql_using="gin"),
    Index("contacts_phones", "phones", postgresql_using="gin"),
    Index("contacts_merged", "merged_into", postgresql_where=text("merged_into is not null")),
)
"""People. The first e-mail and phone are the main ones; `fields` holds custom values by the field's key.

`folded` and `search_words` follow from the rest (see profiles.py), so that SQL compares text as Python does,
whatever collation the server has. A merged contact stays, pointing at the one that absorbed it, until the merge
is undone or that one is deleted.
"""

contact_identities = Table(
    "contact_identities",
    metadata,
    Column("workspace_id", UUID, primary_key=True),
    Column("inbox_id", UUID, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    _contact(),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    _made_at(),
    Index("contact_identities_contact", "contact_id", "inbox_id"),
)
"""Under which names a channel knows a contact. The workspace is part of the key, so that nobody can occupy an
identity of somebody else's inbox."""

tags = Table(
    "tags",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    _made_at(),
    UniqueConstraint("workspace_id", "key", name="tags_key"),
    Index("tags_workspace", "workspace_id", "id"),
)
"""`key` is the name without regard to case."""

contact_tags = Table(
    "contact_tags",
    metadata,
    Column("contact_id", UUID, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", UUID, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    _made_at(),
    Index("contact_tags_tag", "tag_id", "contact_id"),
)

contact_fields = Table(
    "contact_fields",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("choices", ARRAY(Text), nullable=False, server_default="{}"),
    _made_at(),
    UniqueConstraint("workspace_id", "key", name="contact_fields_key"),
)

contact_notes = Table(
    "contact_notes",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    _contact(),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    _made_at(),
    _made_at("updated_at"),
    Index("contact_notes_contact", "contact_id", "id"),
)

contact_consents = Table(
    "contact_consents",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    _contact(),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("evidence", Text),
    Column("given_at", TIMESTAMP(timezone=True), nullable=False),
    Column("recorded_by", Text, nullable=False),
    _made_at("recorded_at"),
    Index("contact_consents_contact", "contact_id", "channel", "given_at", "id"),
)
"""What people said about being written to, one row for each time; never changed. The latest of a channel counts."""

segments = Table(
    "segments",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("filter", JSONB, nullable=False),
    _made_at(),
    _made_at("updated_at"),
    Index("segments_workspace", "workspace_id", "id"),
)

contact_merges = Table(
    "contact_merges",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, nullable=False),
    Column("contact_id", UUID, ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False),
    Column("absorbed_id", UUID, ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False),
    Column("record", JSONB, nullable=False),
    Column("merged_by", Text, nullable=False),
    _made_at("merged_at"),
    Column("undone_at", TIMESTAMP(timezone=True)),
    Index("contact_merges_contact", "contact_id", "id"),
    Index("contact_merges_absorbed", "absorbed_id"),
)
"""`record` says how the surviving contact was before and after, and which rows moved to it."""

contact_imports = Table(
    "contact_imports",
    metadata,
    *ledger_columns("contact_imports"),
    Column("workspace_id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("plan", JSONB, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("content", Text),
    Column("storage_key", Text),
    Column("rows_total", Integer),
    Column("rows_done", Integer, nullable=False, server_default="0"),
    Column("rows_created", Integer, nullable=False, server_default="0"),
    Column("rows_updated", Integer, nullable=False, server_default="0"),
    Column("rows_skipped", Integer, nullable=False, server_default="0"),
    Column("rows_failed", Integer, nullable=False, server_default="0"),
    Column("created_by", Text, nullable=False),
    Column("finished_at", TIMESTAMP(timezone=True)),
    Index("contact_imports_workspace", "workspace_id", "id"),
)
"""A ledger: each claim does the next rows after `rows_done` in one transaction. `content` is the CSV, dropped at
the end, unless it lies in the storage under `storage_key`."""

contact_import_errors = Table(
    "contact_import_errors",
    metadata,
    Column("import_id", UUID, ForeignKey("contact_imports.id", ondelete="CASCADE"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("column", Text, primary_key=True),
    Column("message", Text, nullable=False),
)

contact_exports = Table(
    "contact_exports",
    metadata,
    *ledger_columns("contact_exports"),
    Column("workspace_id", UUID, nullable=False),
    Column("filter", JSONB),
    Column("inbox_ids", ARRAY(UUID)),
    Column("storage_key", Text, nullable=False),
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("size", BigInteger),
    Column("created_by", Text, nullable=False),
    Column("finished_at", TIMESTAMP(timezone=True)),
    Index("contact_exports_workspace", "workspace_id", "id"),
)
"""`inbox_ids` are the limits of whoever asked: the export shows no more than they may see."""
