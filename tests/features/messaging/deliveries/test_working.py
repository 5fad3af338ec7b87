"""What becomes of messages that a channel refuses, in the ledger, for the conversation and for the inbox."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from chatwright.features.contacts.merges.operations import merge_contacts
from chatwright.features.contacts.operations import (
    block_contact,
    create_contact,
    delete_contact,
    list_consents,
)
from chatwright.features.messaging.deliveries.operations import (
    cancel_message,
    check_send,
    mark_sent,
    release_message,
    resend_message,
    set_quiet_hours,
    trace_message,
)
from chatwright.features.messaging.deliveries.reacting import MOST_TRIES
from chatwright.features.messaging.errors import (
    InboxPaused,
    NotYourConversation,
    OptedOut,
    Unreachable,
    WindowClosed,
    WrongStatus,
)
from chatwright.features.messaging.inboxes.health import end_spells, set_health
from chatwright.features.messaging.inboxes.operations import get_inbox
from chatwright.features.messaging.jobs import RELEASING
from chatwright.features.messaging.operations import get_message, set_owner
from chatwright.infra.following import EventFollower
from chatwright.kernel.caller import PrincipalKind
from chatwright.kernel.errors import Forbidden, InvalidInput
from chatwright.ports.channel import Pace, ReplyWindow
from chatwright.ports.inbound import RawEvent
from chatwright.ports.sending import FoundMessage, Reaction, SendOutcome
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import PaperChannel, letter


def refused(reaction: Reaction, **facts: Any) -> SendOutcome:
    return SendOutcome(reaction=reaction, code="X1", detail="no", **facts)


async def shown(post: Post, message: Mapping[str, Any]) -> dict[str, Any]:
    return (await post.desk.call(get_message, message_id=message["id"]))["message"]


async def statuses(post: Post, *messages: Mapping[str, Any]) -> list[str]:
    return [(await shown(post, message))["status"] for message in messages]


def said(post: Post) -> list[str]:
    """What was put on the wire, in order."""
    return [getattr(outgoing.content, "text", "") for outgoing in post.channel.wall]


async def sql(post: Post, text: str) -> None:
    """Turn the hands of the clock, or what only a provider's past could have brought about."""
    async with post.desk.product.database.transaction() as unit:
        await unit.connection.execute(text, post.desk.caller.workspace_id)


async def time_passes(post: Post) -> None:
    """Until everything that waits for a moment is due."""
    await sql(
        post,
        """update deliveries set due_at = now(), slot_at = least(slot_at, now())
           where workspace_id = $1 and due_at < 'infinity'""",
    )
    await sql(
        post,
        """update send_buckets set blocked_until = null, free_at = now()
           where inbox_id in (select id from inboxes where workspace_id = $1)""",
    )


async def mended(post: Post) -> None:
    """The inbox is well again, and whoever waits for that hears of it."""
    product = post.desk.product
    async with product.database.transaction():
        await set_health(post.desk.caller.workspace_id, post.inbox_id, "ok", None)
    await followed(post)


async def followed(post: Post) -> None:
    product = post.desk.product
    while await EventFollower(product.database, product.signals, RELEASING).run_once():
        pass


async def release(post: Post, message: Mapping[str, Any]) -> dict[str, Any]:
    """Somebody else approves it."""
    approver = post.desk.caller_with("conversations:write")
    return await post.desk.call(release_message, as_=approver, message_id=message["id"])


def with_window(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    rule = ReplyWindow(timedelta(hours=24), **more)
    monkeypatch.setattr(PaperChannel, "capabilities", replace(PaperChannel.capabilities, window=rule))


async def a_day_passes(post: Post) -> None:
    await sql(
        post,
        """update conversations set window_opened_at = now() - interval '25 hours',
               window_ends_at = now() - interval '1 hour'
           where workspace_id = $1""",
    )


class TestTooFast:
    async def test_an_inbox_that_is_too_fast_keeps_silent_whole(self, post: Post) -> None:
        ann, bob = await post.begin("a", "ann"), await post.begin("b", "bob")
        post.channel.outcomes["one"] = refused(Reaction.RETRY_AFTER, retry_after=60.0)
        first = await post.send(ann, "one")
        await post.work()
        second = await post.send(bob, "two")
        await post.work()
        assert said(post) == ["one"]
        assert await statuses(post, first, second) == ["queued", "queued"]
        post.channel.outcomes.clear()
        await time_passes(post)
        await post.work()
        assert await statuses(post, first, second) == ["sent", "sent"]

    async def test_a_person_who_gets_too_much_holds_up_nobody_else(self, post: Post) -> None:
        ann, bob = await post.begin("a", "ann"), await post.begin("b", "bob")
        post.channel.outcomes["one"] = refused(Reaction.RETRY_AFTER, retry_after=60.0, scope="pair")
        await post.send(ann, "one")
        await post.work()
        behind, other = await post.send(ann, "more"), await post.send(bob, "two")
        await post.work()
        assert said(post) == ["one", "two"]
        assert await statuses(post, behind, other) == ["queued", "sent"]

    async def test_an_inbox_that_was_too_fast_goes_slower_afterwards(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["one"] = refused(Reaction.RETRY_AFTER, retry_after=60.0)
        await post.send(ann, "one")
        await post.work()
        async with post.desk.product.database.autocommit() as unit:
            row = await unit.connection.fetchrow(
                "select share from send_buckets where inbox_id = $1 and address = ''", post.inbox_id
            )
        assert row is not None
        assert row["share"] == 0.9

    async def test_being_told_to_wait_eats_no_try(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["one"] = refused(Reaction.RETRY_AFTER, retry_after=60.0)
        message = await post.send(ann, "one")
        for _ in range(MOST_TRIES + 2):
            await post.work()
            await time_passes(post)
        assert await statuses(post, message) == ["queued"]
        await sql(
            post,
            "update deliveries set first_tried_at = now() - interval '25 hours' where workspace_id = $1",
        )
        await post.work()
        assert (await shown(post, message))["error"] == "X1: no"
        assert await statuses(post, message) == ["failed"]


class TestPace:
    async def test_a_slot_missed_on_the_way_to_the_wire_is_lost(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ann = await post.begin()
        capabilities = replace(PaperChannel.capabilities, pace=Pace(per_second=1 / 60))
        monkeypatch.setattr(PaperChannel, "capabilities", capabilities)
        with monkeypatch.context() as stalled:
            stalled.setattr("chatwright.features.messaging.deliveries.pacing.LATE_SECONDS", -1.0)
            message = await post.send(ann, "one")
            await post.work()
        assert said(post) == []
        assert await statuses(post, message) == ["queued"]
        await post.work()
        assert said(post) == []
        await time_passes(post)
        await post.work()
        assert said(post) == ["one"]
        assert await statuses(post, message) == ["sent"]

    async def test_those_behind_are_not_looked_at_before_their_person_may_be_written_to(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ann = await post.begin()
        capabilities = replace(PaperChannel.capabilities, pair_pace=Pace(per_second=1 / 60))
        monkeypatch.setattr(PaperChannel, "capabilities", capabilities)
        messages = [await post.send(ann, text) for text in ("one", "two", "three")]
        await post.work()
        assert said(post) == ["one"]
        async with post.desk.product.database.autocommit() as unit:
            rows = await unit.connection.fetch(
                """select attempts, due_at - now() > interval '50 seconds' as later from deliveries
                   where inbox_id = $1 order by position""",
                post.inbox_id,
            )
        assert [(row["attempts"], row["later"]) for row in rows[1:]] == [(0, True), (0, True)]
        await time_passes(post)
        await post.work()
        assert said(post) == ["one", "two"]
        assert await statuses(post, *messages) == ["sent", "sent", "queued"]


class TestInboxHealth:
    async def test_everything_waits_for_a_reconnection_and_goes_in_order(self, post: Post) -> None:
        ann, bob = await post.begin("a", "ann"), await post.begin("b", "bob")
        post.channel.outcomes["one"] = refused(Reaction.RECONNECT)
        first, second = await post.send(ann, "one"), await post.send(ann, "two")
        await post.work()
        third = await post.send(bob, "three", when_closed="hold")
        assert await statuses(post, first, second, third) == ["held", "held", "held"]
        assert (await shown(post, first))["held"] == "inbox"
        inbox = await post.desk.call(get_inbox, inbox_id=str(post.inbox_id))
        assert (inbox["health"], inbox["health_words"]) == ("reconnect", "X1: no")
        post.channel.outcomes.clear()
        await time_passes(post)
        await post.work()
        assert said(post) == ["one"]
        await mended(post)
        await post.work()
        assert await statuses(post, first, second, third) == ["sent", "sent", "sent"]
        assert [text for text in said(post) if text != "three"] == ["one", "one", "two"]

    async def test_to_be_held_is_no_mishap(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["one"] = refused(Reaction.RECONNECT)
        message = await post.send(ann, "one")
        with capture_logs() as logs:
            await post.work()
        assert await statuses(post, message) == ["held"]
        assert logs == []

    async def test_nothing_is_taken_for_an_inbox_that_is_stopped(self, post: Post) -> None:
        ann = await post.begin()
        product = post.desk.product
        async with product.database.transaction():
            await set_health(
                post.desk.caller.workspace_id, post.inbox_id, "reconnect", "The token has ended."
            )
        with pytest.raises(InboxPaused, match="The token has ended") as caught:
            await post.send(ann, "hello")
        assert caught.value.problem().details is not None
        assert caught.value.problem().details["evidence"]["health"] == "reconnect"  # pyright: ignore[reportOptionalSubscript]

    async def test_one_message_probes_after_a_pause(self, post: Post) -> None:
        ann, bob = await post.begin("a", "ann"), await post.begin("b", "bob")
        post.channel.outcomes["one"] = refused(Reaction.PAUSE_CHANNEL, retry_after=1800.0)
        first = await post.send(ann, "one")
        second = await post.send(bob, "two")
        await post.work()
        assert await self.pause_of(post) == 1800.0
        await self.spell_over(post)
        await post.work()
        assert said(post).count("one") == 2
        assert await self.pause_of(post) == 3600.0
        sent_so_far = len(said(post))
        post.channel.outcomes.clear()
        await self.spell_over(post)
        await post.work()
        assert len(said(post)) == sent_so_far + 1
        inbox = await post.desk.call(get_inbox, inbox_id=str(post.inbox_id))
        assert inbox["health"] == "ok"
        await time_passes(post)
        await post.work()
        assert await statuses(post, first, second) == ["sent", "sent"]

    async def pause_of(self, post: Post) -> float:
        async with post.desk.product.database.transaction() as unit:
            row = await unit.connection.fetchrow(
                "select pause_seconds from send_buckets where inbox_id = $1 and address = ''", post.inbox_id
            )
        assert row is not None
        return row["pause_seconds"]

    async def spell_over(self, post: Post) -> None:
        await sql(post, "update inboxes set health_until = now() where workspace_id = $1")
        async with post.desk.product.database.transaction():
            await end_spells()
        await followed(post)


class TestWindows:
    async def test_outside_the_window_a_send_is_refused_with_the_evidence(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_window(monkeypatch)
        ann = await post.begin()
        await post.send(ann, "in time")
        await a_day_passes(post)
        with pytest.raises(WindowClosed) as caught:
            await post.send(ann, "too late")
        details = caught.value.problem().details or {}
        assert details["may"] == "nothing"
        assert details["evidence"]["last_inbound_at"] is not None
        assert details["evidence"]["window_ends_at"] is not None

    async def test_a_message_can_wait_until_the_contact_writes(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_window(monkeypatch)
        ann = await post.begin()
        await a_day_passes(post)
        waiting = await post.send(ann, "later", when_closed="hold")
        assert (waiting["status"], waiting["held"]) == ("held", "window")
        await post.work()
        assert said(post) == []
        await post.receive(letter("I am back"))
        assert await statuses(post, waiting) == ["sent"]

    async def test_a_window_that_closes_while_a_message_queues_stops_it(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_window(monkeypatch)
        ann = await post.begin()
        strict = await post.send(ann, "now or never")
        patient = await post.send(ann, "whenever", when_closed="hold")
        await a_day_passes(post)
        await post.work()
        assert await statuses(post, strict, patient) == ["failed", "held"]
        assert said(post) == []

    async def test_people_may_answer_for_longer_than_bots(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_window(monkeypatch, human_for=timedelta(days=7))
        ann = await post.begin()
        await a_day_passes(post)
        bot = replace(post.desk.caller, kind=PrincipalKind.AGENT)
        with pytest.raises(WindowClosed):
            await post.send(ann, "beep", as_=bot)
        message = await post.send(ann, "hello", keep_owner=True)
        await post.work()
        assert await statuses(post, message) == ["sent"]
        assert post.channel.wall[0].window == "human"

    async def test_the_provider_s_word_on_the_window_is_taken(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_window(monkeypatch)
        ann = await post.begin()
        post.channel.outcomes["hello"] = refused(Reaction.WINDOW_CLOSED)
        message = await post.send(ann, "hello")
        await post.work()
        assert await statuses(post, message) == ["failed"]
        with pytest.raises(WindowClosed):
            await post.send(ann, "again")

    async def test_check_send_names_a_way_that_is_open(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with_window(monkeypatch)
        ann = await post.begin()
        found = await post.desk.call(check_send, conversation_id=ann["id"])
        assert [option["may"] for option in found["options"]] == ["free"]
        await a_day_passes(post)
        found = await post.desk.call(check_send, contact_id=ann["contact_id"])
        assert [(option["may"], option["code"]) for option in found["options"]] == [
            ("nothing", "WINDOW_CLOSED")
        ]
        assert found["fallback_conversation_id"] is None

    async def test_check_send_has_nothing_to_say_of_who_never_wrote(self, post: Post) -> None:
        contact = await post.desk.call(create_contact, name="New")
        found = await post.desk.call(check_send, contact_id=contact["id"])
        assert found == {"options": [], "fallback_conversation_id": None}


class TestPeople:
    async def test_an_opt_out_is_recorded_and_kept(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["hello"] = refused(Reaction.OPTED_OUT)
        message = await post.send(ann, "hello")
        await post.work()
        assert await statuses(post, message) == ["failed"]
        (consent,) = (await post.desk.call(list_consents, contact_id=ann["contact_id"]))["items"]
        assert (consent["channel"], consent["state"], consent["evidence"]) == ("paper", "opted_out", "X1: no")
        with pytest.raises(OptedOut) as caught:
            await post.send(ann, "please")
        details = caught.value.problem().details or {}
        assert details["evidence"]["consent"]["source"] == "refused by paper"

    async def test_nobody_is_written_to_who_was_not_there_three_times(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["hello"] = refused(Reaction.UNREACHABLE)
        for _ in range(3):
            await post.send(ann, "hello")
            await post.work()
        with pytest.raises(Unreachable):
            await post.send(ann, "hello")
        await post.receive(letter("I am here"))
        message = await post.send(ann, "welcome back")
        await post.work()
        assert await statuses(post, message) == ["sent"]

    async def test_who_moved_is_found_at_the_new_address(self, post: Post) -> None:
        ann = await post.begin()
        outcomes = [refused(Reaction.RETRY, moved_to="ann-2"), SendOutcome(external_id="x")]
        monkey = post.channel.send

        async def send(inbox: Any, outgoing: Any) -> SendOutcome:
            await monkey(inbox, outgoing)
            return outcomes.pop(0)

        post.channel.send = send
        message = await post.send(ann, "hello")
        await post.work()
        await time_passes(post)
        await post.work()
        assert await statuses(post, message) == ["sent"]
        assert [outgoing.to for outgoing in post.channel.wall] == ["ann", "ann-2"]


class TestHands:
    async def test_what_waits_for_approval_holds_up_what_comes_after(self, post: Post) -> None:
        ann = await post.begin()
        first = await post.send(ann, "draft", hold_for_approval=True)
        second = await post.send(ann, "after it")
        await post.work()
        assert said(post) == []
        released = await release(post, first)
        assert released["status"] == "queued"
        await post.work()
        assert said(post) == ["draft", "after it"]
        assert await statuses(post, first, second) == ["sent", "sent"]

    async def test_nobody_but_a_person_approves_what_they_wrote_themselves(self, post: Post) -> None:
        ann = await post.begin()
        draft = await post.send(ann, "draft", hold_for_approval=True)
        owner, machines = post.desk.caller, (PrincipalKind.AGENT, PrincipalKind.FLOW)
        others = [replace(owner, kind=kind, principal_id="another") for kind in machines]
        for caller in (owner, *others):
            with pytest.raises(Forbidden):
                await post.desk.call(release_message, as_=caller, message_id=draft["id"])
        member = replace(owner, kind=PrincipalKind.MEMBER)
        own = await post.send(ann, "my own", as_=member, hold_for_approval=True)
        await release(post, draft)
        await post.desk.call(release_message, as_=member, message_id=own["id"])
        await post.work()
        assert said(post) == ["draft", "my own"]

    async def test_a_bot_sends_nothing_again_where_people_answer(self, post: Post) -> None:
        ann = await post.begin()
        bot = replace(post.desk.caller, kind=PrincipalKind.AGENT)
        post.channel.outcomes["hello"] = refused(Reaction.BAD_PAYLOAD)
        message = await post.send(ann, "hello", as_=bot)
        await post.work()
        await post.desk.call(set_owner, conversation_id=ann["id"], owner="human")
        with pytest.raises(NotYourConversation):
            await post.desk.call(resend_message, as_=bot, message_id=message["id"])
        await post.desk.call(set_owner, conversation_id=ann["id"], owner="bot")
        post.channel.outcomes.clear()
        await post.desk.call(resend_message, as_=bot, message_id=message["id"])
        await post.work()
        assert await statuses(post, message) == ["sent"]

    async def test_nothing_goes_out_to_a_contact_blocked_meanwhile(self, post: Post) -> None:
        ann = await post.begin()
        draft = await post.send(ann, "draft", hold_for_approval=True)
        await post.desk.call(block_contact, contact_id=ann["contact_id"])
        await release(post, draft)
        await post.work()
        assert (await statuses(post, draft), said(post)) == (["failed"], [])
        assert (await shown(post, draft))["error"] == "CONTACT_BLOCKED: This contact is blocked."

    async def test_nothing_goes_out_to_a_contact_deleted_meanwhile(self, post: Post) -> None:
        """Its conversations go a moment later, when somebody follows that it was deleted."""
        ann, bob = await post.begin("from ann", "ann"), await post.begin("from bob", "bob")
        message = await post.send(ann, "too late")
        await post.send(bob, "still here")
        await post.desk.call(delete_contact, contact_id=ann["contact_id"])
        await post.work()
        assert (await statuses(post, message), said(post)) == (["failed"], ["still here"])
        assert (await shown(post, message))["error"] == "CONTACT_NOT_FOUND: This contact was deleted."

    async def test_a_contact_that_another_one_absorbed_is_not_gone(self, post: Post) -> None:
        ann, bob = await post.begin("from ann", "ann"), await post.begin("from bob", "bob")
        await post.send(ann, "in time")
        await post.desk.call(merge_contacts, contact_id=bob["contact_id"], duplicate_id=ann["contact_id"])
        await post.work()
        assert said(post) == ["in time"]

    async def test_a_cancelled_message_never_goes_and_frees_its_lane(self, post: Post) -> None:
        ann = await post.begin()
        first = await post.send(ann, "draft", hold_for_approval=True)
        second = await post.send(ann, "after it")
        await post.work()
        cancelled = await post.desk.call(cancel_message, message_id=first["id"])
        assert cancelled["status"] == "cancelled"
        await post.work()
        assert said(post) == ["after it"]
        assert await statuses(post, first, second) == ["cancelled", "sent"]
        with pytest.raises(WrongStatus):
            await post.desk.call(cancel_message, message_id=second["id"])

    async def test_an_uncertain_message_is_sent_again_by_a_person_only(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["risky"] = refused(Reaction.UNKNOWN)
        message = await post.send(ann, "risky")
        await post.work()
        await time_passes(post)
        await post.work()
        assert (await statuses(post, message), said(post)) == (["unknown"], ["risky"])
        post.channel.outcomes.clear()
        again = await post.desk.call(resend_message, message_id=message["id"])
        assert "may show twice" in again["error"]
        await post.work()
        assert (await statuses(post, message), said(post)) == (["sent"], ["risky", "risky"])
        assert len({outgoing.message_id for outgoing in post.channel.wall}) == 2
        with pytest.raises(WrongStatus):
            await post.desk.call(resend_message, message_id=message["id"])

    async def test_a_receipt_for_the_first_round_calls_off_the_second(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["risky"] = refused(Reaction.UNKNOWN)
        message = await post.send(ann, "risky")
        await post.work()
        await post.desk.call(resend_message, message_id=message["id"])
        await post.store(status(message["id"], "delivered"))
        await post.work_inbound()
        await post.work()
        assert (await statuses(post, message), said(post)) == (["delivered"], ["risky"])

    async def test_a_person_can_say_that_it_went_out(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["risky"] = refused(Reaction.UNKNOWN)
        message = await post.send(ann, "risky")
        await post.work()
        marked = await post.desk.call(mark_sent, message_id=message["id"])
        assert (marked["status"], marked["error"]) == ("sent", None)


def status(message_id: str, news: str) -> RawEvent:
    key = f"{message_id}:{news}"
    return RawEvent(key, "statuses", {"kind": "status", "id": message_id, "status": news})


class TestUnknown:
    async def test_that_later_ones_were_read_does_not_settle_it(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["risky"] = refused(Reaction.UNKNOWN)
        risky, later = await post.send(ann, "risky"), await post.send(ann, "later")
        await post.work()
        read = {"kind": "read", "from": "ann", "up_to": later["id"]}
        await post.receive(RawEvent("read", "ann", read))
        assert await statuses(post, risky, later) == ["unknown", "read"]

    async def test_a_receipt_settles_it(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["risky"] = refused(Reaction.UNKNOWN)
        message = await post.send(ann, "risky")
        await post.work()
        assert await statuses(post, message) == ["unknown"]
        await post.receive(status(message["id"], "delivered"))
        assert await statuses(post, message) == ["delivered"]

    async def test_a_later_message_that_was_read_says_nothing_of_it(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["risky"] = refused(Reaction.UNKNOWN)
        message = await post.send(ann, "risky")
        later = await post.send(ann, "later")
        await post.work()
        seen = {"kind": "read", "from": "ann", "up_to": later["id"]}
        await post.receive(RawEvent("read", "ann", seen))
        assert await statuses(post, message, later) == ["unknown", "read"]
        await post.receive(RawEvent("read it", "ann", seen | {"up_to": message["id"]}))
        assert await statuses(post, message) == ["read"]

    @pytest.mark.parametrize(("found", "expected", "times"), [(True, "sent", 1), (False, "sent", 2)])
    async def test_a_provider_that_can_be_asked_settles_it(
        self, post: Post, *, found: bool, expected: str, times: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def look_up(self: PaperChannel, inbox: Any, outgoing: Any) -> FoundMessage | None:
            return FoundMessage("found-1") if found else None

        monkeypatch.setattr(PaperChannel, "look_up", look_up, raising=False)
        ann = await post.begin()
        post.channel.outcomes["risky"] = refused(Reaction.UNKNOWN)
        message = await post.send(ann, "risky")
        await post.work()
        post.channel.outcomes.clear()
        await sql(post, "update delivery_lookups set due_at = now() where workspace_id = $1")
        await post.work()
        await post.work()
        assert (await statuses(post, message), said(post)) == ([expected], ["risky"] * times)

    async def test_the_provider_s_no_brings_nothing_back_that_was_sent_again(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def look_up(self: PaperChannel, inbox: Any, outgoing: Any) -> FoundMessage | None:
            return None

        monkeypatch.setattr(PaperChannel, "look_up", look_up, raising=False)
        message = await uncertain(post)
        await post.desk.call(resend_message, message_id=message["id"])
        await post.work()
        await sql(post, "update delivery_lookups set due_at = now() where workspace_id = $1")
        await post.work()
        await post.work()
        assert (await statuses(post, message), said(post)) == (["sent"], ["risky", "risky"])

    async def test_the_provider_s_no_comes_too_late_for_what_a_person_marked_as_sent(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def look_up(self: PaperChannel, inbox: Any, outgoing: Any) -> FoundMessage | None:
            await post.desk.call(mark_sent, message_id=message["id"])
            return None

        monkeypatch.setattr(PaperChannel, "look_up", look_up, raising=False)
        message = await uncertain(post)
        await sql(post, "update delivery_lookups set due_at = now() where workspace_id = $1")
        await post.work()
        await post.work()
        assert (await statuses(post, message), said(post)) == (["sent"], ["risky"])


async def uncertain(post: Post) -> dict[str, Any]:
    """A message of which nobody knows whether it went out; what is sent from now on goes out."""
    ann = await post.begin()
    post.channel.outcomes["risky"] = refused(Reaction.UNKNOWN)
    message = await post.send(ann, "risky")
    await post.work()
    post.channel.outcomes.clear()
    return message


class TestParts:
    async def test_a_long_text_goes_out_part_by_part(self, post: Post) -> None:
        ann = await post.begin()
        message = await post.send(ann, "word " * 450)
        assert message["degraded"] == ["The text became 3 messages."]
        await post.work()
        assert len(said(post)) == 3
        assert await statuses(post, message) == ["sent"]
        await post.receive(status("paper-2", "delivered"))
        assert await statuses(post, message) == ["sent"]
        for number in (1, 3):
            await post.receive(status(f"paper-{number}", "delivered"))
        assert await statuses(post, message) == ["delivered"]

    async def test_a_part_that_fails_takes_the_rest_with_it(self, post: Post) -> None:
        ann = await post.begin()
        message = await post.send(ann, "word " * 450)
        trace = await post.desk.call(trace_message, message_id=message["id"])
        assert [part["status"] for part in trace["parts"]] == ["queued"] * 3
        post.channel.outcomes[("word " * 200).strip()] = refused(Reaction.BAD_PAYLOAD)
        after = await post.send(ann, "after it")
        await post.work()
        assert await statuses(post, message, after) == ["failed", "sent"]
        assert len(said(post)) == 2

    async def test_a_number_answers_choices_that_became_numbers(self, post: Post) -> None:
        ann = await post.begin()
        asked = {
            "type": "buttons",
            "text": "Which?",
            "buttons": [{"label": "Red"}, {"label": "Blue", "payload": "b"}],
        }
        await post.send_content(ann, asked)
        await post.work()
        assert said(post) == ["Which?\n1. Red\n2. Blue"]
        await post.receive(letter("2"), letter("I like both"))
        answers = [found["content"] for found in await post.history(ann) if found["direction"] == "in"][1:]
        assert answers == [
            {"type": "reply", "text": "Blue", "payload": "b"},
            {"type": "text", "text": "I like both"},
        ]

    async def test_what_no_words_can_stand_for_is_refused(self, post: Post) -> None:
        ann = await post.begin()
        template = {"type": "template", "name": "hello", "language": "en"}
        with pytest.raises(InvalidInput, match="no template messages"):
            await post.send_content(ann, template)


class TestQuietHours:
    async def test_bots_keep_silent_and_people_do_not(self, post: Post) -> None:
        ann, bob = await post.begin("a", "ann"), await post.begin("b", "bob")
        quiet = {"start": "00:00", "end": "00:00", "time_zone": "UTC"}
        await post.desk.call(set_quiet_hours, inbox_id=str(post.inbox_id), quiet_hours=quiet)
        bot = replace(post.desk.caller, kind=PrincipalKind.AGENT)
        by_bot, by_person = await post.send(ann, "beep", as_=bot), await post.send(bob, "hello")
        await post.work()
        assert await statuses(post, by_bot, by_person) == ["held", "sent"]
        assert (await shown(post, by_bot))["held"] == "quiet_hours"
        await post.desk.call(set_quiet_hours, inbox_id=str(post.inbox_id), quiet_hours=None)
        await post.work()
        assert await statuses(post, by_bot) == ["sent"]


class TestTrace:
    async def test_what_a_message_costs_is_kept_and_shown(self, post: Post) -> None:
        ann = await post.begin()
        message = await post.send(ann, "hello")
        await post.work()
        pricing = {"billable": True, "category": "utility", "model": "PMP", "kind": "regular"}
        payload = {"kind": "status", "id": message["id"], "status": "delivered", "pricing": pricing}
        await post.receive(RawEvent("priced", "statuses", payload))
        assert (await shown(post, message))["cost"] == pricing
        trace = await post.desk.call(trace_message, message_id=message["id"])
        assert trace["pricing"] == pricing

    async def test_a_message_s_whole_life_is_there(self, post: Post) -> None:
        ann = await post.begin()
        post.channel.outcomes["hello"] = refused(Reaction.RETRY)
        message = await post.send(ann, "hello")
        await post.work()
        post.channel.outcomes.clear()
        await time_passes(post)
        await post.work()
        await post.receive(status(message["id"], "delivered"))
        trace = await post.desk.call(trace_message, message_id=message["id"])
        assert [(attempt["outcome"], attempt["code"]) for attempt in trace["attempts"]] == [
            ("retry", "X1"),
            ("sent", None),
        ]
        assert trace["attempts"][1]["answer"] == {"external_ids": ["paper-2"]}
        assert trace["rules"] == ["This channel has no reply window."]
        assert [event["kinds"] for event in trace["events"]] == [["status"]]
        assert {found["status"] for found in trace["statuses"]} == {"queued", "sending", "sent", "delivered"}
        (received,) = [found for found in await post.history(ann) if found["direction"] == "in"]
        trace = await post.desk.call(trace_message, message_id=received["id"])
        assert [event["kinds"] for event in trace["events"]] == [["message"]]
