"""The verbs about imports, and that a crash neither loses nor repeats a row."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chatwright.features.contacts.errors import ImportNotFound, UnknownField
from chatwright.features.contacts.fields.operations import create_field
from chatwright.features.contacts.imports import jobs
from chatwright.features.contacts.imports.jobs import CHUNK, import_ledger
from chatwright.features.contacts.imports.operations import (
    cancel_import,
    get_import,
    list_import_errors,
    list_imports,
    start_import,
)
from chatwright.features.contacts.operations import create_contact, find_contacts, get_contact
from chatwright.infra.claimer import Claimer
from chatwright.kernel.errors import Forbidden, InvalidInput, NotFound
from chatwright.kernel.ids import new_id
from tests.conftest import Desk
from tests.features.contacts.test_identities import events_of


async def work(desk: Desk) -> None:
    """Work every import there is, as a worker does."""
    product = desk.product
    claimer = Claimer(product.database, product.signals, import_ledger(product.storage))
    while await claimer.run_once():
        pass


async def imported(desk: Desk, csv: str, **arguments: Any) -> dict[str, Any]:
    started = await desk.call(start_import, csv=csv, **arguments)
    await work(desk)
    return await desk.call(get_import, import_id=started["id"])


async def errors_of(desk: Desk, done: dict[str, Any]) -> list[tuple[int, str]]:
    page = await desk.call(list_import_errors, import_id=done["id"])
    return [(error["row"], error["column"]) for error in page["items"]]


async def everybody(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await desk.call(find_contacts, limit=200, cursor=cursor)
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def counts(done: dict[str, Any]) -> tuple[int, ...]:
    """Rows in all, created, updated, skipped, failed."""
    assert done["rows_done"] == done["rows_total"]
    names = ("rows_total", "rows_created", "rows_updated", "rows_skipped", "rows_failed")
    return tuple(done[name] for name in names)


async def upload(desk: Desk, content: bytes, folder: str = "imports") -> str:
    async def pieces() -> AsyncIterator[bytes]:
        yield content

    key = f"{desk.caller.workspace_id}/{folder}/{new_id().hex}"
    await desk.product.storage.put(key, pieces(), limit=len(content))
    return key


class TestStartImport:
    async def test_mapped_columns_become_contacts(self, desk: Desk) -> None:
        await desk.call(create_field, key="size", kind="number")
        done = await imported(
            desk,
            "Họ tên;Di động;E-Mail;Email 2;Cỡ giày;Nhóm\r\n"
            '"Đặng, Hồng";0901234567;Hong@Example.com;h@example.com;38,5;\r\n'
            "Bình;0901234568;;;39;vip, mới\r\n",
            columns=[
                {"column": "HỌ TÊN", "to": "name"},
                {"column": "Di động", "to": "phone"},
                {"column": "E-Mail", "to": "email"},
                {"column": "Email 2", "to": "email"},
                {"column": "Cỡ giày", "to": "fields.size"},
                {"column": "Nhóm", "to": "tags"},
            ],
            region="VN",
            tags=["import"],
        )
        assert done["state"] == "done"
        assert counts(done) == (2, 1, 0, 0, 1)
        assert await errors_of(desk, done) == [(2, "Cỡ giày")]
        (contact,) = await everybody(desk)
        assert (contact["name"], contact["phones"]) == ("Bình", ["+84901234568"])
        assert contact["fields"] == {"size": 39}
        assert contact["tags"] == ["import", "mới", "vip"]

    async def test_columns_named_like_targets_need_no_mapping(self, desk: Desk) -> None:
        done = await imported(desk, "\ufeffFirst_Name,last_name,comment\nAnna,Lê,x\n")
        assert counts(done) == (1, 1, 0, 0, 0)
        assert [contact["name"] for contact in await everybody(desk)] == ["Anna Lê"]

    async def test_known_contacts_are_brought_up_to_date(self, desk: Desk) -> None:
        known = await desk.call(
            create_contact, name="Anna", emails=["a@example.com"], phones=["+84901234567"], locale="vi"
        )
        rows = [
            "id,name,email,phone",
            ",Anna Lê,A@example.com,+84901234568",
            ",,,+84 901 234 567",
            f"{known['id']},,b@example.com,",
        ]
        done = await imported(desk, "\n".join(rows))
        assert counts(done) == (3, 0, 3, 0, 0)
        contact = await desk.call(get_contact, contact_id=known["id"])
        assert (contact["name"], contact["locale"]) == ("Anna Lê", "vi")
        assert contact["emails"] == ["a@example.com", "b@example.com"]
        assert contact["phones"] == ["+84901234567", "+84901234568"]

    async def test_known_contacts_can_be_left_alone(self, desk: Desk) -> None:
        await desk.call(create_contact, name="Anna", emails=["a@example.com"])
        csv = "name,email\nSomebody,a@example.com\nBình,b@example.com\n\n"
        done = await imported(desk, csv, existing="skip")
        assert counts(done) == (3, 1, 0, 2, 0)
        assert {contact["name"] for contact in await everybody(desk)} == {"Anna", "Bình"}

    async def test_somebody_twice_in_the_file_is_one_contact(self, desk: Desk) -> None:
        done = await imported(desk, "name,email\nAnna,a@example.com\nAnna Lê,A@EXAMPLE.com\n")
        assert counts(done) == (2, 1, 1, 0, 0)
        assert [contact["name"] for contact in await everybody(desk)] == ["Anna Lê"]

    async def test_every_odd_row_is_reported_and_the_others_are_taken(self, desk: Desk) -> None:
        for name in ("Twin 1", "Twin 2"):
            await desk.call(create_contact, name=name, emails=["twin@example.com"])
        rows = [
            "id,name,email,phone,locale,timezone",
            ",Good,good@example.com,,,",
            ",Bad address,nobody,,,",
            ",Cut number,,8.49012E+11,,",
            ",No country,,0901234567,,",
            ",Two at once,nobody,call me,,Hanoi",
            ",Ambiguous,twin@example.com,,,",
            "nonsense,Bad id,,,,",
            f"{new_id()},Unknown id,,,,",
            ",Too many cells,,,,,,surplus",
            '," Multi\nline ",multi@example.com,,,',
            ",Fewer cells",
        ]
        done = await imported(desk, "\n".join(rows))
        assert counts(done) == (11, 3, 0, 0, 8)
        assert await errors_of(desk, done) == [
            (3, "email"),
            (4, "phone"),
            (5, "phone"),
            (6, "email"),
            (7, ""),
            (8, "id"),
            (9, "id"),
            (10, ""),
        ]
        names = {contact["name"] for contact in await everybody(desk)}
        assert names == {"Twin 1", "Twin 2", "Good", "Multi\nline", "Fewer cells"}

    async def test_a_dry_run_reports_and_keeps_nothing(self, desk: Desk) -> None:
        known = await desk.call(create_contact, name="Anna", emails=["a@example.com"])
        csv = "name,email\nOther,a@example.com\nBình,b@example.com\nChi,nobody\n"
        done = await imported(desk, csv, dry_run=True, tags=["new"])
        assert counts(done) == (3, 1, 1, 0, 1)
        assert await errors_of(desk, done) == [(4, "email")]
        assert await everybody(desk) == [known]

    async def test_an_uploaded_file_is_read_from_the_storage(self, desk: Desk) -> None:
        key = await upload(desk, "name\tphone\nHồng\t+84901234567\n".encode("utf-16"))
        started = await desk.call(start_import, storage_key=key)
        await work(desk)
        done = await desk.call(get_import, import_id=started["id"])
        assert started["rows_total"] is None
        with pytest.raises(NotFound):
            await anext(desk.product.storage.read(key))
        assert counts(done) == (1, 1, 0, 0, 0)
        assert [contact["name"] for contact in await everybody(desk)] == ["Hồng"]

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"name\nH\xf4ng\n", "UTF-8"),
            (b"", "header"),
            (b"\n\n", "header"),
            (b"surname\nAnna\n", "columns"),
            (b'name\n"' + b"x" * 200_000 + b'"\n', "CSV"),
        ],
    )
    async def test_an_unreadable_upload_fails_with_words(
        self, desk: Desk, content: bytes, words: str
    ) -> None:
        started = await desk.call(start_import, storage_key=await upload(desk, content))
        await work(desk)
        done = await desk.call(get_import, import_id=started["id"])
        assert done["state"] == "failed"
        assert words in done["error"]
        assert done["finished_at"] is not None

    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"csv": "surname\nAnna"},
            {"csv": ""},
            {"csv": "name\nAnna", "columns": [{"column": "email", "to": "email"}]},
            {"csv": "name\nAnna", "columns": [{"column": "name", "to": "password"}]},
            {"csv": "name\nAnna", "storage_key": "x"},
            {"storage_key": "elsewhere/imports/x"},
        ],
    )
    async def test_odd_requests_are_refused_at_once(self, desk: Desk, arguments: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput):
            await desk.call(start_import, **arguments)

    async def test_files_that_were_uploaded_for_something_else_are_not_read(self, desk: Desk) -> None:
        workspace = desk.caller.workspace_id
        for key in (f"{workspace}/attachments/x", f"{workspace}/imports/../attachments/x"):
            with pytest.raises(InvalidInput):
                await desk.call(start_import, storage_key=key)

    async def test_an_unknown_field_is_named(self, desk: Desk) -> None:
        with pytest.raises(UnknownField, match="size"):
            await desk.call(start_import, csv="name,fields.size\nAnna,1")

    async def test_a_limited_caller_may_not(self, desk: Desk) -> None:
        limited = desk.caller_with("contacts:write", inbox_ids=frozenset({new_id()}))
        with pytest.raises(Forbidden):
            await desk.call(start_import, as_=limited, csv="name\nAnna")


class TestGetImport:
    async def test_another_workspaces_import_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        started = await stranger.call(start_import, csv="name\nAnna")
        with pytest.raises(ImportNotFound):
            await desk.call(get_import, import_id=started["id"])

    async def test_the_file_is_forgotten_at_the_end(self, desk: Desk) -> None:
        done = await imported(desk, "name\nAnna")
        async with desk.product.database.transaction() as unit:
            row = await unit.connection.fetchrow(
                "select content from contact_imports where id = $1", done["id"]
            )
        assert row is not None
        assert row["content"] is None


class TestListImports:
    async def test_newest_first(self, desk: Desk) -> None:
        for name in ("one.csv", "two.csv"):
            await desk.call(start_import, name=name, csv="name\nAnna")
        page = await desk.call(list_imports, limit=1)
        rest = await desk.call(list_imports, cursor=page["next_cursor"])
        assert [each["name"] for each in page["items"] + rest["items"]] == ["two.csv", "one.csv"]


class TestCancelImport:
    async def test_nothing_more_is_taken(self, desk: Desk) -> None:
        started = await desk.call(start_import, csv="name\nAnna")
        cancelled = await desk.call(cancel_import, import_id=started["id"])
        await work(desk)
        assert cancelled["state"] == "cancelled"
        assert await everybody(desk) == []

    async def test_an_ended_one_stays_as_it_is(self, desk: Desk) -> None:
        done = await imported(desk, "name\nAnna")
        assert await desk.call(cancel_import, import_id=done["id"]) == done


class TestListImportErrors:
    async def test_in_order_of_rows_page_by_page(self, desk: Desk) -> None:
        rows = "\n".join(["email"] + ["nobody"] * 5)
        done = await imported(desk, rows)
        seen: list[int] = []
        cursor = None
        while True:
            page = await desk.call(list_import_errors, import_id=done["id"], limit=2, cursor=cursor)
            seen += [error["row"] for error in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == [2, 3, 4, 5, 6]


WORKER = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from chatwright.features.contacts.imports.jobs import import_ledger
from chatwright.infra.claimer import Claimer
from chatwright.infra.database import PoolDatabase, open_pool
from chatwright.infra.signals import PostgresSignals
from chatwright.infra.storage import FolderStorage

async def main(dsn):
    signals = PostgresSignals(dsn)
    async with await open_pool(dsn, size=2) as pool:
        ledger = replace(import_ledger(FolderStorage(Path("."))), lease_seconds=1.0)
        claimer = Claimer(PoolDatabase(pool, signals), signals, ledger)
        while True:
            if not await claimer.run_once():
                await asyncio.sleep(0.05)

asyncio.run(main(sys.argv[1]))
"""


class TestCrash:
    async def test_killed_between_and_in_its_rows_an_import_takes_each_once(self, desk: Desk) -> None:
        total = 4 * CHUNK + 7
        csv = "\n".join(["name,email", *(f"N{number},n{number}@example.com" for number in range(total))])
        started = await desk.call(start_import, csv=csv)

        async def rows_done() -> int:
            return (await desk.call(get_import, import_id=started["id"]))["rows_done"]

        for _ in range(2):
            before = await rows_done()
            worker = await asyncio.create_subprocess_exec(
                sys.executable, "-c", WORKER, str(desk.product.settings.database_url)
            )
            while await rows_done() == before:
                await asyncio.sleep(0.02)
            os.kill(worker.pid, signal.SIGKILL)
            await worker.wait()
        assert await rows_done() < total
        await asyncio.sleep(1.1)
        await work(desk)
        done = await desk.call(get_import, import_id=started["id"])
        assert counts(done) == (total, total, 0, 0, 0)
        names = sorted(contact["name"] for contact in await everybody(desk))
        assert names == sorted(f"N{number}" for number in range(total))
        kinds = [kind for kind, _ in await events_of(desk)]
        assert kinds.count("contact.created") == total
        assert kinds.count("import.progressed") == 4
        assert kinds.count("import.finished") == 1

    async def test_one_that_cannot_be_worked_is_given_up_and_announced(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_: str) -> None:
            message = "a defect of ours"
            raise RuntimeError(message)

        monkeypatch.setattr(jobs, "read_sheet", broken)
        started = await desk.call(start_import, csv="name\nAnn\n")
        product = desk.product
        ledger = replace(import_ledger(product.storage), max_attempts=1)
        while await Claimer(product.database, product.signals, ledger).run_once():
            pass
        done = await desk.call(get_import, import_id=started["id"])
        assert done["state"] == "failed"
        assert done["error"] == "Something went wrong on our side."
        assert ("import.failed", UUID(started["id"])) in await events_of(desk)
