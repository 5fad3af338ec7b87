"""The verbs about custom fields, and what their values may be."""

import pytest

from chatwright.features.contacts.errors import FieldExists, FieldInUse, FieldNotFound
from chatwright.features.contacts.fields.operations import (
    create_field,
    delete_field,
    list_fields,
    update_field,
)
from chatwright.features.contacts.operations import create_contact, find_contacts, get_contact
from chatwright.features.contacts.segments.operations import create_segment
from chatwright.kernel.errors import InvalidInput
from tests.conftest import Desk


class TestCreateField:
    async def test_a_key_is_there_once(self, desk: Desk, stranger: Desk) -> None:
        made = await desk.call(create_field, key="shoe_size", kind="number")
        assert made["label"] == "Shoe size"
        await stranger.call(create_field, key="shoe_size", kind="text")
        with pytest.raises(FieldExists):
            await desk.call(create_field, key="shoe_size", kind="text")

    @pytest.mark.parametrize(("kind", "choices"), [("choice", []), ("text", ["a"]), ("choice", ["a", "A"])])
    async def test_choices_go_with_the_kind(self, desk: Desk, kind: str, choices: list[str]) -> None:
        with pytest.raises(InvalidInput) as caught:
            await desk.call(create_field, key="x", kind=kind, choices=choices)
        assert [field.path for field in caught.value.fields] == ["choices"]


class TestListFields:
    async def test_only_this_workspaces(self, desk: Desk, stranger: Desk) -> None:
        await stranger.call(create_field, key="theirs", kind="text")
        await desk.call(create_field, key="ours", kind="choice", choices=["a", "b"])
        (field,) = (await desk.call(list_fields))["items"]
        assert (field["key"], field["kind"], field["choices"]) == ("ours", "choice", ["a", "b"])


class TestUpdateField:
    async def test_given_values_outlive_their_choice(self, desk: Desk) -> None:
        field = await desk.call(create_field, key="plan", kind="choice", choices=["a", "b"])
        contact = await desk.call(create_contact, fields={"plan": "A"})
        changed = await desk.call(update_field, field_id=field["id"], label="Plan!", choices=["b", "c"])
        assert (changed["label"], changed["choices"]) == ("Plan!", ["b", "c"])
        assert (await desk.call(get_contact, contact_id=contact["id"]))["fields"] == {"plan": "a"}


class TestDeleteField:
    async def test_values_go_with_it(self, desk: Desk) -> None:
        field = await desk.call(create_field, key="city", kind="text")
        contact = await desk.call(create_contact, name="Anna", fields={"city": "Huế"})
        await desk.call(delete_field, field_id=field["id"])
        assert (await desk.call(get_contact, contact_id=contact["id"]))["fields"] == {}

    async def test_a_field_of_a_segment_stays(self, desk: Desk) -> None:
        field = await desk.call(create_field, key="city", kind="text")
        conditions = {"type": "text", "field": "fields.city", "operator": "is_set"}
        await desk.call(create_segment, name="Somewhere", filter=conditions)
        with pytest.raises(FieldInUse):
            await desk.call(delete_field, field_id=field["id"])

    async def test_another_workspaces_field_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        field = await stranger.call(create_field, key="city", kind="text")
        with pytest.raises(FieldNotFound):
            await desk.call(delete_field, field_id=field["id"])


class TestValues:
    @pytest.mark.parametrize(
        ("kind", "given", "kept"),
        [
            ("text", "  Huế ", "Huế"),
            ("number", 3, 3),
            ("number", "2.50", 2.5),
            ("number", "-7", -7),
            ("number", "1e3", 1000),
            ("boolean", False, False),
            ("boolean", "Yes", True),
            ("date", "2026-02-28", "2026-02-28"),
            ("datetime", "2026-11-30T09:00:00+07:00", "2026-11-30T02:00:00.000000+00:00"),
            ("datetime", "2026-11-30T02:00:00Z", "2026-11-30T02:00:00.000000+00:00"),
            ("email", "Anna@Example.com", "anna@example.com"),
            ("phone", "+84 901 234 567", "+84901234567"),
            ("url", "https://example.com/a?b=c", "https://example.com/a?b=c"),
            ("choice", "RED", "red"),
        ],
    )
    async def test_good_ones_are_kept_in_their_normal_form(
        self, desk: Desk, kind: str, given: object, kept: object
    ) -> None:
        await desk.call(create_field, key="x", kind=kind, choices=["red"] if kind == "choice" else [])
        made = await desk.call(create_contact, fields={"x": given})
        assert made["fields"] == {"x": kept}

    @pytest.mark.parametrize(
        ("kind", "given"),
        [
            ("text", ""),
            ("text", 5),
            ("text", "nul\x00"),
            ("number", "twelve"),
            ("number", True),
            ("number", "1_000"),
            ("number", "nan"),
            ("number", float("inf")),
            ("number", 10**16),
            ("number", 10**40),
            ("number", "9" * 5000),
            ("boolean", "perhaps"),
            ("boolean", 1),
            ("date", "2026-02-30"),
            ("date", "30.11.2026"),
            ("date", "20261130"),
            ("datetime", "2026-11-30T09:00:00"),
            ("datetime", "0001-01-01T00:00:00+10:00"),
            ("datetime", "soon"),
            ("email", "nobody"),
            ("phone", "0901234567"),
            ("phone", "8.49012E+11"),
            ("url", "javascript:alert(1)"),
            ("url", "https://"),
            ("url", "https://[::1"),
            ("url", "https://exa mple.com"),
            ("choice", "blue"),
        ],
    )
    async def test_odd_ones_are_refused_by_name(self, desk: Desk, kind: str, given: object) -> None:
        await desk.call(create_field, key="x", kind=kind, choices=["red"] if kind == "choice" else [])
        with pytest.raises(InvalidInput) as caught:
            await desk.call(create_contact, fields={"x": given})
        assert all(field.path.startswith("fields.x") for field in caught.value.fields)
        assert (await desk.call(find_contacts))["items"] == []
