"""What transactions wrote, as the database saw it: every row of every table, and the audit records among them."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from chatwright.app.schema import METADATA
from chatwright.app.wiring import Product

PLUMBING = frozenset({"rate_buckets", "audit_heads", "audit_records", "idempotency_keys"})
"""Tables that say of calls that they were made. Everything else is an effect."""
ASKING = frozenset({"approvals", "event_log"})
"""Where it is written that a call waits for somebody."""

_LOG = "create table written (number bigserial, transaction xid8, place text, record json)"
_NOTE = """
create function note_written() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and tg_table_name = 'access_tokens' and
        to_jsonb(old) - 'last_used_at' = to_jsonb(new) - 'last_used_at'
    then
        return null;
    end if;
    insert into written (transaction, place, record)
    values (pg_current_xact_id(), tg_table_name, case tg_table_name when 'audit_records' then row_to_json(new) end);
    return null;
end $$
"""
"""Reading with a token notes when it was used last, whatever comes of the call."""


async def count_writes(product: Product) -> None:
    """Have the database note each row that is written from now on."""
    tables = [table.name for metadata in METADATA for table in metadata.sorted_tables]
    async with product.database.transaction() as unit:
        await unit.connection.execute(_LOG)
        await unit.connection.execute(_NOTE)
        for name in tables:
            await unit.connection.execute(
                f'create trigger noted after insert or update or delete on "{name}"'
                " for each row execute function note_written()"
            )


@dataclass
class Transaction:
    """One that was committed: the tables it wrote to, and the audit records it left."""

    tables: set[str] = field(default_factory=set[str])
    records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def effects(self) -> set[str]:
        """Tables in which it changed more than what says that calls were made."""
        return self.tables - PLUMBING

    @property
    def calls(self) -> list[tuple[str, str]]:
        """The calls that it left on record: operation and outcome."""
        return [(record["operation"], record["outcome"]) for record in self.records]

    @property
    def lawful(self) -> bool:
        """Whether its one record says of it what it did: only a call that was done has effects, or asked somebody."""
        match [record["outcome"] for record in self.records]:
            case ["done"]:
                return True
            case ["asked"]:
                return self.effects <= ASKING and "idempotency_keys" not in self.tables
            case ["done", "done"]:
                approved, approving = self.records
                return (
                    approved["consent"]["kind"] == "approved"
                    and approving["operation"] == "approvals.approve"
                )
            case ["refused" | "failed" | "replayed"]:
                return self.tables <= {"rate_buckets", "audit_heads", "audit_records"}
            case _:
                return self.tables <= {"rate_buckets"}


@dataclass
class Written:
    """All that was committed while a test looked."""

    transactions: list[Transaction] = field(default_factory=list[Transaction])

    @property
    def unlawful(self) -> list[Transaction]:
        """The transactions whose records do not say what they did."""
        return [each for each in self.transactions if not each.lawful]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The audit records, in order."""
        return [record for each in self.transactions for record in each.records]

    @property
    def outcomes(self) -> list[tuple[str, str, str | None]]:
        """What the audit trail says of each call: operation, outcome and the code of its error."""
        return [(record["operation"], record["outcome"], record["error"]) for record in self.records]

    @property
    def effects(self) -> list[Transaction]:
        """The transactions that had any."""
        return [each for each in self.transactions if each.effects]


@asynccontextmanager
async def written(product: Product) -> AsyncGenerator[Written]:
    """What is committed in this block; filled in at its end."""
    found = Written()
    async with product.database.autocommit() as unit:
        (start,) = await unit.connection.fetch("select coalesce(max(number), 0) as number from written")
    yield found
    async with product.database.autocommit() as unit:
        rows = await unit.connection.fetch(
            "select transaction::text, place, record from written where number > $1 order by number",
            start["number"],
        )
    found.transactions = _parted(rows)


def _parted(rows: Iterable[Mapping[str, Any]]) -> list[Transaction]:
    found: dict[str, Transaction] = {}
    for row in rows:
        transaction = found.setdefault(row["transaction"], Transaction())
        transaction.tables.add(row["place"])
        if row["record"] is not None:
            transaction.records.append(orjson.loads(row["record"]["body"]))
    return list(found.values())
