"""Queries of confirmations."""

from chatwright.ports.database import Statement, value

SPEND = Statement(
    "confirmations.spend",
    """
    insert into spent_confirmations (id, expires_at) values ($1, $2)
    on conflict do nothing returning true as spent
    """,
    value,
)
FORGET_SPENT = Statement(
    "confirmations.forget_spent",
    "delete from spent_confirmations where expires_at <= now() - interval '1 hour'",
    value,
)
"""The hour is for clocks that differ between servers."""
