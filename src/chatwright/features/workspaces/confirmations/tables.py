"""Tables of confirmations."""

from sqlalchemy import Column, Index, Table
from sqlalchemy.dialects.postgresql import BYTEA, TIMESTAMP

from chatwright.features.workspaces.tables import metadata

__all__ = ["metadata"]

spent_confirmations = Table(
    "spent_confirmations",
    metadata,
    Column("id", BYTEA, primary_key=True),
    Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
    Index("spent_confirmations_expiry", "expires_at"),
)
"""Confirm tokens that were used, for as long as they would still be good. Written with the effect they let happen."""
