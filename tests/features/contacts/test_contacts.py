"""The verbs about contacts themselves."""

import asyncio
from typing import Any

import pytest

from chatwright.features.contacts.errors import (
    ContactNotFound,
    IdentityTaken,
    SegmentNotFound,
)
from chatwright.features.contacts.fields.operations import create_field
from chatwright.features.contacts.identities import recognise
from chatwright.features.contacts.notes.operations import add_note, list_notes
from chatwright.features.contacts.operations import (
    add_contact_tags,
    block_contact,
    create_contact,
    delete_contact,
    find_contacts,
    get_contact,
    list_consents,
    record_consent,
    remove_contact_tags,
    unblock_contact,
    update_contact,
    upsert_contact,
)
from chatwright.features.contacts.tags.operations import list_tags
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.errors import InvalidInput
from chatwright.kernel.ids import new_id
from chatwright.ports.inbound import Person
from tests.conftest import Desk
from tests.features.contacts.test_identities import events_of
from tests.features.messaging.paper import paper_inbox


def key(inbox_id: object, value: str = "v1") -> dict[str, str]:
    return {"inbox_id": str(inbox_id), "kind": "visitor", "value": value}


def at_fault(error: InvalidInput) -> list[str]:
    return [field.path for field in error.fields]


async def found(desk: Desk, **arguments: Any) -> list[str]:
    page = await desk.call(find_contacts, **arguments)
    return [contact["name"] for contact in page["items"]]


class TestCreateContact:
    async def test_everything_given_is_kept_in_its_normal_form(self, desk: Desk) -> None:
        await desk.call(create_field, key="size", kind="number")
        made = await desk.call(
            create_contact,
            first_name=" Hồng ",
            last_name="Đặng",
            emails=["Hong@Example.com", "hong@example.com"],
            phones=["090 123 45 67", "+44 20 7946 0958"],
            region="VN",
            locale="vi",
            timezone="Asia/Ho_Chi_Minh",
            fields={"size": 38},
            tags=["VIP", "vip", "mới"],
        )
        assert made == await desk.call(get_contact, contact_id=made["id"])
        assert made["name"] == "Hồng Đặng"
        assert made["emails"] == ["hong@example.com"]
        assert made["phones"] == ["+84901234567", "+442079460958"]
        assert made["fields"] == {"size": 38}
        assert [tag.lower() for tag in made["tags"]] == ["mới", "vip"]
        assert made["identities"] == []

    async def test_nothing_is_mandatory(self, desk: Desk) -> None:
        made = await desk.call(create_contact)
        assert made["name"] is None

    async def test_everything_at_fault_is_named_at_once(self, desk: Desk) -> None:
        with pytest.raises(InvalidInput) as caught:
            await desk.call(
                create_contact,
                phones=["+84901234567", "0901234567"],
                timezone="Hanoi",
                fields={"unknown": 1},
            )
        assert at_fault(caught.value) == ["timezone", "phones.1", "fields.unknown"]

    @pytest.mark.parametrize(
        ("argument", "value", "path"),
        [
            ("emails", ["not an address"], "emails.0"),
            ("name", "nul\x00", "name"),
            ("name", "   ", "name"),
            ("region", "XX", "region"),
            ("locale", "english, please", "locale"),
        ],
    )
    async def test_odd_input_is_refused(self, desk: Desk, argument: str, value: Any, path: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            await desk.call(create_contact, **{argument: value})
        assert at_fault(caught.value) == [path]

    async def test_a_known_identity_is_taken(self, desk: Desk) -> None:
        inbox = await paper_inbox(desk)
        await desk.call(create_contact, identities=[key(inbox)])
        with pytest.raises(IdentityTaken) as caught:
            await desk.call(create_contact, identities=[key(inbox, "v2"), key(inbox)])
        assert [field.path for field in caught.value.fields] == ["identities.1"]

    async def test_a_limited_caller_gives_an_identity_in_its_inboxes(self, desk: Desk) -> None:
        inbox = await paper_inbox(desk)
        limited = desk.caller_with("contacts:write", inbox_ids=frozenset({inbox}))
        with pytest.raises(InvalidInput):
            await desk.call(create_contact, as_=limited, name="Anna")
        elsewhere = key(await paper_inbox(desk))
        with pytest.raises(InboxNotFound):
            await desk.call(create_contact, as_=limited, identities=[key(inbox), elsewhere])
        made = await desk.call(create_contact, as_=limited, identities=[key(inbox)])
        assert made["identities"] == [key(inbox)]


class TestUpsertContact:
    async def test_the_first_call_makes_and_the_next_ones_change(self, desk: Desk) -> None:
        identity = key(await paper_inbox(desk))
        first = await desk.call(upsert_contact, identity=identity, name="Anna", tags=["a"])
        again = await desk.call(upsert_contact, identity=identity, locale="vi", tags=["b"])
        assert (first["created"], again["created"]) == (True, False)
        assert again["contact"]["id"] == first["contact"]["id"]
        assert again["contact"]["name"] == "Anna"
        assert again["contact"]["tags"] == ["a", "b"]
        assert again["contact"]["locale"] == "vi"

    async def test_it_is_the_contact_that_a_message_made(self, desk: Desk) -> None:
        inbox = await paper_inbox(desk)
        async with desk.product.database.transaction():
            met = await recognise(desk.caller.workspace_id, inbox, Person({"visitor": "v1"}, name="?"))
        upserted = await desk.call(upsert_contact, identity=key(inbox), name="Anna")
        assert upserted["contact"]["id"] == str(met)
        assert upserted["contact"]["name"] == "Anna"

    async def test_calls_at_once_make_one_contact(self, desk: Desk) -> None:
        identity = key(await paper_inbox(desk))
        calls = [desk.call(upsert_contact, identity=identity, tags=["b", "a", str(n)]) for n in range(12)]
        made = await asyncio.gather(*calls)
        assert sum(each["created"] for each in made) == 1
        (contact,) = (await desk.call(find_contacts))["items"]
        assert set(contact["tags"]) == {"a", "b", *map(str, range(12))}

    async def test_a_limited_caller_stays_in_its_inboxes(self, desk: Desk) -> None:
        limited = desk.caller_with("contacts:write", inbox_ids=frozenset({new_id()}))
        elsewhere = key(await paper_inbox(desk))
        with pytest.raises(InboxNotFound):
            await desk.call(upsert_contact, as_=limited, identity=elsewhere)


class TestGetContact:
    async def test_another_workspaces_contact_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        made = await stranger.call(create_contact, name="Anna")
        with pytest.raises(ContactNotFound):
            await desk.call(get_contact, contact_id=made["id"])

    async def test_a_limited_caller_sees_its_inboxes_part_of_a_contact(self, desk: Desk) -> None:
        mine, theirs = await paper_inbox(desk), await paper_inbox(desk)
        made = await desk.call(create_contact, identities=[key(mine), key(theirs)])
        limited = desk.caller_with("contacts:read", inbox_ids=frozenset({mine}))
        shown = await desk.call(get_contact, as_=limited, contact_id=made["id"])
        assert shown["identities"] == [key(mine)]

    async def test_a_limited_caller_does_not_see_contacts_of_other_inboxes(self, desk: Desk) -> None:
        made = await desk.call(create_contact, identities=[key(await paper_inbox(desk))])
        limited = desk.caller_with("contacts:read", inbox_ids=frozenset({new_id()}))
        with pytest.raises(ContactNotFound):
            await desk.call(get_contact, as_=limited, contact_id=made["id"])


class TestFindContacts:
    @pytest.mark.parametrize(
        "query",
        ["đặng", "dang hong", "DANG", "hon da", "hong@exa", "example.com", "0901 234 567", "+84 (90) 123"],
    )
    async def test_words_are_found_by_their_beginnings(self, desk: Desk, query: str) -> None:
        await desk.call(create_contact, name="Someone Else", phones=["+442079460958"])
        await desk.call(
            create_contact, name="Đặng Thị Hồng", emails=["hong@example.com"], phones=["+84901234567"]
        )
        assert await found(desk, query=query) == ["Đặng Thị Hồng"]

    async def test_every_word_has_to_be_there(self, desk: Desk) -> None:
        await desk.call(create_contact, name="Đặng Thị Hồng")
        assert await found(desk, query="hong anna") == []

    @pytest.mark.parametrize("query", ["'", "a & !b", "\\", "hong:*", "' | 'x", "(", "&&&"])
    async def test_signs_mean_nothing_to_the_search(self, desk: Desk, query: str) -> None:
        await desk.call(create_contact, name="Nobody")
        assert set(await found(desk, query=query)) <= {"Nobody"}

    async def test_values_of_custom_fields_are_searched(self, desk: Desk) -> None:
        await desk.call(create_field, key="city", kind="text")
        await desk.call(create_contact, name="Anna", fields={"city": "Huế"})
        await desk.call(create_contact, name="Bình", fields={"city": "Hà Nội"})
        assert await found(desk, query="hue") == ["Anna"]

    async def test_pages_hold_everybody_once_newest_first(self, desk: Desk, stranger: Desk) -> None:
        await stranger.call(create_contact, name="Stranger")
        for number in range(5):
            await desk.call(create_contact, name=str(number))
        seen: list[str] = []
        cursor = None
        while True:
            page = await desk.call(find_contacts, limit=2, cursor=cursor)
            seen += [contact["name"] for contact in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == ["4", "3", "2", "1", "0"]

    async def test_by_tag_inbox_and_identity(self, desk: Desk) -> None:
        inbox = await paper_inbox(desk)
        await desk.call(create_contact, name="Anna", tags=["VIP"], identities=[key(inbox, "anna")])
        await desk.call(create_contact, name="Bình", identities=[key(inbox, "binh")])
        await desk.call(create_contact, name="Chi", identities=[key(await paper_inbox(desk), "anna")])
        assert await found(desk, tag="vip") == ["Anna"]
        assert await found(desk, inbox_id=str(inbox)) == ["Bình", "Anna"]
        assert await found(desk, identity="anna") == ["Chi", "Anna"]

    async def test_a_limited_caller_finds_contacts_of_its_inboxes(self, desk: Desk) -> None:
        mine, theirs = await paper_inbox(desk), await paper_inbox(desk)
        await desk.call(create_contact, name="Anna", identities=[key(mine, "a"), key(theirs, "secret")])
        await desk.call(create_contact, name="Bình", identities=[key(theirs, "b")])
        await desk.call(create_contact, name="Chi")
        limited = desk.caller_with("contacts:read", inbox_ids=frozenset({mine}))
        assert await found(desk, as_=limited) == ["Anna"]
        assert await found(desk, as_=limited, identity="secret") == []
        with pytest.raises(InboxNotFound):
            await found(desk, as_=limited, inbox_id=str(theirs))

    async def test_another_workspaces_segment_is_not_found(self, desk: Desk) -> None:
        with pytest.raises(SegmentNotFound):
            await found(desk, segment_id=str(new_id()))


class TestUpdateContact:
    async def test_what_is_left_out_stays(self, desk: Desk) -> None:
        await desk.call(create_field, key="city", kind="text")
        await desk.call(create_field, key="size", kind="number")
        made = await desk.call(
            create_contact, name="Anna", emails=["a@example.com"], fields={"city": "Huế", "size": 1}
        )
        changed = await desk.call(
            update_contact, contact_id=made["id"], last_name="Lê", fields={"city": None, "size": 2.5}
        )
        assert changed["name"] == "Anna"
        assert changed["last_name"] == "Lê"
        assert changed["emails"] == ["a@example.com"]
        assert changed["fields"] == {"size": 2.5}

    async def test_what_is_cleared_is_gone_also_for_the_search(self, desk: Desk) -> None:
        made = await desk.call(create_contact, name="Anna", phones=["+84901234567"], locale="vi")
        changed = await desk.call(update_contact, contact_id=made["id"], clear=["name", "locale"], phones=[])
        assert (changed["name"], changed["phones"], changed["locale"]) == (None, [], None)
        assert await found(desk, query="anna") == []

    async def test_only_real_changes_are_announced(self, desk: Desk) -> None:
        made = await desk.call(create_contact, name="Anna")
        await desk.call(update_contact, contact_id=made["id"], name="Anna")
        unchanged = await desk.call(get_contact, contact_id=made["id"])
        await desk.call(update_contact, contact_id=made["id"], name="Anna Lê")
        assert unchanged["updated_at"] == made["updated_at"]
        assert [kind for kind, _ in await events_of(desk)] == ["contact.created", "contact.updated"]

    async def test_another_workspaces_contact_is_not_found(self, desk: Desk, stranger: Desk) -> None:
        made = await stranger.call(create_contact, name="Anna")
        with pytest.raises(ContactNotFound):
            await desk.call(update_contact, contact_id=made["id"], name="Mine")


class TestDeleteContact:
    async def test_it_is_gone_with_all_that_hung_on_it(self, desk: Desk) -> None:
        identity = key(await paper_inbox(desk))
        made = await desk.call(create_contact, name="Anna", tags=["VIP"], identities=[identity])
        await desk.call(add_note, contact_id=made["id"], text="Likes tea")
        await desk.call(delete_contact, contact_id=made["id"])
        with pytest.raises(ContactNotFound):
            await desk.call(list_notes, contact_id=made["id"])
        (tag,) = (await desk.call(list_tags))["items"]
        assert (tag["name"], tag["contacts"]) == ("VIP", 0)
        again = await desk.call(upsert_contact, identity=identity)
        assert again["created"]


class TestBlockContact:
    async def test_a_block_holds_until_it_is_taken_back(self, desk: Desk) -> None:
        made = await desk.call(create_contact, name="Anna")
        for _ in range(2):
            assert (await desk.call(block_contact, contact_id=made["id"]))["blocked"]
        assert [kind for kind, _ in await events_of(desk)] == ["contact.created", "contact.blocked"]
        assert not (await desk.call(unblock_contact, contact_id=made["id"]))["blocked"]


class TestAddContactTags:
    async def test_tags_it_carries_already_are_ignored(self, desk: Desk) -> None:
        made = await desk.call(create_contact, tags=["a"])
        tagged = await desk.call(add_contact_tags, contact_id=made["id"], tags=["A", "b"])
        again = await desk.call(add_contact_tags, contact_id=made["id"], tags=["b"])
        assert tagged["tags"] == again["tags"] == ["a", "b"]
        assert [kind for kind, _ in await events_of(desk)].count("contact.tagged") == 2


class TestRemoveContactTags:
    async def test_tags_it_does_not_carry_are_ignored(self, desk: Desk) -> None:
        made = await desk.call(create_contact, tags=["a", "b"])
        left = await desk.call(remove_contact_tags, contact_id=made["id"], tags=["B", "unknown"])
        assert left["tags"] == ["a"]


class TestRecordConsent:
    async def test_the_latest_word_on_each_channel_counts(self, desk: Desk) -> None:
        made = await desk.call(create_contact)

        async def say(channel: str, state: str, at: str) -> dict[str, Any]:
            return await desk.call(
                record_consent,
                contact_id=made["id"],
                channel=channel,
                state=state,
                source="form",
                given_at=at,
            )

        await say("email", "opted_out", "2026-03-01T00:00:00Z")
        await say("email", "opted_in", "2026-01-01T00:00:00Z")
        shown = await say("whatsapp", "opted_in", "2026-02-01T00:00:00+07:00")
        assert [(c["channel"], c["state"]) for c in shown["consents"]] == [
            ("email", "opted_out"),
            ("whatsapp", "opted_in"),
        ]
        assert shown["consents"][0]["recorded_by"] == "Owner"

    @pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "1899-12-31T23:59:59Z"])
    async def test_nobody_agreed_before_anybody_could(self, desk: Desk, at: str) -> None:
        made = await desk.call(create_contact)
        with pytest.raises(InvalidInput) as caught:
            await desk.call(
                record_consent,
                contact_id=made["id"],
                channel="email",
                state="opted_in",
                source="form",
                given_at=at,
            )
        assert at_fault(caught.value) == ["given_at"]

    async def test_nobody_agrees_in_the_future(self, desk: Desk) -> None:
        made = await desk.call(create_contact)
        with pytest.raises(InvalidInput) as caught:
            await desk.call(
                record_consent,
                contact_id=made["id"],
                channel="email",
                state="opted_in",
                source="form",
                given_at="2999-01-01T00:00:00Z",
            )
        assert at_fault(caught.value) == ["given_at"]


class TestListConsents:
    async def test_every_word_stays_with_its_evidence(self, desk: Desk) -> None:
        made = await desk.call(create_contact)
        for state, evidence in (("opted_in", "box ticked"), ("opted_out", "STOP")):
            await desk.call(
                record_consent,
                contact_id=made["id"],
                channel="sms",
                state=state,
                source="shop",
                evidence=evidence,
            )
        said = (await desk.call(list_consents, contact_id=made["id"]))["items"]
        assert [(one["state"], one["evidence"]) for one in said] == [
            ("opted_in", "box ticked"),
            ("opted_out", "STOP"),
        ]
