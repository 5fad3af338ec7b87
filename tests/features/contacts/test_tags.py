"""The verbs about tags."""

import pytest

from chatwright.features.contacts.errors import TagExists, TagInUse
from chatwright.features.contacts.operations import create_contact, get_contact
from chatwright.features.contacts.segments.operations import create_segment
from chatwright.features.contacts.tags.operations import create_tag, delete_tag, list_tags, rename_tag
from chatwright.features.workspaces.errors import TagNotFound
from chatwright.kernel.errors import Forbidden
from chatwright.kernel.ids import new_id
from tests.conftest import Desk


async def use_in_segment(desk: Desk, tag: str) -> None:
    conditions = {
        "type": "not",
        "filter": {"type": "or", "filters": [{"type": "tag", "operator": "any_of", "tags": [tag]}]},
    }
    await desk.call(create_segment, name="Not them", filter=conditions)


class TestCreateTag:
    async def test_case_makes_no_difference(self, desk: Desk) -> None:
        await desk.call(create_tag, name="VIP")
        with pytest.raises(TagExists):
            await desk.call(create_tag, name="vip")

    async def test_accents_do_make_one(self, desk: Desk) -> None:
        await desk.call(create_tag, name="mua")
        assert (await desk.call(create_tag, name="mùa"))["name"] == "mùa"


class TestListTags:
    async def test_each_with_its_number_of_contacts(self, desk: Desk, stranger: Desk) -> None:
        await stranger.call(create_tag, name="theirs")
        await desk.call(create_tag, name="a")
        await desk.call(create_contact, tags=["a", "b"])
        await desk.call(create_contact, tags=["b"])
        listed = (await desk.call(list_tags))["items"]
        assert [(tag["name"], tag["contacts"]) for tag in listed] == [("a", 1), ("b", 2)]


class TestRenameTag:
    async def test_contacts_show_the_new_name(self, desk: Desk) -> None:
        contact = await desk.call(create_contact, tags=["old"])
        (tag,) = (await desk.call(list_tags))["items"]
        await desk.call(rename_tag, tag_id=tag["id"], name="new")
        assert (await desk.call(get_contact, contact_id=contact["id"]))["tags"] == ["new"]

    async def test_not_into_another_one(self, desk: Desk) -> None:
        await desk.call(create_tag, name="taken")
        tag = await desk.call(create_tag, name="free")
        with pytest.raises(TagExists):
            await desk.call(rename_tag, tag_id=tag["id"], name="TAKEN")

    async def test_a_tag_of_a_segment_changes_only_its_case(self, desk: Desk) -> None:
        tag = await desk.call(create_tag, name="vip")
        await use_in_segment(desk, "Vip")
        assert (await desk.call(rename_tag, tag_id=tag["id"], name="VIP"))["name"] == "VIP"
        with pytest.raises(TagInUse):
            await desk.call(rename_tag, tag_id=tag["id"], name="very important")

    async def test_a_limited_caller_may_not(self, desk: Desk) -> None:
        tag = await desk.call(create_tag, name="vip")
        limited = desk.caller_with("contacts:write", inbox_ids=frozenset({new_id()}))
        with pytest.raises(Forbidden):
            await desk.call(rename_tag, as_=limited, tag_id=tag["id"], name="x")


class TestDeleteTag:
    async def test_contacts_lose_it(self, desk: Desk) -> None:
        contact = await desk.call(create_contact, tags=["a", "b"])
        (tag,) = (tag for tag in (await desk.call(list_tags))["items"] if tag["name"] == "a")
        await desk.call(delete_tag, tag_id=tag["id"])
        assert (await desk.call(get_contact, contact_id=contact["id"]))["tags"] == ["b"]

    async def test_a_tag_of_a_segment_stays(self, desk: Desk) -> None:
        tag = await desk.call(create_tag, name="vip")
        await use_in_segment(desk, "VIP")
        with pytest.raises(TagInUse):
            await desk.call(delete_tag, tag_id=tag["id"])

    async def test_another_workspaces_tag_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        tag = await stranger.call(create_tag, name="vip")
        with pytest.raises(TagNotFound):
            await desk.call(delete_tag, tag_id=tag["id"])
