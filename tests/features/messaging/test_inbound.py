"""Every kind of news, from a signed call at the door to what people see."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import orjson
import pytest

from chatwright.features.contacts.notes.operations import list_notes
from chatwright.features.contacts.operations import find_contacts, get_contact, list_consents
from chatwright.features.messaging.inboxes.health import set_health
from chatwright.features.messaging.inboxes.operations import get_inbox
from chatwright.features.messaging.operations import get_message, send_message, set_owner
from chatwright.kernel.errors import InvalidInput, NotFound
from chatwright.kernel.ids import new_id
from chatwright.ports.sending import SendOutcome
from tests.features.messaging.office import Office, office, offices
from tests.features.messaging.postal import WINDOW, PostalChannel, event, person, text

__all__ = ["office", "offices"]

EARLIER = datetime.now(UTC) - timedelta(hours=1)


def at(minutes: float = 0) -> str:
    return (EARLIER + timedelta(minutes=minutes)).isoformat()


async def window_of(office: Office) -> tuple[datetime | None, datetime | None]:
    (row,) = await office.rows(
        "select window_opened_at, window_ends_at from conversations where inbox_id = $1"
    )
    return row["window_opened_at"], row["window_ends_at"]


class TestMessages:
    async def test_what_the_provider_tells_is_shown(self, office: Office) -> None:
        first = await office.write("hi", sent_at=at())
        await office.write(
            "from an ad",
            reply_to=first,
            automatic=True,
            author="Bea",
            referral={"source": "ad", "ad_id": "77", "click_id": "c-1", "ref": "spring"},
        )
        one, two = await office.history()
        assert datetime.fromisoformat(one["sent_at"]) == EARLIER
        assert (one["author_name"], one["automatic"], one["reply_to_id"]) == ("Ann", False, None)
        assert (two["author_name"], two["automatic"], two["reply_to_id"]) == ("Bea", True, one["id"])
        assert two["referral"]["ad_id"] == "77"
        (referred,) = await office.events("contact.referred")
        assert referred == {"source": "ad", "ref": "spring", "ad_id": "77", "click_id": "c-1"}
        assert [data["automatic"] for data in await office.events("message.created")] == [False, True]

    async def test_what_is_longer_than_we_may_write_is_kept(self, office: Office) -> None:
        place = {"type": "location", "latitude": 1, "longitude": 2, "name": "x" * 5000}
        await office.write("here", content=place)
        (message,) = await office.history()
        assert message["content"]["name"] == place["name"]
        conversation = await office.conversation()
        with pytest.raises(InvalidInput) as refused:
            await office.desk.call(send_message, conversation_id=conversation["id"], content=place)
        (problem,) = refused.value.fields
        assert (problem.path, "1000 characters" in problem.message) == ("content.location.name", True)
        short = {**place, "name": "x" * 1000}
        await office.desk.call(send_message, conversation_id=conversation["id"], content=short)
        assert len(await office.history()) == 2

    async def test_it_opens_the_window_at_the_provider_s_time(self, office: Office) -> None:
        await office.write("hi", sent_at=at())
        assert await window_of(office) == (EARLIER, EARLIER + WINDOW)
        await office.write("an older one", sent_at=at(-30))
        assert await window_of(office) == (EARLIER, EARLIER + WINDOW)

    async def test_an_ad_opens_it_for_longer_and_a_comment_not_at_all(self, office: Office) -> None:
        await office.write("a comment", opens_window=False)
        assert await window_of(office) == (None, None)
        await office.write("from an ad", sent_at=at(), free_for="P3D")
        assert await window_of(office) == (EARLIER, EARLIER + timedelta(days=3))

    async def test_a_clock_ahead_of_ours_does_not_prolong_it(self, office: Office) -> None:
        await office.write("hi", sent_at=(datetime.now(UTC) + timedelta(days=300)).isoformat())
        opened_at, _ = await window_of(office)
        assert opened_at is not None
        assert opened_at <= datetime.now(UTC)

    async def test_an_answer_in_a_thread_stays_in_its_conversation(self, office: Office) -> None:
        first = await office.write("to all of you")
        await office.write("I am the colleague", sender="bob", in_thread=["nobody knows it", first])
        messages = await office.history()
        assert [message["author_name"] for message in messages] == ["Ann", "Bob"]
        assert messages[0]["author_id"] != messages[1]["author_id"]

    async def test_the_conversation_it_was_sent_to_decides(self, office: Office) -> None:
        await office.write("hi")
        conversation = await office.conversation()
        await office.write("from my other address", sender="ann2", conversation_id=conversation["id"])
        assert len(await office.history(conversation)) == 2

    async def test_nobody_gets_into_the_conversation_of_another_inbox(
        self, offices: Any, office: Office
    ) -> None:
        other = await offices.office(office.desk)
        first = await other.write("private")
        theirs = await other.conversation()
        await office.write("let me in", conversation_id=theirs["id"])
        await office.write("and me", sender="bob", in_thread=[first])
        assert len(await other.history()) == 1
        assert len(await office.conversations()) == 2


class TestEchoes:
    async def test_ours_settles_the_send(self, office: Office) -> None:
        await office.write("hi")
        message = await office.send("answer")
        await office.work()
        echo: dict[str, Any] = {
            "external_id": f"postal-{message['id']}",
            "person": person(),
            "content": text("answer"),
        }
        await office.news("echo", **echo)
        assert [one["content"]["text"] for one in await office.history()] == ["hi", "answer"]
        assert (await office.conversation())["owner"] == "human"

    async def test_a_person_s_in_the_provider_s_app_is_shown_and_stops_the_bot(self, office: Office) -> None:
        await office.write("hi")
        before = await office.conversation()
        echo: dict[str, Any] = {
            "external_id": "e-1",
            "person": person(),
            "content": text("I am on it"),
            "author": "Mai",
        }
        for copy in ("one", "two"):
            await office.news("echo", copy, **echo)
        _, shown = await office.history()
        assert (shown["direction"], shown["author_kind"], shown["author_name"]) == ("out", "outside", "Mai")
        assert shown["status"] == "sent"
        after = await office.conversation()
        assert (before["owner"], after["owner"]) == ("bot", "human")
        assert after["version"] == before["version"] + 1

    async def test_another_program_s_is_shown_and_the_bot_goes_on(self, office: Office) -> None:
        await office.write("hi")
        await office.news("echo", external_id="e-1", person=person(), content=text("ad"), by_app=True)
        assert len(await office.history()) == 2
        assert (await office.conversation())["owner"] == "bot"

    async def test_one_that_is_faster_than_the_provider_s_answer_waits_for_it(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The provider shows the message before it has answered the call that sent it."""
        await office.write("hi")
        conversation = await office.conversation()
        sent = asyncio.Event()
        answered = asyncio.Event()

        async def slow_send(*_: object) -> SendOutcome:
            sent.set()
            await answered.wait()
            return SendOutcome(external_id="m-1")

        monkeypatch.setattr(PostalChannel, "send", slow_send)
        await office.desk.call(set_owner, conversation_id=conversation["id"], owner="bot")
        await office.send("answer", keep_owner=True)
        working = asyncio.create_task(office.work())
        async with asyncio.timeout(10):
            await sent.wait()
        echo = event("echo", "e-1", external_id="m-1", person=person(), content=text("answer"))
        assert (await office.call(echo)).status_code == 200
        await office.work_on("inbound_events")
        assert len(await office.history()) == 2
        answered.set()
        await working
        await office.all_due("inbound_events")
        await office.work()
        assert [one["direction"] for one in await office.history()] == ["in", "out"]
        assert (await office.conversation())["owner"] == "bot"


class TestChanges:
    async def test_an_edit_replaces_the_words(self, office: Office) -> None:
        id_ = await office.write("helo", sent_at=at())
        await office.news("edit", external_id=id_, person=person(), content=text("hello"), edited_at=at(2))
        await office.news("edit", external_id=id_, person=person(), content=text("hell"), edited_at=at(1))
        (message,) = await office.history()
        assert message["content"]["text"] == "hello"
        assert datetime.fromisoformat(message["edited_at"]) == EARLIER + timedelta(minutes=2)
        assert await office.texts() == ["hello"]
        assert len(await office.events("message.edited")) == 1

    async def test_an_edit_that_overtakes_its_message_is_what_it_says(self, office: Office) -> None:
        await office.news("edit", external_id="ann:helo", person=person(), content=text("hello"))
        await office.write("helo")
        (message,) = await office.history()
        assert message["content"]["text"] == "hello"

    async def test_taking_back_leaves_nothing_of_the_words(self, office: Office) -> None:
        id_ = await office.write("my secret number", sent_at=at())
        await office.news("edit", external_id=id_, person=person(), content=text("my secret is 4711"))
        await office.news("reaction", external_id=id_, person=person(), emoji="x")
        await office.news("unsend", external_id=id_, person=person())
        (message,) = await office.history()
        assert message["unsent_at"] is not None
        assert message["content"] == {"type": "unsupported", "kind": "unsent", "text": None}
        assert message["reactions"] == []
        kept = await office.rows(
            "select to_jsonb(messages) as row from messages where inbox_id = $1 "
            "union all select to_jsonb(conversations) from conversations where inbox_id = $1 "
            "union all select to_jsonb(inbound_events) - 'dedupe_key' from inbound_events where inbox_id = $1 "
            "union all select to_jsonb(event_log) from event_log where inbox_id = $1"
        )
        assert "secret" not in orjson.dumps(
            [{**row["row"], "external_id": None} for row in kept], default=str
        ).decode().replace(id_, "")
        await office.news("edit", "late", external_id=id_, person=person(), content=text("my secret again"))
        (message,) = await office.history()
        assert message["content"]["kind"] == "unsent"

    async def test_taking_back_that_overtakes_its_message_keeps_it_from_being_shown(
        self, office: Office
    ) -> None:
        await office.news("unsend", external_id="ann:my secret", person=person())
        await office.write("my secret")
        (message,) = await office.history()
        assert message["content"]["kind"] == "unsent"
        assert [payload for payload in await office.stored() if payload.get("kind") == "message"] == []

    async def test_taking_back_what_nobody_knows_is_counted(self, office: Office) -> None:
        await office.news("unsend", external_id="never heard of")
        assert await office.unknown() == {"taking back of an unknown message": 1}

    async def test_reactions_are_shown_with_the_latest_of_each_person(self, office: Office) -> None:
        await office.write("hi")
        message = await office.send("answer")
        await office.work()
        news: list[dict[str, Any]] = [
            {"external_id": f"postal-{message['id']}", "emoji": "👍", "at": at(1)},
            {"external_id": message["id"], "emoji": "❤️", "at": at(3)},
            {"external_id": message["id"], "emoji": "", "at": at(2)},
        ]
        for order, chosen in enumerate(permutations(news)):
            for number, one in enumerate(chosen):
                await office.news("reaction", f"r-{order}-{number}", person=person(), **one)
            shown = (await office.history())[1]
            assert [reaction["emoji"] for reaction in shown["reactions"]] == ["❤️"]
        await office.news("reaction", person=person(), external_id=message["id"], emoji="", at=at(4))
        assert (await office.history())[1]["reactions"] == []


class TestReceipts:
    async def test_statuses_in_any_order_end_at_the_furthest(self, office: Office) -> None:
        await office.write("hi")
        message = await office.send("answer")
        await office.work()
        names = [message["id"], f"postal-{message['id']}"]
        statuses = ["sent", "delivered", "read", "delivered"]
        random.Random(3).shuffle(statuses)
        for number, status in enumerate(statuses):
            await office.news("status", f"s{number}", message_id=names[number % 2], status=status)
        shown = await office.desk.call(get_message, message_id=message["id"])
        assert shown["message"]["status"] == "read"

    async def test_a_failure_says_why_and_what_it_costs_is_kept(self, office: Office) -> None:
        await office.write("hi")
        message = await office.send("answer")
        await office.work()
        pricing = {"billable": True, "category": "service", "model": "PMP"}
        await office.news(
            "status",
            message_id=message["id"],
            status="failed",
            code="131026",
            detail="Nobody is there.",
            reaction="unreachable",
            pricing=pricing,
        )
        shown = (await office.desk.call(get_message, message_id=message["id"]))["message"]
        assert shown["status"] == "failed"
        assert "Nobody is there." in shown["error"]
        (row,) = await office.rows("select pricing from messages where inbox_id = $1 and direction = 'out'")
        assert row["pricing"]["category"] == "service"

    async def test_a_status_of_a_message_nobody_knows_is_counted(self, office: Office) -> None:
        await office.news("status", message_id="never heard of", status="read")
        assert await office.unknown() == {"status of an unknown message": 1}

    async def test_everything_up_to_a_time_was_read(self, office: Office) -> None:
        await office.write("hi")
        for words in ("one", "two"):
            await office.send(words)
            await office.work()
        await office.news("watermark", person=person(), status="read", before=datetime.now(UTC).isoformat())
        assert [one["status"] for one in await office.history()] == ["received", "read", "read"]

    async def test_everything_up_to_a_message_was_delivered(self, office: Office) -> None:
        await office.write("hi")
        sent: list[dict[str, Any]] = []
        for words in ("one", "two"):
            sent.append(await office.send(words))
            await office.work()
        await office.news("watermark", person=person(), status="delivered", up_to=f"postal-{sent[0]['id']}")
        assert [one["status"] for one in await office.history()] == ["received", "delivered", "sent"]


class TestPeople:
    async def test_a_referral_without_a_message_opens_the_window(self, office: Office) -> None:
        referral = {"source": "SHORTLINK", "ref": "flyer"}
        await office.news("referral", person=person(), referral=referral, at=at())
        assert (await office.events("contact.referred"))[0]["ref"] == "flyer"
        assert await window_of(office) == (EARLIER, EARLIER + WINDOW)

    async def test_consent_is_on_record_with_where_it_comes_from(self, office: Office) -> None:
        await office.write("hi")
        await office.news("consent", person=person(), given=False, source="blocked the bot", at=at())
        await office.news("consent", person=person(), given=False, purpose="marketing", at=at())
        contact = await office.contact()
        assert {one["channel"]: (one["state"], one["source"]) for one in contact["consents"]} == {
            "postal": ("opted_out", "blocked the bot"),
            "postal_marketing": ("opted_out", "postal"),
        }

    async def test_consent_is_of_whom_a_conversation_proves_whoever_is_claimed(self, office: Office) -> None:
        await office.write("hi", "ann")
        await office.write("hi", "mallory")
        contacts = {one["contact_name"]: one["contact_id"] for one in await office.conversations()}
        (proven,) = [one["id"] for one in await office.conversations() if one["contact_name"] == "Mallory"]
        await office.news("consent", person=person("ann"), given=False, conversation_id=proven)
        consents = {
            name: len((await office.desk.call(list_consents, contact_id=contact_id))["items"])
            for name, contact_id in contacts.items()
        }
        assert consents == {"Ann": 0, "Mallory": 1}
        await office.news("consent", person=person("ann"), given=False, conversation_id=str(new_id()))
        assert await office.unknown() == {"consent in an unknown conversation": 1}

    async def test_an_objection_counts_though_its_writer_s_clock_is_wrong(self, office: Office) -> None:
        await office.news("consent", person=person(), given=True, at="2026-01-01T00:00:00Z")
        await office.write("STOP", sent_at="2001-01-01T00:00:00Z")
        contact = await office.contact()
        assert [one["state"] for one in contact["consents"]] == ["opted_out"]

    @pytest.mark.parametrize(
        "words", ["STOP", " stop. ", "Unsubscribe!", "Từ chối nhận tin", "hủy đăng ký", "TC"]
    )
    async def test_words_of_objection_are_heeded(self, office: Office, words: str) -> None:
        await office.write(words)
        (consent,) = (await office.contact())["consents"]
        assert (consent["state"], consent["source"], consent["evidence"]) == ("opted_out", "message", words)
        await office.write("UNSTOP")
        contact_id = (await office.conversation())["contact_id"]
        records = (await office.desk.call(list_consents, contact_id=contact_id))["items"]
        assert [record["state"] for record in records] == ["opted_out", "opted_in"]

    @pytest.mark.parametrize("words", ["please do not stop", "where is the bus stop?", "stopped", "dung"])
    async def test_other_words_are_not(self, office: Office, words: str) -> None:
        await office.write(words)
        assert (await office.contact())["consents"] == []

    async def test_somebody_with_a_new_number_keeps_the_conversation(self, office: Office) -> None:
        await office.write("hi", sender="old")
        before = await office.conversation()
        await office.news(
            "identity", person=person("old"), now={"identities": {"postal": "new"}}, reason="moved"
        )
        await office.write("it is me", sender="new")
        await office.write("from the old one", sender="old")
        after = await office.conversation()
        assert (after["id"], after["contact_id"]) == (before["id"], before["contact_id"])
        contact = await office.contact()
        assert {one["value"] for one in contact["identities"]} == {"old", "new"}

    async def test_what_is_answered_goes_to_the_new_number(self, office: Office) -> None:
        await office.write("hi", sender="old")
        await office.news("identity", person=person("old"), now={"identities": {"postal": "new"}})
        await office.send("there you are")
        await office.work()
        assert office.channel.provider.wall[-1].to == "new"

    async def test_a_move_of_somebody_unknown_makes_one_contact(self, office: Office) -> None:
        await office.news("identity", person=person("old"), now={"identities": {"postal": "new"}})
        await office.write("hi", sender="new")
        await office.write("ho", sender="old")
        assert len(await office.conversations()) == 1

    async def test_a_profile_fills_in_what_is_missing(self, office: Office) -> None:
        await office.write("hi")
        await office.news(
            "profile", person=person(phone="84901234567", email="ann@example.com"), fields={"note": "x"}
        )
        contact = await office.contact()
        assert (contact["phones"], contact["emails"]) == (["+84901234567"], ["ann@example.com"])

    async def test_who_wants_to_be_forgotten_is(self, office: Office) -> None:
        await office.write("my secret")
        contact_id = (await office.conversation())["contact_id"]
        await office.news("withdrawal", person=person())
        assert await office.conversations() == []
        with pytest.raises(NotFound):
            await office.desk.call(get_contact, contact_id=contact_id)
        assert "secret" not in orjson.dumps(await office.stored()).decode()


class TestLeads:
    async def test_answers_that_came_along_make_a_contact(self, office: Office) -> None:
        answers = {"Full Name": "Lan Tran", "email": "LAN@example.com", "phone_number": "+84 90 123 45 67"}
        lead: dict[str, Any] = {
            "lead_id": "900719925474099312",
            "form_id": "f",
            "ad_id": "a",
            "answers": answers,
        }
        await office.news("lead", **lead)
        (contact,) = (await office.desk.call(find_contacts, query="Lan Tran"))["items"]
        assert (contact["phones"], contact["emails"]) == (["+84901234567"], ["lan@example.com"])
        (announced,) = await office.events("lead.received")
        assert announced == {"contact_id": contact["id"], "form_id": "f", "ad_id": "a"}
        await office.news("lead", "again", **lead)
        assert len(await office.events("lead.received")) == 1

    async def test_answers_are_fetched_and_find_who_is_known(self, office: Office) -> None:
        await office.write("hi", person=person(email="ann@example.com"))
        office.channel.provider.leads["77"] = {"email": "ann@example.com", "first_name": "Anna"}
        await office.news("lead", lead_id="77")
        contact = await office.contact()
        assert contact["first_name"] == "Anna"
        (announced,) = await office.events("lead.received")
        assert announced["contact_id"] == contact["id"]
        assert (await office.desk.call(list_notes, contact_id=contact["id"]))["items"] == []

    async def test_one_that_cannot_be_had_is_kept_with_the_reason(self, office: Office) -> None:
        await office.news("lead", lead_id="gone")
        (row,) = await office.rows("select state, error from leads where inbox_id = $1")
        assert (row["state"], row["error"]) == ("failed", "There is no such lead.")


class TestAccount:
    async def test_its_news_change_health_and_pace(self, office: Office) -> None:
        await office.news(
            "account", kind="quality_update", words="Quality is low.", health="limited", per_second=5.0
        )
        shown = await office.desk.call(get_inbox, inbox_id=office.inbox_id)
        assert (shown["health"], shown["health_words"]) == ("limited", "Quality is low.")
        (row,) = await office.rows("select per_second from inboxes where id = $1")
        assert row["per_second"] == 5.0
        assert await office.events("inbox.news") == [{"kind": "quality_update", "words": "Quality is low."}]

    async def test_good_news_of_the_account_does_not_mend_lost_credentials(self, office: Office) -> None:
        async with office.desk.product.database.transaction():
            await set_health(office.desk.caller.workspace_id, office.inbox_id, "reconnect", "It has ended.")
        await office.news("account", kind="quality_update", words="Quality is high.", health="ok")
        shown = await office.desk.call(get_inbox, inbox_id=office.inbox_id)
        assert shown["health"] == "reconnect"


class TestUnknown:
    async def test_the_rest_of_a_call_is_worked_and_the_odd_one_marked(self, office: Office) -> None:
        await office.call(
            event("hologram", "odd"),
            event("message", "m", external_id="m", person=person(), content=text("hi")),
            event("message", "broken", external_id="x"),
        )
        await office.work()
        assert await office.texts() == ["hi"]
        assert await office.unknown() == {"hologram": 1, "odd message": 1}
        rows = await office.rows("select unknown from inbound_events where inbox_id = $1 order by dedupe_key")
        assert [row["unknown"] for row in rows] == ["odd message", None, "hologram"]
