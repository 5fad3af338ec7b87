"""Working an export: contacts page by page into one object of the storage, whole or not at all."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from chatwright.features.contacts import store as contacts_store
from chatwright.features.contacts.audience import Clause
from chatwright.features.contacts.exports import store
from chatwright.features.contacts.fields import store as fields_store
from chatwright.features.contacts.filters import FILTER
from chatwright.features.contacts.finding import some_ids, workspace_clause
from chatwright.features.contacts.models import Contact
from chatwright.features.contacts.sheets import written
from chatwright.kernel.events import Event
from chatwright.ports.database import emit
from chatwright.ports.ledger import Claim, Ledger
from chatwright.ports.storage import Storage

PAGE: Final = 500
MAX_BYTES: Final = 1_000_000_000
_COLUMNS: Final = ("id", "name", "first_name", "last_name", "email", "phone", "locale", "timezone", "tags")
"""Named as an import takes them, so that a file can be changed and brought back."""


@dataclass(slots=True)
class _File:
    """What is being written."""

    claim: Claim
    clauses: list[Clause] = field(default_factory=list[Clause])
    keys: list[str] = field(default_factory=list[str])
    rows: int = 0


def export_ledger(storage: Storage) -> Ledger:
    """The work of exports; the files go into the storage."""

    async def work(claim: Claim) -> None:
        file = _File(claim)
        size = await storage.put(claim.row["storage_key"], _content(file), limit=MAX_BYTES)
        async with claim.settling():
            await store.FINISH_EXPORT.run(claim.id, file.rows, size)
            emit(Event("export.finished", claim.row["workspace_id"], claim.id))

    async def give_up(claim: Claim) -> None:
        emit(Event("export.failed", claim.row["workspace_id"], claim.id))

    return Ledger("contact_exports", work, given_up=give_up)


async def _content(file: _File) -> AsyncIterator[bytes]:
    yield await _header(file)
    before: UUID | None = None
    while contacts := await _page(file, before):
        yield written(_row(contact, file.keys) for contact in contacts)
        file.rows += len(contacts)
        before = contacts[-1].id


async def _header(file: _File) -> bytes:
    row = file.claim.row
    async with file.claim.holding():
        fields = await fields_store.ALL_FIELDS.all(row["workspace_id"])
        if row["filter"] is not None:
            file.clauses = [
                await workspace_clause(row["workspace_id"], FILTER.validate_python(row["filter"]))
            ]
    file.keys = [each.key for each in fields]
    own = [f"fields.{key}" for key in file.keys]
    return written([[*_COLUMNS, *own, "blocked", "created_at"]])


async def _page(file: _File, before: UUID | None) -> Sequence[Contact]:
    """The next contacts; reading them keeps the lease, and says how far the file is."""
    row: Any = file.claim.row
    async with file.claim.holding():
        if file.rows:
            await store.COUNT_ROWS.run(file.claim.id, file.rows)
            data = {"rows": file.rows}
            emit(Event("export.progressed", row["workspace_id"], file.claim.id, data=data))
        ids = await some_ids(row["workspace_id"], row["inbox_ids"], *file.clauses, before=before, limit=PAGE)
        return await contacts_store.SHOW_CONTACTS.all(row["workspace_id"], ids, row["inbox_ids"])


def _row(contact: Contact, keys: Sequence[str]) -> list[str]:
    return [
        str(contact.id),
        contact.name or "",
        contact.first_name or "",
        contact.last_name or "",
        "; ".join(contact.emails),
        "; ".join(contact.phones),
        contact.locale or "",
        contact.timezone or "",
        "; ".join(contact.tags),
        *(_cell(contact.fields.get(key)) for key in keys),
        _cell(contact.blocked),
        contact.created_at.isoformat(),
    ]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
