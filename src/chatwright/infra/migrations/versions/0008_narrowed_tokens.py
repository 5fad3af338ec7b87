"""Tokens that are limited to toolsets, tags and a rate of their own, or supervised."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("access_tokens", sa.Column("toolsets", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("access_tokens", sa.Column("tag_ids", postgresql.ARRAY(sa.UUID()), nullable=True))
    op.add_column("access_tokens", sa.Column("calls_per_minute", sa.Integer(), nullable=True))
    op.add_column(
        "access_tokens", sa.Column("supervised", sa.Boolean(), server_default="false", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("access_tokens", "supervised")
    op.drop_column("access_tokens", "calls_per_minute")
    op.drop_column("access_tokens", "tag_ids")
    op.drop_column("access_tokens", "toolsets")
