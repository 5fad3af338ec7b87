"""The authorization server: clients, grants, codes and tokens."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "oauth_documents",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("client", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column(
            "fetched_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "expires_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("url"),
    )
    op.create_index("oauth_documents_expiry", "oauth_documents", ["expires_at"], unique=False)
    op.create_table(
        "oauth_clients",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", postgresql.BYTEA(), nullable=True),
        sa.Column("auth_method", sa.Text(), nullable=False),
        sa.Column("redirect_uris", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("machine", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "oauth_clients_age",
        "oauth_clients",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("workspace_id is null"),
    )
    op.create_index("oauth_clients_workspace", "oauth_clients", ["workspace_id", "id"], unique=False)
    op.create_table(
        "oauth_grants",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("read_only", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("toolsets", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("inbox_ids", postgresql.ARRAY(sa.UUID()), nullable=True),
        sa.Column("tag_ids", postgresql.ARRAY(sa.UUID()), nullable=True),
        sa.Column("calls_per_minute", sa.Integer(), nullable=True),
        sa.Column("supervised", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "changed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("oauth_grants_client", "oauth_grants", ["client_id"], unique=False)
    op.create_index(
        "oauth_grants_live",
        "oauth_grants",
        ["workspace_id", "user_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at is null"),
    )
    op.create_index("oauth_grants_workspace", "oauth_grants", ["workspace_id", "id"], unique=False)
    op.create_table(
        "oauth_codes",
        sa.Column("code_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("grant_id", sa.UUID(), nullable=False),
        sa.Column("family", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column(
            "expires_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["oauth_grants.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_index("oauth_codes_expiry", "oauth_codes", ["expires_at"], unique=False)
    op.create_index("oauth_codes_grant", "oauth_codes", ["grant_id"], unique=False)
    op.create_table(
        "oauth_tokens",
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.UUID(), nullable=False),
        sa.Column("family", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "expires_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["oauth_grants.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("oauth_tokens_expiry", "oauth_tokens", ["expires_at"], unique=False)
    op.create_index("oauth_tokens_family", "oauth_tokens", ["family"], unique=False)
    op.create_index("oauth_tokens_grant", "oauth_tokens", ["grant_id"], unique=False)


def downgrade() -> None:
    op.drop_index("oauth_tokens_grant", table_name="oauth_tokens")
    op.drop_index("oauth_tokens_family", table_name="oauth_tokens")
    op.drop_index("oauth_tokens_expiry", table_name="oauth_tokens")
    op.drop_table("oauth_tokens")
    op.drop_index("oauth_codes_grant", table_name="oauth_codes")
    op.drop_index("oauth_codes_expiry", table_name="oauth_codes")
    op.drop_table("oauth_codes")
    op.drop_index("oauth_grants_workspace", table_name="oauth_grants")
    op.drop_index(
        "oauth_grants_live", table_name="oauth_grants", postgresql_where=sa.text("revoked_at is null")
    )
    op.drop_index("oauth_grants_client", table_name="oauth_grants")
    op.drop_table("oauth_grants")
    op.drop_index("oauth_clients_workspace", table_name="oauth_clients")
    op.drop_index(
        "oauth_clients_age", table_name="oauth_clients", postgresql_where=sa.text("workspace_id is null")
    )
    op.drop_table("oauth_clients")
    op.drop_index("oauth_documents_expiry", table_name="oauth_documents")
    op.drop_table("oauth_documents")
