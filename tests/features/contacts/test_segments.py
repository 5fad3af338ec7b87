"""The verbs about segments, and filtering without keeping one."""

from typing import Any

import pytest

from chatwright.features.contacts.errors import (
    FieldMismatch,
    SegmentNotFound,
    UnknownField,
)
from chatwright.features.contacts.fields.operations import create_field
from chatwright.features.contacts.operations import create_contact, filter_contacts, find_contacts
from chatwright.features.contacts.segments.operations import (
    count_segment,
    create_segment,
    delete_segment,
    get_segment,
    list_segment_contacts,
    list_segments,
    preview_segment,
    update_segment,
)
from chatwright.features.messaging.inboxes.operations import delete_inbox
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.errors import InvalidInput
from chatwright.kernel.ids import new_id
from tests.conftest import Desk
from tests.features.messaging.paper import paper_inbox

VIP = {"type": "tag", "operator": "any_of", "tags": ["vip"]}
HUE = {"type": "text", "field": "fields.city", "operator": "equals", "value": "hue"}


def both(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "and", "filters": list(filters)}


def known_in(*inbox_ids: object) -> dict[str, Any]:
    return {"type": "inbox", "operator": "any_of", "inbox_ids": [str(inbox_id) for inbox_id in inbox_ids]}


def neither(inner: dict[str, Any]) -> dict[str, Any]:
    return {"type": "not", "filter": inner}


def names(page: dict[str, Any]) -> list[str]:
    return [contact["name"] for contact in page["items"]]


async def three_contacts(desk: Desk) -> None:
    await desk.call(create_field, key="city", kind="text")
    await desk.call(create_contact, name="Anna", tags=["VIP"], fields={"city": "Huế"})
    await desk.call(create_contact, name="Bình", tags=["VIP"])
    await desk.call(create_contact, name="Chi", fields={"city": "HUE"})


class TestFilterContacts:
    async def test_nested_conditions(self, desk: Desk, stranger: Desk) -> None:
        await three_contacts(desk)
        await three_contacts(stranger)
        assert names(await desk.call(filter_contacts, filter=both(VIP, HUE))) == ["Anna"]
        assert names(await desk.call(filter_contacts, filter=both(VIP, neither(HUE)))) == ["Bình"]
        assert names(await desk.call(filter_contacts, filter={"type": "or", "filters": [VIP, HUE]})) == [
            "Chi",
            "Bình",
            "Anna",
        ]

    async def test_an_unknown_field_is_named(self, desk: Desk) -> None:
        with pytest.raises(UnknownField, match="city"):
            await desk.call(filter_contacts, filter=neither(HUE))

    async def test_a_condition_has_to_fit_the_field(self, desk: Desk) -> None:
        await desk.call(create_field, key="city", kind="number")
        with pytest.raises(FieldMismatch, match="number"):
            await desk.call(filter_contacts, filter=HUE)

    @pytest.mark.parametrize(
        "conditions",
        [
            {"type": "text", "field": "name", "operator": "equals"},
            {"type": "text", "field": "name", "operator": "is_set", "value": "x"},
            {"type": "text", "field": "name", "operator": "contains", "value": "nul\x00"},
            {"type": "number", "field": "fields.a", "operator": "between", "value": 1},
            {"type": "number", "field": "fields.a", "operator": "equals", "to": 1},
            {"type": "number", "field": "fields.a", "operator": "equals", "value": 10**40},
            {"type": "number", "field": "name", "operator": "equals", "value": 1},
            {"type": "datetime", "field": "created_at", "operator": "in_last_days"},
            {"type": "datetime", "field": "created_at", "operator": "before", "value": "2026-01-01T00:00:00"},
            {"type": "text", "field": "fields.a'; drop", "operator": "is_set"},
            {"type": "and", "filters": []},
            {"type": "xor", "filters": [VIP]},
        ],
    )
    async def test_odd_conditions_are_refused(self, desk: Desk, conditions: dict[str, Any]) -> None:
        with pytest.raises(InvalidInput):
            await desk.call(filter_contacts, filter=conditions)

    async def test_depth_and_size_are_limited(self, desk: Desk) -> None:
        deep = VIP
        for _ in range(8):
            deep = neither(deep)
        with pytest.raises(InvalidInput, match="deep"):
            await desk.call(filter_contacts, filter=deep)
        with pytest.raises(InvalidInput, match="conditions"):
            await desk.call(filter_contacts, filter=both(*[both(*[VIP] * 34)] * 3))

    async def test_very_deep_ones_do_not_crash(self, desk: Desk) -> None:
        deep = VIP
        for _ in range(500):
            deep = neither(deep)
        with pytest.raises(InvalidInput):
            await desk.call(filter_contacts, filter=deep)

    async def test_a_limited_caller_asks_about_its_inboxes_only(self, desk: Desk) -> None:
        limited = desk.caller_with("contacts:read", inbox_ids=frozenset({new_id()}))
        elsewhere = known_in(await paper_inbox(desk))
        with pytest.raises(InboxNotFound):
            await desk.call(filter_contacts, as_=limited, filter=neither(elsewhere))


class TestInboxesInFilters:
    async def test_unknown_and_foreign_ones_are_refused_alike(self, desk: Desk, stranger: Desk) -> None:
        own, foreign = await paper_inbox(desk), await paper_inbox(stranger)
        await desk.call(preview_segment, filter=known_in(own))
        for strange in (foreign, new_id()):
            for call in (preview_segment, filter_contacts):
                with pytest.raises(InboxNotFound, match=f"no inbox {strange} in"):
                    await desk.call(call, filter=neither(known_in(own, strange)))
            with pytest.raises(InboxNotFound):
                await desk.call(create_segment, name="Theirs", filter=known_in(strange))

    async def test_contacts_of_a_disconnected_one_can_still_be_asked_for(self, desk: Desk) -> None:
        inbox = await paper_inbox(desk)
        identity = {"inbox_id": str(inbox), "kind": "visitor", "value": "v1"}
        await desk.call(create_contact, name="Anna", identities=[identity])
        made = await desk.call(create_segment, name="Letters", filter=known_in(inbox))
        await desk.call(delete_inbox, inbox_id=str(inbox))
        assert names(await desk.call(list_segment_contacts, segment_id=made["id"])) == ["Anna"]
        changed = await desk.call(update_segment, segment_id=made["id"], filter=neither(known_in(inbox)))
        assert names(await desk.call(list_segment_contacts, segment_id=changed["id"])) == []


class TestCreateSegment:
    async def test_the_filter_comes_back_as_it_went_in(self, desk: Desk) -> None:
        await desk.call(create_field, key="city", kind="text")
        made = await desk.call(create_segment, name="Huế", filter=both(VIP, HUE))
        assert made == await desk.call(get_segment, segment_id=made["id"])
        assert made["filter"]["filters"][0] == VIP

    async def test_an_unknown_field_is_refused(self, desk: Desk) -> None:
        with pytest.raises(UnknownField):
            await desk.call(create_segment, name="Huế", filter=HUE)


class TestGetSegment:
    async def test_another_workspaces_segment_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        made = await stranger.call(create_segment, name="VIP", filter=VIP)
        with pytest.raises(SegmentNotFound):
            await desk.call(get_segment, segment_id=made["id"])


class TestListSegments:
    async def test_only_this_workspaces(self, desk: Desk, stranger: Desk) -> None:
        await stranger.call(create_segment, name="Theirs", filter=VIP)
        await desk.call(create_segment, name="Ours", filter=VIP)
        assert names(await desk.call(list_segments)) == ["Ours"]


class TestUpdateSegment:
    async def test_what_is_left_out_stays(self, desk: Desk) -> None:
        made = await desk.call(create_segment, name="VIP", filter=VIP)
        renamed = await desk.call(update_segment, segment_id=made["id"], name="Very important")
        changed = await desk.call(update_segment, segment_id=made["id"], filter=neither(VIP))
        assert renamed["filter"] == made["filter"]
        assert (changed["name"], changed["filter"]["type"]) == ("Very important", "not")

    async def test_another_workspaces_segment_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        made = await stranger.call(create_segment, name="VIP", filter=VIP)
        with pytest.raises(SegmentNotFound):
            await desk.call(update_segment, segment_id=made["id"], name="Mine")


class TestDeleteSegment:
    async def test_the_contacts_stay(self, desk: Desk) -> None:
        await three_contacts(desk)
        made = await desk.call(create_segment, name="VIP", filter=VIP)
        await desk.call(delete_segment, segment_id=made["id"])
        with pytest.raises(SegmentNotFound):
            await desk.call(count_segment, segment_id=made["id"])
        assert len((await desk.call(find_contacts))["items"]) == 3


class TestPreviewSegment:
    async def test_everybody_is_counted_and_a_few_are_shown(self, desk: Desk) -> None:
        for number in range(7):
            await desk.call(create_contact, name=str(number), tags=["vip"])
        await desk.call(create_contact, name="other")
        preview = await desk.call(preview_segment, filter=VIP)
        assert preview["count"] == 7
        assert [contact["name"] for contact in preview["sample"]] == ["6", "5", "4", "3", "2"]


class TestCountSegment:
    async def test_it_counts_whom_the_caller_may_see(self, desk: Desk) -> None:
        inbox = await paper_inbox(desk)
        known = {"inbox_id": str(inbox), "kind": "visitor", "value": "v1"}
        await desk.call(create_contact, tags=["vip"], identities=[known])
        await desk.call(create_contact, tags=["vip"])
        made = await desk.call(create_segment, name="VIP", filter=VIP)
        limited = desk.caller_with("contacts:read", inbox_ids=frozenset({inbox}))
        assert await desk.call(count_segment, segment_id=made["id"]) == {"count": 2}
        assert await desk.call(count_segment, as_=limited, segment_id=made["id"]) == {"count": 1}


class TestListSegmentContacts:
    async def test_it_follows_the_contacts(self, desk: Desk) -> None:
        made = await desk.call(create_segment, name="VIP", filter=VIP)
        await three_contacts(desk)
        assert names(await desk.call(list_segment_contacts, segment_id=made["id"])) == ["Bình", "Anna"]
        assert names(await desk.call(find_contacts, segment_id=made["id"], query="an")) == ["Anna"]
