"""The verbs about notes."""

import pytest

from chatwright.features.contacts.errors import ContactNotFound, NoteNotFound
from chatwright.features.contacts.notes.operations import add_note, delete_note, list_notes, update_note
from chatwright.features.contacts.operations import create_contact
from chatwright.kernel.errors import InvalidInput
from chatwright.kernel.ids import new_id
from tests.conftest import Desk


async def noted(desk: Desk, text: str = "Likes tea") -> dict[str, str]:
    contact = await desk.call(create_contact)
    return await desk.call(add_note, contact_id=contact["id"], text=text)


class TestAddNote:
    async def test_it_says_who_wrote_it(self, desk: Desk) -> None:
        note = await noted(desk)
        assert (note["text"], note["author"]) == ("Likes tea", "Owner")

    async def test_an_empty_one_is_refused(self, desk: Desk) -> None:
        with pytest.raises(InvalidInput):
            await noted(desk, "  ")


class TestListNotes:
    async def test_oldest_first(self, desk: Desk) -> None:
        note = await noted(desk, "1")
        await desk.call(add_note, contact_id=note["contact_id"], text="2")
        listed = await desk.call(list_notes, contact_id=note["contact_id"])
        assert [each["text"] for each in listed["items"]] == ["1", "2"]

    async def test_another_workspaces_contact_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        note = await noted(stranger)
        with pytest.raises(ContactNotFound):
            await desk.call(list_notes, contact_id=note["contact_id"])


class TestUpdateNote:
    async def test_the_author_stays(self, desk: Desk) -> None:
        note = await noted(desk)
        changed = await desk.call(update_note, note_id=note["id"], text="Likes coffee")
        assert (changed["text"], changed["author"]) == ("Likes coffee", "Owner")

    async def test_a_limited_caller_does_not_find_notes_of_contacts_elsewhere(self, desk: Desk) -> None:
        note = await noted(desk)
        limited = desk.caller_with("contacts:write", inbox_ids=frozenset({new_id()}))
        with pytest.raises(NoteNotFound):
            await desk.call(update_note, as_=limited, note_id=note["id"], text="x")


class TestDeleteNote:
    async def test_it_is_gone(self, desk: Desk) -> None:
        note = await noted(desk)
        await desk.call(delete_note, note_id=note["id"])
        with pytest.raises(NoteNotFound):
            await desk.call(delete_note, note_id=note["id"])

    async def test_another_workspaces_note_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        note = await noted(stranger)
        with pytest.raises(NoteNotFound):
            await desk.call(delete_note, note_id=note["id"])
