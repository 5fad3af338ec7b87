"""Work as rows: what a ledger table is, and what its worker may do with a claimed row.

A ledger is a table with the columns of `LEDGER_COLUMNS` beside its own. A row is inserted, `queued`, in the
transaction of whatever caused it. The claimer leases due rows, in order per lane, and hands each to the
ledger's `work`, which ends it with `claim.settling()`. A worker that dies leaves a lease behind; when it ends
the row comes back. A worker that was too slow finds its lease gone and its transaction rolled back.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID as PG_UUID

from chatwright.ports.database import Unit

OPEN_STATES = "('queued', 'leased')"


def ledger_columns(table: str) -> tuple[Column[Any] | Index, ...]:
    """The columns and indexes that make a table a ledger; put them into its `Table(...)`."""
    open_rows = text(f"state in {OPEN_STATES}")
    return (
        Column("id", PG_UUID, primary_key=True),
        Column("position", BigInteger, Identity(always=True), nullable=False),
        Column("lane", Text),
        Column("state", Text, nullable=False, server_default="queued"),
        Column("due_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
        Column("lease_owner", PG_UUID),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("error", Text),
        Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
        Index(f"{table}_due", "due_at", postgresql_where=open_rows),
        Index(f"{table}_lane", "lane", "position", postgresql_where=open_rows),
    )


class LeaseLost(Exception):
    """The lease ended before the work did; somebody else has the row now and nothing was committed."""


class Claim(Protocol):
    """One leased row."""

    @property
    def id(self) -> UUID: ...
    @property
    def attempts(self) -> int:
        """How often the row was claimed, this time included."""
        ...

    @property
    def row(self) -> Mapping[str, Any]:
        """All columns of the row as they were claimed."""
        ...

    def settling(
        self, state: str = "done", *, again_in: float | None = None, error: str | None = None
    ) -> AbstractAsyncContextManager[Unit]:
        """Open the transaction that ends this claim with a state; raises LeaseLost if it came too late.

        With `again_in` (seconds) the row is due again then; give it the state `queued`. An infinite one leaves it
        in its lane until somebody makes it due.
        """
        ...

    def holding(self) -> AbstractAsyncContextManager[Unit]:
        """Open a transaction in the middle of the work that keeps the lease; raises LeaseLost likewise."""
        ...

    def expect(self, seconds: float) -> None:
        """Say that another row of the ledger is due in so many seconds, as `again_in` says it of this one."""
        ...

    def keeping(self) -> AbstractAsyncContextManager[None]:
        """Renew the lease for as long as the block takes, e.g. a call to a slow provider."""
        ...


@dataclass(frozen=True)
class Ledger:
    """A table of work and the function that does one row of it."""

    table: str
    work: Callable[[Claim], Awaitable[None]]
    lease_seconds: float = 30.0
    max_attempts: int = 8
    """After so many failures a row is `failed` and its lane goes on."""
    at_once: int = 1
    """How many times the usual number of rows a process works together: more where work is mostly waiting."""
    given_up: Callable[[Claim], Awaitable[None]] | None = None
    """What else to write about a row that is `failed` for good, in the transaction that says so."""

    @property
    def topic(self) -> str:
        """The signal that says there are new rows: `wake(topic)` after inserting."""
        return self.table
