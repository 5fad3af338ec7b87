"""The door for events from outside."""

import asyncio

import pytest

from chatwright.features.messaging.inboxes.opening import find_inbox
from chatwright.features.messaging.inboxes.operations import delete_inbox
from chatwright.features.messaging.receiving import Arrival, accept
from chatwright.kernel.ids import new_id
from chatwright.ports.inbound import RawEvent
from chatwright.surfaces.hooks.intake import Intake
from tests.surfaces.hooks.conftest import Chat


async def stored(chat: Chat) -> list[dict[str, object]]:
    """The raw events kept for the inbox, in order."""
    async with chat.desk.product.database.transaction() as unit:
        rows = await unit.connection.fetch(
            "select payload from inbound_events where inbox_id = $1 order by position", chat.inbox_id
        )
    return [row["payload"]["event"] for row in rows]


class TestOnce:
    async def test_a_message_becomes_a_message_in_a_conversation(self, chat: Chat) -> None:
        page = await chat.visitor()
        assert (await page.say("hi")).json() == {"events": 1, "new": 1}
        await chat.work()
        (conversation,) = await chat.conversations()
        assert conversation["last_text"] == "hi"

    async def test_copies_count_once(self, chat: Chat) -> None:
        page = await chat.visitor()
        answers = await asyncio.gather(*(page.say("one", "two") for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        assert sum(answer.json()["new"] for answer in answers) == 2
        await chat.work()
        assert await page.texts() == ["one", "two"]

    async def test_a_copy_after_the_work_was_done_changes_nothing(self, chat: Chat) -> None:
        page = await chat.visitor()
        for _ in range(2):
            await page.say("one")
            await chat.work()
        assert await page.texts() == ["one"]

    async def test_nobody_takes_another_visitor_s_id(self, chat: Chat) -> None:
        for page in (await chat.visitor(), await chat.visitor()):
            await page.say("same")
            await chat.work()
            assert await page.texts() == ["same"]


class TestOrder:
    async def test_an_event_stored_later_waits_for_those_of_its_lane(self, chat: Chat) -> None:
        """Else it could be worked first: what is not committed yet, the workers cannot see."""
        product = chat.desk.product
        async with product.database.autocommit():
            inbox = await find_inbox(chat.inbox_id)
        assert inbox is not None
        first, second = (
            Arrival(inbox.view, RawEvent(name, "ann", {"event": name})) for name in ("first", "second")
        )

        async def store_second() -> None:
            async with product.database.autocommit():
                await accept([second])

        async with product.database.transaction():
            await accept([first])
            later = asyncio.create_task(store_second())
            await asyncio.wait([later], timeout=0.2)
            assert not later.done()
        await later
        assert await stored(chat) == ["first", "second"]


class TestTogether:
    async def test_a_call_that_cannot_be_stored_fails_alone(self, chat: Chat) -> None:
        product = chat.desk.product
        async with product.database.autocommit():
            inbox = await find_inbox(chat.inbox_id)
        assert inbox is not None
        intake = Intake(product.database)
        names = [f"fine {number}" for number in range(5)]
        bad = RawEvent("bad", "lane", {"event": "\0"})
        good = [RawEvent(name, "lane", {"event": name}) for name in names]
        results = await asyncio.gather(
            *(intake.store([Arrival(inbox.view, event)]) for event in (*good[:2], bad, *good[2:])),
            return_exceptions=True,
        )
        assert [isinstance(result, Exception) for result in results] == [
            False,
            False,
            True,
            False,
            False,
            False,
        ]
        assert await stored(chat) == names


class TestRefusals:
    async def test_an_unknown_inbox_is_not_found(self, chat: Chat) -> None:
        page = await chat.visitor()
        for inbox_id in (new_id(), "nonsense", "%00"):
            response = await chat.client.post(f"/hooks/{inbox_id}", json={}, headers=page.headers())
            assert response.status_code == 404
            assert response.json()["code"] == "INBOX_NOT_FOUND"

    async def test_a_disconnected_inbox_is_not_found_within_a_second(self, chat: Chat) -> None:
        page = await chat.visitor()
        await chat.desk.call(delete_inbox, inbox_id=chat.inbox_id)
        await asyncio.sleep(1)
        assert (await page.say("hi")).status_code == 404

    async def test_without_a_session_nothing_is_read(self, chat: Chat) -> None:
        page = chat.page()
        for header in ("Bearer", "Bearer x", "Bearer " + "A" * 71, "Basic eDp5", "~"):
            page.extra["authorization"] = header
            response = await page.hook(content=b"not json either")
            assert response.status_code == 401
            assert response.headers["access-control-allow-origin"] == page.origin
        assert await stored(chat) == []

    @pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", None])
    async def test_another_website_is_refused_and_may_not_read_why(
        self, chat: Chat, origin: str | None
    ) -> None:
        page = await chat.visitor()
        page.origin = origin
        response = await page.say("hi")
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers
        assert await stored(chat) == []

    async def test_a_large_body_is_refused(self, chat: Chat) -> None:
        page = await chat.visitor()
        response = await page.hook({"events": [], "filling": "x" * 1024 * 1024})
        assert response.status_code == 413

    async def test_a_flood_is_slowed_down_and_told_for_how_long(self, chat: Chat) -> None:
        page = await chat.visitor()
        answers = await asyncio.gather(*(page.hook({"events": []}) for _ in range(400)))
        (refused, *_) = [answer for answer in answers if answer.status_code != 200]
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1


class TestOddInput:
    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"\xff\xfe", b'"\\ud800"', b"[" * 100_000, b'{"a":' * 200 + b"1" + b"}" * 200, b"NaN"],
    )
    async def test_what_is_no_json_of_ours_is_refused_in_words(self, chat: Chat, content: bytes) -> None:
        page = await chat.visitor()
        response = await page.hook(content=content)
        assert response.status_code == 422
        assert response.json()["code"] == "INVALID_ARGUMENT"

    @pytest.mark.parametrize(
        "body",
        [b"[]", b"1", b"null", b'"x"', b"{}", b'{"events": 1}', b'{"events": [null, 1, {"type": {}}]}'],
    )
    async def test_what_nobody_knows_is_kept_and_counted(self, chat: Chat, body: bytes) -> None:
        page = await chat.visitor()
        response = await page.hook(content=body)
        assert response.status_code == 200
        kept = await stored(chat)
        assert len(kept) == response.json()["new"] > 0
        await chat.work()
        async with chat.desk.product.database.transaction() as unit:
            counted = await unit.connection.fetch(
                "select seen from unknown_events where inbox_id = $1", chat.inbox_id
            )
        assert sum(row["seen"] for row in counted) == len(kept)
        assert await chat.conversations() == []

    async def test_characters_that_postgresql_cannot_keep_are_replaced(self, chat: Chat) -> None:
        page = await chat.visitor()
        event = {"type": "message", "client_id": "a", "text": "a\0b", "more\0": ["\0"]}
        assert (await page.hook({"events": [event]})).status_code == 200
        await chat.work()
        assert await page.texts() == ["a\N{REPLACEMENT CHARACTER}b"]

    async def test_an_empty_call_is_no_error(self, chat: Chat) -> None:
        page = await chat.visitor()
        assert (await page.hook({"events": []})).json() == {"events": 0, "new": 0}
