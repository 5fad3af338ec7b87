"""Calls that wait for a person, what workspaces want approved, and confirm tokens that were used."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "spent_confirmations",
        sa.Column("id", postgresql.BYTEA(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("spent_confirmations_expiry", "spent_confirmations", ["expires_at"], unique=False)
    op.create_table(
        "approval_policies",
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("supervision", sa.Text(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
        ),
        sa.PrimaryKeyConstraint("workspace_id"),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("workspace_id", sa.UUID(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("requested_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=True),
        sa.Column("shown", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sealed", postgresql.BYTEA(), nullable=True),
        sa.Column("digest", postgresql.BYTEA(), nullable=False),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decided_by", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("edited", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("result", postgresql.BYTEA(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "approvals_expiry",
        "approvals",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "approvals_same",
        "approvals",
        ["workspace_id", "digest"],
        unique=True,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index("approvals_workspace", "approvals", ["workspace_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("approvals_workspace", table_name="approvals")
    op.drop_index("approvals_same", table_name="approvals", postgresql_where=sa.text("status = 'waiting'"))
    op.drop_index("approvals_expiry", table_name="approvals", postgresql_where=sa.text("status = 'waiting'"))
    op.drop_table("approvals")
    op.drop_table("approval_policies")
    op.drop_index("spent_confirmations_expiry", table_name="spent_confirmations")
    op.drop_table("spent_confirmations")
