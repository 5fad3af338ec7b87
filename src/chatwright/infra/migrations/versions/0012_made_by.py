"""What tokens and grants come from, so that they end with it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for table in ("access_tokens", "oauth_grants"):
        op.add_column(
            table, sa.Column("made_by", postgresql.ARRAY(sa.UUID()), server_default="{}", nullable=False)
        )


def downgrade() -> None:
    for table in ("oauth_grants", "access_tokens"):
        op.drop_column(table, "made_by")
