"""Who wrote: one contact for one person, whatever comes in at once."""

import asyncio
from uuid import UUID

import pytest

from chatwright.features.contacts.errors import ContactNotFound
from chatwright.features.contacts.identities import find_contact, is_blocked, recognise
from chatwright.features.contacts.merges.operations import merge_contacts
from chatwright.features.contacts.models import Contact
from chatwright.features.contacts.operations import block_contact
from chatwright.kernel.errors import InvalidInput
from chatwright.kernel.ids import new_id
from chatwright.ports.inbound import Person
from tests.conftest import Desk

INBOX = new_id()


async def meet(desk: Desk, person: Person, inbox_id: UUID = INBOX) -> UUID:
    async with desk.product.database.transaction():
        return await recognise(desk.caller.workspace_id, inbox_id, person)


async def look(desk: Desk, contact_id: UUID) -> Contact:
    async with desk.product.database.transaction():
        return await find_contact(desk.caller.workspace_id, contact_id)


async def events_of(desk: Desk) -> list[tuple[str, UUID]]:
    """The workspace's events from their table: the log's reader waits for other tests' open transactions."""
    async with desk.product.database.transaction() as unit:
        rows = await unit.connection.fetch(
            "select kind, subject_id from event_log where workspace_id = $1 order by id",
            desk.caller.workspace_id,
        )
    return [(row["kind"], row["subject_id"]) for row in rows]


class TestRecognise:
    async def test_somebody_new_becomes_a_contact(self, desk: Desk) -> None:
        person = Person(
            {"wa_id": "84901234567"}, name="Đặng Hồng", email="Hong@Example.com", phone="84901234567"
        )
        contact_id = await meet(desk, person)
        contact = await look(desk, contact_id)
        assert contact.name == "Đặng Hồng"
        assert contact.emails == ["hong@example.com"]
        assert contact.phones == ["+84901234567"]
        assert [(i.inbox_id, i.kind, i.value) for i in contact.identities] == [
            (INBOX, "wa_id", "84901234567")
        ]
        assert not contact.blocked

    async def test_any_identity_finds_the_contact_and_new_ones_are_learned(self, desk: Desk) -> None:
        first = await meet(desk, Person({"visitor": "v1"}))
        same = await meet(desk, Person({"visitor": "v1", "user": "u7"}))
        later = await meet(desk, Person({"user": "u7"}))
        assert first == same == later
        assert [i.value for i in (await look(desk, first)).identities] == ["v1", "u7"]

    async def test_the_same_name_in_another_inbox_or_workspace_is_somebody_else(
        self, desk: Desk, stranger: Desk
    ) -> None:
        person = Person({"visitor": "v1"})
        met = {await meet(desk, person), await meet(desk, person, new_id()), await meet(stranger, person)}
        assert len(met) == 3

    async def test_gaps_are_filled_and_nothing_is_overwritten(self, desk: Desk) -> None:
        contact_id = await meet(desk, Person({"visitor": "v1"}, name="Anna"))
        await meet(desk, Person({"visitor": "v1"}, name="Somebody", email="anna@example.com", locale="vi"))
        contact = await look(desk, contact_id)
        assert (contact.name, contact.emails, contact.locale) == ("Anna", ["anna@example.com"], "vi")

    async def test_what_cannot_be_kept_is_left_out(self, desk: Desk) -> None:
        person = Person({"visitor": "v\x001"}, name="A\x00nna" + "a" * 300, email="nonsense", phone="call me")
        contact = await look(desk, await meet(desk, person))
        assert contact.name is not None
        assert contact.name.startswith("Annaa")
        assert len(contact.name) == 200
        assert (contact.emails, contact.phones) == ([], [])

    async def test_two_long_names_with_the_same_beginning_stay_two_people(self, desk: Desk) -> None:
        assert await meet(desk, Person({"id": "x" * 600 + "1"})) != await meet(
            desk, Person({"id": "x" * 600 + "2"})
        )

    async def test_somebody_without_any_name_is_refused(self, desk: Desk) -> None:
        with pytest.raises(InvalidInput):
            await meet(desk, Person({"visitor": "\x00 "}))

    async def test_first_messages_at_once_give_one_contact(self, desk: Desk) -> None:
        orders = [{"visitor": "v1", "user": "u1"}, {"user": "u1", "visitor": "v1"}, {"user": "u1"}] * 4
        met = await asyncio.gather(*(meet(desk, Person(order)) for order in orders))
        kinds = [kind for kind, _ in await events_of(desk)]
        assert kinds.count("contact.created") == 1
        assert len(set(met)) == 1

    async def test_only_news_is_announced(self, desk: Desk) -> None:
        person = Person({"visitor": "v1"}, name="Anna")
        contact_id = await meet(desk, person)
        await meet(desk, person)
        await meet(desk, Person({"visitor": "v1"}, email="anna@example.com"))
        assert await events_of(desk) == [("contact.created", contact_id), ("contact.updated", contact_id)]


class TestFindContact:
    async def test_another_workspaces_contact_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        contact_id = await meet(stranger, Person({"visitor": "v1"}))
        with pytest.raises(ContactNotFound):
            await look(desk, contact_id)


class TestIsBlocked:
    async def blocked(self, desk: Desk, contact_id: UUID) -> bool:
        async with desk.product.database.transaction():
            return await is_blocked(desk.caller.workspace_id, contact_id)

    async def test_from_the_block_on(self, desk: Desk) -> None:
        contact_id = await meet(desk, Person({"visitor": "v1"}))
        assert not await self.blocked(desk, contact_id)
        await desk.call(block_contact, contact_id=str(contact_id))
        assert await self.blocked(desk, contact_id)

    async def test_a_merged_contact_is_as_the_one_that_stays(self, desk: Desk) -> None:
        stays, goes = [await meet(desk, Person({"visitor": name})) for name in ("v1", "v2")]
        await desk.call(merge_contacts, contact_id=str(stays), duplicate_id=str(goes))
        await desk.call(block_contact, contact_id=str(stays))
        assert await self.blocked(desk, goes)

    async def test_nobody_is_not(self, desk: Desk) -> None:
        assert not await self.blocked(desk, new_id())
