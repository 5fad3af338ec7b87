"""Inboxes with secrets and health, and tables for every kind of news that a channel brings."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "leads",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column(
            "due_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("lease_owner", sa.UUID(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("inbox_id", sa.UUID(), nullable=False),
        sa.Column("lead_id", sa.Text(), nullable=False),
        sa.Column("form_id", sa.Text(), nullable=True),
        sa.Column("ad_id", sa.Text(), nullable=True),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("inbox_id", "lead_id", name="leads_once"),
    )
    op.create_index("leads_contact", "leads", ["contact_id"], unique=False)
    op.create_index(
        "leads_due",
        "leads",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state in ('queued', 'leased')"),
    )
    op.create_index(
        "leads_lane",
        "leads",
        ["lane", "position"],
        unique=False,
        postgresql_where=sa.text("state in ('queued', 'leased')"),
    )
    op.create_table(
        "message_templates",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("inbox_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("components", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("template_id", sa.Text(), nullable=True),
        sa.Column("quality", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["inbox_id"],
            ["inboxes.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("inbox_id", "name", "language", name="message_templates_one"),
    )
    op.create_index("message_templates_workspace", "message_templates", ["workspace_id", "id"], unique=False)
    op.create_table(
        "courtesies",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column(
            "due_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("lease_owner", sa.UUID(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("conversation_id", sa.UUID(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "courtesies_due",
        "courtesies",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state in ('queued', 'leased')"),
    )
    op.create_index(
        "courtesies_lane",
        "courtesies",
        ["lane", "position"],
        unique=False,
        postgresql_where=sa.text("state in ('queued', 'leased')"),
    )
    op.create_index(
        "courtesies_once",
        "courtesies",
        ["conversation_id", "what"],
        unique=True,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "referrals",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("inbox_id", sa.UUID(), nullable=False),
        sa.Column("contact_id", sa.UUID(), nullable=False),
        sa.Column("conversation_id", sa.UUID(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=True),
        sa.Column("referral", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("referrals_contact", "referrals", ["workspace_id", "contact_id", "at"], unique=False)
    op.create_index("referrals_conversation", "referrals", ["conversation_id"], unique=False)
    op.create_table(
        "media_downloads",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column(
            "due_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("lease_owner", sa.UUID(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("inbox_id", sa.UUID(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("media", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index(
        "media_downloads_due",
        "media_downloads",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state in ('queued', 'leased')"),
    )
    op.create_index(
        "media_downloads_lane",
        "media_downloads",
        ["lane", "position"],
        unique=False,
        postgresql_where=sa.text("state in ('queued', 'leased')"),
    )
    op.create_table(
        "message_events",
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", "event_id", "what"),
    )
    op.create_index("message_events_event", "message_events", ["event_id"], unique=False)
    op.create_table(
        "message_reactions",
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", "author"),
    )
    op.add_column(
        "conversations", sa.Column("window_opened_at", postgresql.TIMESTAMP(timezone=True), nullable=True)
    )
    op.add_column(
        "conversations", sa.Column("window_ends_at", postgresql.TIMESTAMP(timezone=True), nullable=True)
    )
    op.add_column("inbound_events", sa.Column("unknown", sa.Text(), nullable=True))
    op.create_index(
        "inbound_events_odd",
        "inbound_events",
        ["inbox_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'failed' or unknown is not null"),
    )
    op.add_column("inboxes", sa.Column("secrets", sa.LargeBinary(), nullable=True))
    op.add_column("inboxes", sa.Column("account", sa.Text(), nullable=True))
    op.add_column("inboxes", sa.Column("health", sa.Text(), server_default="ok", nullable=False))
    op.add_column("inboxes", sa.Column("health_words", sa.Text(), nullable=True))
    op.add_column("inboxes", sa.Column("health_until", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("inboxes", sa.Column("per_second", sa.Float(), nullable=True))
    op.add_column("inboxes", sa.Column("renew_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_index(
        "inboxes_account",
        "inboxes",
        ["channel", "account"],
        unique=True,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "inboxes_renewal",
        "inboxes",
        ["renew_at"],
        unique=False,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.add_column("message_statuses", sa.Column("code", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("reply_to", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("referral", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column(
        "messages", sa.Column("automatic", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("messages", sa.Column("edited_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("unsent_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("pricing", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "pricing")
    op.drop_column("messages", "unsent_at")
    op.drop_column("messages", "edited_at")
    op.drop_column("messages", "automatic")
    op.drop_column("messages", "referral")
    op.drop_column("messages", "reply_to")
    op.drop_column("messages", "sent_at")
    op.drop_column("message_statuses", "code")
    op.drop_index("inboxes_renewal", table_name="inboxes", postgresql_where=sa.text("deleted_at is null"))
    op.drop_index("inboxes_account", table_name="inboxes", postgresql_where=sa.text("deleted_at is null"))
    op.drop_column("inboxes", "renew_at")
    op.drop_column("inboxes", "per_second")
    op.drop_column("inboxes", "health_until")
    op.drop_column("inboxes", "health_words")
    op.drop_column("inboxes", "health")
    op.drop_column("inboxes", "account")
    op.drop_column("inboxes", "secrets")
    op.drop_index(
        "inbound_events_odd",
        table_name="inbound_events",
        postgresql_where=sa.text("state = 'failed' or unknown is not null"),
    )
    op.drop_column("inbound_events", "unknown")
    op.drop_column("conversations", "window_ends_at")
    op.drop_column("conversations", "window_opened_at")
    op.drop_table("message_reactions")
    op.drop_index("message_events_event", table_name="message_events")
    op.drop_table("message_events")
    op.drop_index(
        "media_downloads_lane",
        table_name="media_downloads",
        postgresql_where=sa.text("state in ('queued', 'leased')"),
    )
    op.drop_index(
        "media_downloads_due",
        table_name="media_downloads",
        postgresql_where=sa.text("state in ('queued', 'leased')"),
    )
    op.drop_table("media_downloads")
    op.drop_index("referrals_conversation", table_name="referrals")
    op.drop_index("referrals_contact", table_name="referrals")
    op.drop_table("referrals")
    op.drop_index("courtesies_once", table_name="courtesies", postgresql_where=sa.text("state = 'queued'"))
    op.drop_index(
        "courtesies_lane", table_name="courtesies", postgresql_where=sa.text("state in ('queued', 'leased')")
    )
    op.drop_index(
        "courtesies_due", table_name="courtesies", postgresql_where=sa.text("state in ('queued', 'leased')")
    )
    op.drop_table("courtesies")
    op.drop_index("message_templates_workspace", table_name="message_templates")
    op.drop_table("message_templates")
    op.drop_index("leads_lane", table_name="leads", postgresql_where=sa.text("state in ('queued', 'leased')"))
    op.drop_index("leads_due", table_name="leads", postgresql_where=sa.text("state in ('queued', 'leased')"))
    op.drop_index("leads_contact", table_name="leads")
    op.drop_table("leads")
