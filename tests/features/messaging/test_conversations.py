"""The state of conversations, and who answers them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from chatwright.features.contacts.merges.operations import merge_contacts
from chatwright.features.contacts.operations import delete_contact
from chatwright.features.messaging.errors import ConversationNotFound, NotYourConversation, OwnerChanged
from chatwright.features.messaging.inboxes.operations import get_inbox
from chatwright.features.messaging.jobs import FORGETTING, wake_snoozed
from chatwright.features.messaging.operations import (
    add_note,
    assign_conversation,
    get_conversation,
    list_conversations,
    list_messages,
    mark_read,
    mark_unread,
    send_message,
    set_owner,
    snooze_conversation,
)
from chatwright.features.workspaces.errors import MemberNotFound
from chatwright.infra.following import EventFollower
from chatwright.kernel.caller import PrincipalKind
from chatwright.kernel.errors import InvalidInput
from chatwright.kernel.ids import new_id
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import letter
from tests.features.workspaces.people import member_of


class TestOwner:
    async def test_a_person_takes_over_by_answering(self, post: Post) -> None:
        conversation = await post.begin()
        assert (conversation["owner"], conversation["version"]) == ("bot", 1)
        await post.send(conversation, "A person here.")
        (after,) = await post.conversations()
        assert (after["owner"], after["version"]) == ("human", 2)

    async def test_keep_owner_leaves_the_bot_in_charge(self, post: Post) -> None:
        conversation = await post.begin()
        await post.send(conversation, "Just a note on your order.", keep_owner=True)
        (after,) = await post.conversations()
        assert (after["owner"], after["version"]) == ("bot", 1)

    @pytest.mark.parametrize("kind", [PrincipalKind.AGENT, PrincipalKind.FLOW])
    async def test_the_bot_cannot_send_once_it_lost_the_conversation(
        self, post: Post, kind: PrincipalKind
    ) -> None:
        conversation = await post.begin()
        bot = post.desk.caller_with("conversations:write", kind=kind)
        here = conversation["id"]
        await post.desk.call(send_message, as_=bot, conversation_id=here, text="I am the bot.")
        await post.send(conversation, "I take over.")
        with pytest.raises(NotYourConversation):
            await post.desk.call(send_message, as_=bot, conversation_id=here, text="Me again.")
        await post.desk.call(set_owner, conversation_id=here, owner="bot")
        await post.desk.call(send_message, as_=bot, conversation_id=here, text="Back.")

    async def test_a_stale_version_is_refused(self, post: Post) -> None:
        conversation = await post.begin()
        await post.desk.call(set_owner, conversation_id=conversation["id"], owner="paused")
        with pytest.raises(OwnerChanged):
            await post.send(conversation, "late", expected_version=1)


class TestSnooze:
    async def test_it_opens_again_when_its_time_has_come(self, post: Post) -> None:
        conversation = await post.begin()
        until = datetime.now(UTC) + timedelta(hours=1)
        snoozed = await post.desk.call(snooze_conversation, conversation_id=conversation["id"], until=until)
        assert snoozed["state"] == "snoozed"
        async with post.desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update conversations set snoozed_until = now() - interval '1 second' where id = $1",
                conversation["id"],
            )
            await wake_snoozed()
        (after,) = await post.conversations()
        assert (after["state"], after["snoozed_until"]) == ("open", None)

    async def test_the_past_is_refused(self, post: Post) -> None:
        conversation = await post.begin()
        until = datetime.now(UTC) - timedelta(hours=1)
        with pytest.raises(InvalidInput) as caught:
            await post.desk.call(snooze_conversation, conversation_id=conversation["id"], until=until)
        assert caught.value.fields[0].path == "until"

    async def test_nor_is_the_end_of_time_a_moment_to_wait_for(self, post: Post) -> None:
        conversation = await post.begin()
        until = "9999-12-31T23:59:59-14:00"
        with pytest.raises(InvalidInput) as caught:
            await post.desk.call(snooze_conversation, conversation_id=conversation["id"], until=until)
        assert caught.value.fields[0].path == "until"


class TestAssign:
    async def test_only_to_members_of_the_workspace(self, post: Post) -> None:
        conversation = await post.begin()
        with pytest.raises(MemberNotFound):
            await post.desk.call(
                assign_conversation, conversation_id=conversation["id"], assignee_id=str(new_id())
            )
        nobody = await post.desk.call(
            assign_conversation, conversation_id=conversation["id"], assignee_id=None
        )
        assert (nobody["assignee_id"], nobody["assignee_name"]) == (None, None)

    async def test_people_read_names_beside_ids(self, post: Post) -> None:
        conversation = await post.begin()
        member = await member_of(post.desk)
        assigned = await post.desk.call(
            assign_conversation, conversation_id=conversation["id"], assignee_id=member.principal_id
        )
        (listed,) = await post.conversations()
        assert assigned["assignee_name"] == listed["assignee_name"] == member.name
        inbox = await post.desk.call(get_inbox, inbox_id=str(post.inbox_id))
        assert listed["inbox_name"] == conversation["inbox_name"] == inbox["name"]


class TestReadMarks:
    async def test_read_up_to_a_message_leaves_the_rest_unread(self, post: Post) -> None:
        conversation = await post.begin("one")
        await post.receive(letter("two"), letter("three"))
        read = await post.desk.call(mark_read, conversation_id=conversation["id"], up_to=1)
        assert read["unread"] == 2
        assert (await post.desk.call(mark_read, conversation_id=conversation["id"]))["unread"] == 0

    async def test_no_further_than_to_its_end(self, post: Post) -> None:
        conversation = await post.begin()
        for position in (-(2**70), 2**70):
            read = await post.desk.call(mark_read, conversation_id=conversation["id"], up_to=position)
        assert read["unread"] == 0
        await post.receive(letter("more"))
        (now,) = await post.conversations()
        assert now["unread"] == 1
        assert (await post.desk.call(mark_unread, conversation_id=conversation["id"]))["unread"] == 1


class TestNotes:
    async def test_a_note_stays_among_us(self, post: Post) -> None:
        conversation = await post.begin()
        await post.desk.call(add_note, conversation_id=conversation["id"], text="careful")
        await post.work()
        history = await post.history(conversation)
        assert [message["direction"] for message in history] == ["in", "note"]
        assert post.channel.wall == []


class TestLists:
    async def test_pages_hold_every_conversation_once(self, post: Post) -> None:
        await post.receive(*(letter("hi", sender=f"s{number}") for number in range(7)))
        seen: list[str] = []
        cursor = None
        while True:
            page = await post.desk.call(list_conversations, limit=3, cursor=cursor)
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 7

    async def test_history_pages_backwards(self, post: Post) -> None:
        conversation = await post.begin("0")
        await post.receive(*(letter(str(number)) for number in range(1, 5)))
        here = conversation["id"]
        first = await post.desk.call(list_messages, conversation_id=here, limit=3)
        second = await post.desk.call(
            list_messages, conversation_id=here, limit=3, cursor=first["next_cursor"]
        )
        texts = [message["content"]["text"] for message in [*first["items"], *second["items"]]]
        assert texts == ["4", "3", "2", "1", "0"]
        assert second["next_cursor"] is None


class TestInboxLimits:
    async def test_a_caller_limited_to_other_inboxes_sees_nothing(self, post: Post) -> None:
        conversation = await post.begin()
        limited = post.desk.caller_with("conversations:read", inbox_ids=frozenset({new_id()}))
        assert (await post.desk.call(list_conversations, as_=limited))["items"] == []
        with pytest.raises(ConversationNotFound):
            await post.desk.call(get_conversation, as_=limited, conversation_id=conversation["id"])


class TestMerged:
    async def test_each_conversation_goes_on_where_it_was_written(self, post: Post) -> None:
        ann, bob = await post.begin("from the phone", "ann"), await post.begin("from the desk", "bob")
        merge = {"contact_id": ann["contact_id"], "duplicate_id": bob["contact_id"]}
        await post.desk.call(merge_contacts, **merge)
        together = await post.desk.call(list_conversations, contact_id=ann["contact_id"])
        assert {found["id"] for found in together["items"]} == {ann["id"], bob["id"]}
        await post.receive(letter("the desk again", sender="bob"))
        assert len(await post.history(bob)) == 2
        await post.send(bob, "to the desk")
        await post.work()
        assert post.channel.wall[-1].to == "bob"

    async def test_the_first_word_from_a_new_address_moves_the_conversation(self, post: Post) -> None:
        conversation = await post.begin("old number", "ann")
        async with post.desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "insert into contact_identities (workspace_id, inbox_id, kind, value, contact_id)"
                " values ($1, $2, 'paper', 'ann2', $3)",
                post.desk.caller.workspace_id,
                post.inbox_id,
                conversation["contact_id"],
            )
        await post.receive(letter("new number", sender="ann2"))
        (after,) = await post.conversations()
        assert after["id"] == conversation["id"]
        await post.send(after, "got it")
        await post.work()
        assert post.channel.wall[-1].to == "ann2"


class TestForgotten:
    async def test_a_deleted_contacts_conversations_go_with_it(self, post: Post) -> None:
        ann, bob = await post.begin("from ann", "ann"), await post.begin("from bob", "bob")
        await post.send(ann, "hello ann")
        await post.work()
        await post.desk.call(delete_contact, contact_id=ann["contact_id"])
        product = post.desk.product
        follower = EventFollower(product.database, product.signals, FORGETTING)
        async with asyncio.timeout(20):
            while [found["id"] for found in await post.conversations()] != [bob["id"]]:
                await follower.run_once()
        with pytest.raises(ConversationNotFound):
            await post.history(ann)
        assert len(await post.history(bob)) == 1
