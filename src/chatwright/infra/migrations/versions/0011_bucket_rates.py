"""How fast a token bucket fills, beside it, so that several are drawn from at once."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("rate_buckets", sa.Column("per_second", sa.Float(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("rate_buckets", "per_second")
