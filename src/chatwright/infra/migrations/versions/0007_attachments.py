"""Files that nobody wants any more."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("attachments", sa.Column("unwanted_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_index(
        "attachments_unwanted",
        "attachments",
        ["unwanted_at"],
        unique=False,
        postgresql_where=sa.text("unwanted_at is not null"),
    )


def downgrade() -> None:
    op.drop_index(
        "attachments_unwanted", table_name="attachments", postgresql_where=sa.text("unwanted_at is not null")
    )
    op.drop_column("attachments", "unwanted_at")
