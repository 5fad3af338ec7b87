"""Working an import: some rows at a time, each time in one transaction with the place they end at."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatwright.features.contacts import store as contacts_store
from chatwright.features.contacts.changes import changed, known_fields
from chatwright.features.contacts.imports import store
from chatwright.features.contacts.imports.models import MAX_FILE
from chatwright.features.contacts.imports.rules import (
    PLAN,
    Plan,
    Row,
    RowProblem,
    RowRefused,
    contact_id_of,
    explained,
    placed,
    read_row,
)
from chatwright.features.contacts.profiles import Profile
from chatwright.features.contacts.sheets import Sheet, decoded, read_sheet
from chatwright.features.contacts.tags.tagging import put_on
from chatwright.features.contacts.writing import change, create
from chatwright.kernel.errors import InvalidInput, NotFound, PayloadTooLarge
from chatwright.kernel.events import Event
from chatwright.ports.database import emit
from chatwright.ports.ledger import Claim, Ledger
from chatwright.ports.storage import Storage

CHUNK: Final = 500
"""Rows of one transaction: few enough that it is short; the file is read anew for each."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What all rows of one import share."""

    workspace_id: UUID
    import_id: UUID
    dry_run: bool
    storage_key: str | None
    plan: Plan
    sheet: Sheet
    targets: Mapping[int, str]

    @property
    def facts(self) -> dict[str, object]:
        """What the events of its contacts say, so that their readers can tell them from people at the door."""
        return {"import_id": str(self.import_id)}


def import_ledger(storage: Storage) -> Ledger:
    """The work of imports; an uploaded file is read from the storage, and deleted once it is taken."""

    async def work(claim: Claim) -> None:
        try:
            run = await _prepared(claim, storage)
        except (InvalidInput, NotFound, PayloadTooLarge) as error:
            async with claim.settling("failed", error=error.message):
                await _finish(claim, "import.failed")
            return
        if await _work_rows(claim, run) and run.storage_key is not None and not run.dry_run:
            await storage.delete(run.storage_key)

    async def give_up(claim: Claim) -> None:
        # It has no end of its own: by that it is told from one whose file was refused in our words.
        emit(Event("import.failed", claim.row["workspace_id"], claim.id))

    return Ledger("contact_imports", work, given_up=give_up)


async def _prepared(claim: Claim, storage: Storage) -> _Run:
    row = claim.row
    plan = PLAN.validate_python(row["plan"])
    sheet = await asyncio.to_thread(read_sheet, row["content"] or await _loaded(storage, row["storage_key"]))
    targets = placed(sheet.header, plan.columns)
    return _Run(row["workspace_id"], claim.id, row["dry_run"], row["storage_key"], plan, sheet, targets)


async def _loaded(storage: Storage, key: str) -> str:
    content = bytearray()
    async for chunk in storage.read(key):
        content += chunk
        if len(content) > MAX_FILE:
            message = f"The file is larger than {MAX_FILE} bytes."
            raise PayloadTooLarge(message)
    return await asyncio.to_thread(decoded, bytes(content))


async def _work_rows(claim: Claim, run: _Run) -> bool:
    """Do the next rows and move the place in one transaction, so that a crash neither loses nor repeats one.

    Returns whether they were the last.
    """
    done: int = claim.row["rows_done"]
    rows = run.sheet.rows[done : done + CHUNK]
    last = done + len(rows) >= len(run.sheet.rows)
    async with claim.settling("done" if last else "queued"):
        tally = Counter([await _work_row(run, number, cells) for number, cells in enumerate(rows, done + 2)])
        await store.ADVANCE_IMPORT.run(
            claim.id,
            len(run.sheet.rows),
            len(rows),
            *(tally[outcome] for outcome in ("created", "updated", "skipped", "failed")),
        )
        if last:
            await _finish(claim, "import.finished")
        else:
            facts = {"rows_done": done + len(rows), "rows_total": len(run.sheet.rows)}
            emit(Event("import.progressed", run.workspace_id, claim.id, data=facts))
    return last


async def _finish(claim: Claim, kind: str) -> None:
    await store.FINISH_IMPORT.run(claim.id)
    emit(Event(kind, claim.row["workspace_id"], claim.id))


async def _work_row(run: _Run, number: int, cells: Sequence[str]) -> str:
    """Take one row; returns what became of it. A row that is refused has written nothing but its report."""
    try:
        row = read_row(cells, run.sheet.header, run.targets, run.plan)
        return "skipped" if row is None else await _take(run, row)
    except RowRefused as refused:
        problems = refused.problems
    except InvalidInput as error:
        problems = explained(error.fields, run.sheet.header, run.targets)
    await store.ADD_ERROR.many(
        (run.import_id, number, problem.column, problem.message) for problem in problems
    )
    return "failed"


async def _take(run: _Run, row: Row) -> str:
    contact_id = await _match(run.workspace_id, row)
    tags = [*run.plan.tags, *row.tags]
    if contact_id is None:
        await _create(run, row, tags)
        return "created"
    if run.plan.existing == "skip":
        return "skipped"
    await _update(run, contact_id, row, tags)
    return "updated"


async def _create(run: _Run, row: Row, tags: Sequence[str]) -> None:
    if run.dry_run:
        changed(Profile(), row.profile, await known_fields(run.workspace_id, row.profile.fields))
    else:
        await create(run.workspace_id, row.profile, tags=tags, facts=run.facts)


async def _update(run: _Run, contact_id: UUID, row: Row, tags: Sequence[str]) -> None:
    """Bring a contact up to date; the row's e-mails and phones come to those it has."""
    fields = await known_fields(run.workspace_id, row.profile.fields)
    before = await contacts_store.LOCK_PROFILE.one(run.workspace_id, contact_id)
    given = row.profile.model_copy(
        update={
            "emails": row.profile.emails and before.emails + row.profile.emails,
            "phones": row.profile.phones and before.phones + row.profile.phones,
        }
    )
    if run.dry_run:
        changed(before, given, fields)
        return
    await change(run.workspace_id, contact_id, given, facts=run.facts)
    await put_on(run.workspace_id, contact_id, tags)


async def _match(workspace_id: UUID, row: Row) -> UUID | None:
    """The contact that a row is about: by id, else e-mail, else phone; None when it is a new one."""
    named = contact_id_of(row)
    if named is not None:
        contact_id = await contacts_store.SURVIVOR.first(workspace_id, named)
        if contact_id is None:
            raise RowRefused([RowProblem("id", "There is no contact with this id.")])
        return contact_id
    emails = [email.lower() for email in row.profile.emails or []]
    found = await store.MATCHES.all(workspace_id, emails, []) if emails else []
    if not found and (phones := row.phones()):
        found = await store.MATCHES.all(workspace_id, [], phones)
    if len(found) > 1:
        raise RowRefused([RowProblem("", "Several contacts have this e-mail or phone; merge them first.")])
    return found[0] if found else None
