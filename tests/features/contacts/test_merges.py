"""The verbs about merges."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from chatwright.features.contacts.errors import ContactNotFound, MergeImpossible, MergeNotFound
from chatwright.features.contacts.fields.operations import create_field, delete_field, list_fields
from chatwright.features.contacts.identities import names_of
from chatwright.features.contacts.merges.operations import list_merges, merge_contacts, undo_merge
from chatwright.features.contacts.notes.operations import add_note, list_notes
from chatwright.features.contacts.operations import (
    block_contact,
    create_contact,
    delete_contact,
    find_contacts,
    get_contact,
    record_consent,
    unblock_contact,
    update_contact,
    upsert_contact,
)
from chatwright.kernel.errors import Forbidden
from chatwright.ports.inbound import Person
from tests.conftest import Desk
from tests.features.contacts.test_identities import events_of, meet
from tests.features.messaging.paper import paper_inbox


async def rich_pair(desk: Desk) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two contacts that overlap in everything a contact has."""
    await desk.call(create_field, key="city", kind="text")
    await desk.call(create_field, key="size", kind="number")

    inbox = await paper_inbox(desk)

    def key(value: str) -> dict[str, str]:
        return {"inbox_id": str(inbox), "kind": "visitor", "value": value}

    one = await desk.call(
        create_contact,
        name="Anna",
        emails=["anna@example.com"],
        phones=["+84901234567"],
        fields={"city": "Huế"},
        tags=["both", "one"],
        identities=[key("v1")],
    )
    two = await desk.call(
        create_contact,
        name="Anna L.",
        last_name="Lê",
        emails=["le@example.com", "anna@example.com"],
        locale="vi",
        fields={"city": "Hà Nội", "size": 38},
        tags=["both", "two"],
        identities=[key("v2")],
    )
    for contact, state in ((one, "opted_in"), (two, "opted_out")):
        await desk.call(add_note, contact_id=contact["id"], text=f"About {contact['name']}")
        await desk.call(record_consent, contact_id=contact["id"], channel="email", state=state, source="test")
    await desk.call(block_contact, contact_id=two["id"])
    return await shown(desk, one), await shown(desk, two)


async def shown(desk: Desk, contact: dict[str, Any]) -> dict[str, Any]:
    return await desk.call(get_contact, contact_id=contact["id"])


async def noted(desk: Desk, contact: dict[str, Any]) -> list[str]:
    notes = await desk.call(list_notes, contact_id=contact["id"])
    return [note["text"] for note in notes["items"]]


async def writes(desk: Desk, contact: dict[str, Any], person: Person) -> UUID:
    """Somebody writes to an inbox that knows the contact; returns whom it takes them for."""
    return await meet(desk, person, UUID(contact["identities"][0]["inbox_id"]))


async def merged(desk: Desk, one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    return await desk.call(merge_contacts, contact_id=one["id"], duplicate_id=two["id"])


class TestMergeContacts:
    async def test_both_come_together(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        contact = (await merged(desk, one, two))["contact"]
        assert (contact["name"], contact["last_name"], contact["locale"]) == ("Anna", "Lê", "vi")
        assert contact["emails"] == ["anna@example.com", "le@example.com"]
        assert contact["fields"] == {"city": "Huế", "size": 38}
        assert contact["tags"] == ["both", "one", "two"]
        assert [identity["value"] for identity in contact["identities"]] == ["v1", "v2"]
        assert [consent["state"] for consent in contact["consents"]] == ["opted_out"]
        assert contact["blocked"]
        assert await noted(desk, contact) == ["About Anna", "About Anna L."]

    async def test_the_other_id_leads_to_the_one_that_stays(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        await merged(desk, one, two)
        assert (await shown(desk, two))["id"] == one["id"]
        assert [c["id"] for c in (await desk.call(find_contacts))["items"]] == [one["id"]]
        assert [c["id"] for c in (await desk.call(find_contacts, query="le"))["items"]] == [one["id"]]
        async with desk.product.database.transaction():
            names = await names_of(desk.caller.workspace_id, [UUID(two["id"])])
        assert names == {UUID(two["id"]): "Anna"}

    async def test_messages_of_either_reach_the_one_that_stays(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        await merged(desk, one, two)
        assert str(await writes(desk, two, Person({"visitor": "v2"}))) == one["id"]

    async def test_a_merged_contact_can_be_merged_on(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        three = await desk.call(create_contact, name="Third")
        await merged(desk, one, two)
        await merged(desk, three, one)
        assert (await shown(desk, two))["id"] == three["id"]

    async def test_not_with_itself(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        await merged(desk, one, two)
        with pytest.raises(MergeImpossible):
            await merged(desk, one, two)

    async def test_another_workspaces_contact_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        mine = await desk.call(create_contact)
        theirs = await stranger.call(create_contact)
        for one, two in ((mine, theirs), (theirs, mine)):
            with pytest.raises(ContactNotFound):
                await merged(desk, one, two)

    async def test_a_limited_caller_may_not(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        limited = desk.caller_with(
            "contacts:write", inbox_ids=frozenset({UUID(one["identities"][0]["inbox_id"])})
        )
        with pytest.raises(Forbidden):
            await desk.call(merge_contacts, as_=limited, contact_id=one["id"], duplicate_id=two["id"])

    async def test_two_opposite_merges_at_once_leave_one_contact(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        outcomes = await asyncio.gather(
            merged(desk, one, two), merged(desk, two, one), return_exceptions=True
        )
        assert sum(isinstance(outcome, MergeImpossible) for outcome in outcomes) == 1
        assert len((await desk.call(find_contacts))["items"]) == 1

    async def test_messages_meanwhile_lose_no_identity(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        people = [Person({"visitor": "v2", "user": f"u{number}"}) for number in range(8)]
        await asyncio.gather(merged(desk, one, two), *(writes(desk, two, person) for person in people))
        known = {identity["value"] for identity in (await shown(desk, one))["identities"]}
        assert known == {"v1", "v2", *(f"u{number}" for number in range(8))}

    async def test_deleting_the_contact_deletes_what_was_merged_into_it(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        merge = (await merged(desk, one, two))["merge"]
        await desk.call(delete_contact, contact_id=one["id"])
        with pytest.raises(ContactNotFound):
            await shown(desk, two)
        with pytest.raises(MergeNotFound):
            await desk.call(undo_merge, merge_id=merge["id"])


class TestUndoMerge:
    async def test_both_are_exactly_as_before(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        merge = (await merged(desk, one, two))["merge"]
        undone = await desk.call(undo_merge, merge_id=merge["id"])
        assert undone == {"contact": one, "restored": two}
        assert await noted(desk, one) == ["About Anna"]
        assert await noted(desk, two) == ["About Anna L."]
        assert str(await writes(desk, two, Person({"visitor": "v2"}))) == two["id"]
        assert [c["id"] for c in (await desk.call(find_contacts, query="le"))["items"]] == [two["id"]]

    async def test_what_was_changed_or_came_in_since_stays(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        merge = (await merged(desk, one, two))["merge"]
        await desk.call(
            update_contact,
            contact_id=one["id"],
            name="Anna Maria",
            emails=["anna@example.com", "le@example.com", "new@example.com"],
            fields={"city": "Đà Nẵng"},
        )
        await desk.call(unblock_contact, contact_id=one["id"])
        await writes(desk, two, Person({"visitor": "v1", "user": "u1"}))
        contact = (await desk.call(undo_merge, merge_id=merge["id"]))["contact"]
        assert (contact["name"], contact["last_name"], contact["locale"]) == ("Anna Maria", None, None)
        assert contact["emails"] == ["anna@example.com", "new@example.com"]
        assert contact["fields"] == {"city": "Đà Nẵng"}
        assert [identity["value"] for identity in contact["identities"]] == ["v1", "u1"]
        assert not contact["blocked"]
        assert (await shown(desk, two))["blocked"]

    async def test_merges_of_one_contact_come_apart_in_any_order(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        three = await desk.call(create_contact, emails=["three@example.com"], timezone="Asia/Ho_Chi_Minh")
        first = (await merged(desk, one, two))["merge"]
        second = (await merged(desk, one, three))["merge"]
        await desk.call(undo_merge, merge_id=first["id"])
        await desk.call(undo_merge, merge_id=second["id"])
        after = await shown(desk, one)
        assert after | {"updated_at": one["updated_at"]} == one
        assert (await shown(desk, two), await shown(desk, three)) == (two, three)

    async def test_a_chain_comes_apart_from_its_end(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        three = await desk.call(create_contact, name="Third")
        first = (await merged(desk, one, two))["merge"]
        second = (await merged(desk, three, one))["merge"]
        with pytest.raises(MergeImpossible):
            await desk.call(undo_merge, merge_id=first["id"])
        await desk.call(undo_merge, merge_id=second["id"])
        assert await desk.call(undo_merge, merge_id=first["id"]) == {"contact": one, "restored": two}

    async def test_values_of_a_field_deleted_since_do_not_come_back(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        merge = (await merged(desk, one, two))["merge"]
        for field in (await desk.call(list_fields))["items"]:
            await desk.call(delete_field, field_id=field["id"])
        undone = await desk.call(undo_merge, merge_id=merge["id"])
        assert undone["contact"]["fields"] == undone["restored"]["fields"] == {}

    async def test_only_once(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        merge = (await merged(desk, one, two))["merge"]
        await desk.call(undo_merge, merge_id=merge["id"])
        with pytest.raises(MergeImpossible):
            await desk.call(undo_merge, merge_id=merge["id"])

    async def test_another_workspaces_merge_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        merge = (await merged(stranger, *await rich_pair(stranger)))["merge"]
        with pytest.raises(MergeNotFound):
            await desk.call(undo_merge, merge_id=merge["id"])


class TestListMerges:
    async def test_undone_ones_stay_on_record(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        merge = (await merged(desk, one, two))["merge"]
        await desk.call(undo_merge, merge_id=merge["id"])
        (listed,) = (await desk.call(list_merges, contact_id=one["id"]))["items"]
        assert (listed["absorbed_id"], listed["merged_by"]) == (two["id"], "Owner")
        assert listed["undone_at"] is not None
        kinds = [kind for kind, subject in await events_of(desk) if str(subject) == one["id"]]
        assert kinds[-2:] == ["contact.merged", "contact.unmerged"]


class TestUpsertAfterMerge:
    async def test_it_finds_the_one_that_stays(self, desk: Desk) -> None:
        one, two = await rich_pair(desk)
        await merged(desk, one, two)
        upserted = await desk.call(upsert_contact, identity=two["identities"][0], name="Anna Lê")
        assert (upserted["created"], upserted["contact"]["id"]) == (False, one["id"])

    async def test_somebody_new_is_somebody_new(self, desk: Desk) -> None:
        identity = {"inbox_id": str(await paper_inbox(desk)), "kind": "visitor", "value": "v9"}
        assert (await desk.call(upsert_contact, identity=identity))["created"]
