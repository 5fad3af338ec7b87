"""The verbs about exports."""

import csv
import io
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chatwright.features.contacts.errors import ExportNotFound, SegmentNotFound, UnknownField
from chatwright.features.contacts.exports.jobs import PAGE, export_ledger
from chatwright.features.contacts.exports.operations import (
    download_export,
    get_export,
    list_exports,
    start_export,
)
from chatwright.features.contacts.fields.operations import create_field
from chatwright.features.contacts.identities import recognise
from chatwright.features.contacts.operations import block_contact, create_contact, find_contacts
from chatwright.features.contacts.segments.operations import create_segment
from chatwright.infra.claimer import Claimer
from chatwright.kernel.caller import Caller
from chatwright.kernel.ids import new_id
from chatwright.ports.inbound import Person
from tests.conftest import Desk
from tests.features.contacts.test_identities import events_of
from tests.features.contacts.test_imports import counts, imported
from tests.features.messaging.paper import paper_inbox

VIP = {"type": "tag", "operator": "any_of", "tags": ["vip"]}


async def exported(desk: Desk, as_: Caller | None = None, **arguments: Any) -> str:
    """The text of a finished export."""
    started = await desk.call(start_export, as_=as_, **arguments)
    product = desk.product
    claimer = Claimer(product.database, product.signals, export_ledger(product.storage))
    while await claimer.run_once():
        pass
    done = await desk.call(get_export, as_=as_, export_id=started["id"])
    file = await desk.call(download_export, as_=as_, export_id=started["id"])
    content = b"".join([piece async for piece in product.storage.read(file["storage_key"])])
    assert file["size"] == len(content)
    text = content.decode()
    assert done["state"] == "done"
    assert (done["rows"], done["size"]) == (len(table(text)), len(content))
    return text


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def names(text: str) -> list[str]:
    return [row["name"] for row in table(text)]


class TestStartExport:
    async def test_everything_people_know_of_a_contact(self, desk: Desk, stranger: Desk) -> None:
        await stranger.call(create_contact, name="Stranger")
        await desk.call(create_field, key="member", kind="boolean")
        made = await desk.call(
            create_contact,
            name='Đặng, "Hồng"',
            emails=["a@example.com", "b@example.com"],
            phones=["+84901234567"],
            tags=["vip", "mới"],
            fields={"member": True},
        )
        await desk.call(block_contact, contact_id=made["id"])
        (row,) = table(await exported(desk))
        assert row == {
            "id": made["id"],
            "name": 'Đặng, "Hồng"',
            "first_name": "",
            "last_name": "",
            "email": "a@example.com; b@example.com",
            "phone": "'+84901234567",
            "locale": "",
            "timezone": "",
            "tags": "mới; vip",
            "fields.member": "true",
            "blocked": "true",
            "created_at": row["created_at"],
        }

    async def test_no_cell_runs_as_a_formula(self, desk: Desk) -> None:
        formulas = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "'=1", "O'Neil"]
        for formula in formulas:
            await desk.call(create_contact, name=formula)
        shown = names(await exported(desk))
        assert shown == ["O'Neil", "''=1", "'@SUM(A1)", "'-2+3", "'+cmd", "'=1+1"]

    async def test_what_goes_out_comes_back_unchanged(self, desk: Desk) -> None:
        await desk.call(create_field, key="size", kind="number")
        await desk.call(create_field, key="seen", kind="datetime")
        for formula in ("=1+1", "'=1", "Đặng\nHồng"):
            await desk.call(
                create_contact,
                name=formula,
                phones=["+84901234567"],
                fields={"size": -1.5, "seen": "2026-11-30T00:00:00Z"},
                tags=["-minus", "b"],
            )
        before = (await desk.call(find_contacts))["items"]
        done = await imported(desk, await exported(desk))
        assert counts(done) == (3, 0, 3, 0, 0)
        assert (await desk.call(find_contacts))["items"] == before

    async def test_only_a_segment_or_a_filter(self, desk: Desk) -> None:
        for name, tags in (("Anna", ["vip"]), ("Bình", ["vip", "old"]), ("Chi", ["old"])):
            await desk.call(create_contact, name=name, tags=tags)
        segment = await desk.call(create_segment, name="VIP", filter=VIP)
        old = {"type": "tag", "operator": "any_of", "tags": ["old"]}
        assert names(await exported(desk, segment_id=segment["id"])) == ["Bình", "Anna"]
        assert names(await exported(desk, filter=old)) == ["Chi", "Bình"]
        assert names(await exported(desk, segment_id=segment["id"], filter=old)) == ["Bình"]

    async def test_more_than_one_page(self, desk: Desk) -> None:
        total = PAGE + 3
        async with desk.product.database.transaction():
            for number in range(total):
                person = Person({"visitor": str(number)}, name=f"N{number}")
                await recognise(desk.caller.workspace_id, new_id(), person)
        assert sorted(names(await exported(desk))) == sorted(f"N{number}" for number in range(total))
        # After each page it says how far it is.
        told = [kind for kind, _ in await events_of(desk) if kind.startswith("export.")]
        assert told == ["export.started", *["export.progressed"] * 2, "export.finished"]

    async def test_a_limited_caller_gets_its_inboxes_contacts(self, desk: Desk) -> None:
        mine = await paper_inbox(desk)
        for name, inbox in (("Mine", mine), ("Theirs", await paper_inbox(desk))):
            identity = {"inbox_id": str(inbox), "kind": "visitor", "value": "v1"}
            await desk.call(create_contact, name=name, identities=[identity])
        limited = desk.caller_with("contacts:write", inbox_ids=frozenset({mine}))
        assert names(await exported(desk, as_=limited)) == ["Mine"]

    async def test_an_unknown_segment_or_field_is_named(self, desk: Desk) -> None:
        with pytest.raises(SegmentNotFound):
            await desk.call(start_export, segment_id=str(new_id()))
        condition = {"type": "text", "field": "fields.city", "operator": "is_set"}
        with pytest.raises(UnknownField):
            await desk.call(start_export, filter=condition)


class TestGetExport:
    async def test_another_workspaces_export_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        started = await stranger.call(start_export)
        with pytest.raises(ExportNotFound):
            await desk.call(get_export, export_id=started["id"])

    async def test_a_limited_caller_does_not_find_larger_ones(self, desk: Desk) -> None:
        started = await desk.call(start_export)
        limited = desk.caller_with("contacts:read", inbox_ids=frozenset({new_id()}))
        with pytest.raises(ExportNotFound):
            await desk.call(get_export, as_=limited, export_id=started["id"])


class TestListExports:
    async def test_newest_first(self, desk: Desk) -> None:
        started = [(await desk.call(start_export))["id"] for _ in range(2)]
        listed = (await desk.call(list_exports))["items"]
        assert [each["id"] for each in listed] == started[::-1]


class TestDownloadExport:
    async def test_there_is_no_file_before_the_end(self, desk: Desk) -> None:
        started = await desk.call(start_export)
        with pytest.raises(ExportNotFound):
            await desk.call(download_export, export_id=started["id"])


class TestFailure:
    async def test_that_an_export_was_given_up_is_announced(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def full(*_: object, **__: object) -> int:
            message = "no space left"
            raise OSError(message)

        product = desk.product
        monkeypatch.setattr(type(product.storage), "put", full)
        started = await desk.call(start_export)
        ledger = replace(export_ledger(product.storage), max_attempts=1)
        while await Claimer(product.database, product.signals, ledger).run_once():
            pass
        assert (await desk.call(get_export, export_id=started["id"]))["state"] == "failed"
        assert ("export.failed", UUID(started["id"])) in await events_of(desk)
