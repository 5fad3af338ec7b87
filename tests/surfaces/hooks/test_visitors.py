"""What a visitor's page sees."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from chatwright.features.messaging.inboxes.operations import delete_inbox, update_inbox
from chatwright.features.messaging.operations import (
    add_note,
    mark_read,
)
from chatwright.features.messaging.typing import Side, Typing, typing_signal
from chatwright.kernel.caller import PrincipalKind
from tests.serving import ServerSentEvent
from tests.surfaces.hooks.conftest import SITE, Chat, Page

QUICK = 5.0
"""Seconds by which news must be there that came with a signal; without one it takes fifteen."""


async def following(events: AsyncIterator[ServerSentEvent], kind: str) -> ServerSentEvent:
    """The next event of a kind."""
    async with asyncio.timeout(QUICK):
        async for event in events:
            if event.event == kind:
                return event
    pytest.fail(f"the stream ended before {kind}")


async def can_stream(page: Page) -> bool:
    url = f"/webchat/{page.inbox_id}/stream"
    async with page.client.stream("GET", url, headers=page.headers()) as response:
        return response.status_code == 200


async def test_what_is_wrong_with_an_inbox_is_not_told_to_visitors(chat: Chat) -> None:
    async with chat.desk.product.database.transaction() as unit:
        await unit.connection.execute(
            "update inboxes set settings = $2 where id = $1", chat.inbox_id, {"allowed_origins": 7}
        )
    response = await chat.page().get("")
    assert response.status_code == 500
    assert response.json()["message"] == "This inbox does not work at the moment."
    assert "Shop" not in response.text


class TestSessions:
    async def test_the_profile_is_shown_before_anything_is_said(self, chat: Chat) -> None:
        response = await chat.page().get("")
        assert response.json() == {"name": "The shop", "greeting": "Hi! How can we help?", "color": "#2563eb"}
        assert response.headers["access-control-allow-origin"] == SITE

    async def test_a_session_goes_on_with_its_token(self, chat: Chat) -> None:
        page = chat.page()
        first = await page.open()
        assert first["cursor"] == 0
        await page.say("hi")
        await chat.work()
        again = await page.open()
        assert again["visitor_id"] == first["visitor_id"]
        assert again["cursor"] == 1
        assert again["inbox"]["name"] == "The shop"

    async def test_a_bad_token_begins_somebody_new(self, chat: Chat) -> None:
        page = await chat.visitor()
        before, page.token = page.visitor_id, page.token[:-4] + "AAAA"
        await page.open()
        assert page.visitor_id != before

    async def test_sessions_from_one_address_are_limited(self, chat: Chat) -> None:
        page = chat.page()
        answers = [await page.post("/session", {}) for _ in range(150)]
        assert answers[0].status_code == 200
        assert answers[-1].status_code == 429

    async def test_browsers_may_ask_first(self, chat: Chat) -> None:
        for path in (f"/hooks/{chat.inbox_id}", f"/webchat/{chat.inbox_id}/session"):
            response = await chat.client.options(
                path, headers={"origin": SITE, "access-control-request-method": "POST"}
            )
            assert response.status_code == 204
            assert response.headers["access-control-allow-origin"] == SITE
            assert response.headers["access-control-allow-headers"] == "Authorization, Content-Type"
            refused = await chat.client.options(path, headers={"origin": "https://elsewhere.example"})
            assert refused.status_code == 403


class TestHistory:
    async def test_both_sides_are_there_and_notes_are_not(self, chat: Chat) -> None:
        page = await chat.visitor()
        await page.say("hi")
        await chat.work()
        (conversation,) = await chat.conversations()
        await chat.desk.call(add_note, conversation_id=conversation["id"], text="be kind")
        sent = await chat.answer("hello")
        said, answered = await page.messages()
        assert (said["direction"], said["client_id"], said["author"]) == ("in", "hi", None)
        assert (answered["direction"], answered["id"], answered["author"]) == ("out", sent["id"], None)
        assert said["position"] < answered["position"]
        assert await page.messages(after=said["position"]) == [answered]
        assert "be kind" not in (await page.get("/messages")).text

    async def test_people_are_named_and_programs_are_not(self, chat: Chat) -> None:
        page = await chat.visitor()
        await page.say("hi")
        await chat.work()
        scopes = chat.desk.caller.scopes
        await chat.answer("hello", as_=chat.desk.caller_with(*scopes, kind=PrincipalKind.MEMBER))
        await chat.answer("beep", as_=chat.desk.caller_with(*scopes, kind=PrincipalKind.TOKEN))
        assert [message["author"] for message in await page.messages()] == [None, "Somebody", None]

    async def test_nobody_sees_another_visitor_s_messages(self, chat: Chat) -> None:
        page, other = await chat.visitor(), await chat.visitor()
        await page.say("hi")
        await chat.work()
        assert await other.messages() == []

    async def test_a_page_of_the_server_itself_reads_without_naming_an_origin(self, chat: Chat) -> None:
        page = await chat.visitor()
        page.origin = None
        assert (await page.get("/messages")).status_code == 200

    @pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 30, "٣"])
    async def test_a_position_that_is_none_is_refused(self, chat: Chat, after: str) -> None:
        page = await chat.visitor()
        assert (await page.get("/messages", after=after)).status_code == 422


class TestStream:
    async def test_what_was_said_comes_first_then_what_is_said(self, chat: Chat) -> None:
        page = await chat.visitor()
        await page.say("one")
        await chat.work()
        async with page.stream() as events:
            first = await following(events, "message")
            assert first.data["content"]["text"] == "one"
            await chat.answer("two")
            second = await following(events, "message")
            assert second.data["content"]["text"] == "two"
            assert second.id == str(second.data["position"])

    async def test_a_stream_opened_before_the_first_word_hears_it(self, chat: Chat) -> None:
        page = await chat.visitor()
        async with page.stream() as events:
            await page.say("one")
            await chat.work()
            assert (await following(events, "message")).data["client_id"] == "one"
            await chat.answer("two")
            assert (await following(events, "message")).data["content"]["text"] == "two"

    async def test_one_who_comes_back_gets_what_came_meanwhile_in_order(self, chat: Chat) -> None:
        page = await chat.visitor()
        await page.say("0")
        await chat.work()
        async with page.stream() as events:
            last = await following(events, "message")
        for number in range(1, 6):
            await chat.answer(str(number))
        async with page.stream(after=int(last.id or 0)) as events:
            texts = [(await following(events, "message")).data["content"]["text"] for _ in range(5)]
        assert texts == ["1", "2", "3", "4", "5"]

    async def test_more_than_one_batch_comes_whole(self, chat: Chat) -> None:
        page = await chat.visitor()
        texts = [f"n{number}" for number in range(250)]
        for start in range(0, 250, 50):
            await page.say(*texts[start : start + 50])
        await chat.work()
        async with page.stream() as events:
            got = [(await following(events, "message")).data["client_id"] for _ in texts]
        assert got == texts

    async def test_both_sides_reading(self, chat: Chat) -> None:
        page = await chat.visitor()
        await page.say("one")
        await chat.work()
        sent = await chat.answer("two")
        (conversation,) = await chat.conversations()
        async with page.stream() as events:
            await chat.desk.call(mark_read, conversation_id=conversation["id"])
            assert (await following(events, "agent_read")).data == {"up_to": sent["position"]}
            await page.hook({"events": [{"type": "read", "up_to": sent["id"]}]})
            await chat.work()
            assert (await following(events, "read")).data == {"up_to": sent["position"]}

    async def test_typing(self, chat: Chat) -> None:
        page = await chat.visitor()
        await page.say("one")
        await chat.work()
        (conversation,) = await chat.conversations()
        product = chat.desk.product
        async with page.stream() as events:
            await following(events, "message")
            for typing in (True, False):
                news = Typing(chat.inbox_id, conversation["id"], Side.US, typing)
                product.signals.announce({typing_signal(chat.desk.caller.workspace_id, news)})
                assert (await following(events, "typing")).data == {"typing": typing}

    async def test_it_ends_with_its_inbox(self, chat: Chat) -> None:
        page = await chat.visitor()
        await page.say("one")
        await chat.work()
        async with page.stream() as events:
            await following(events, "message")
            await chat.desk.call(delete_inbox, inbox_id=chat.inbox_id)
            await asyncio.sleep(1)
            (conversation,) = await chat.conversations()
            await chat.desk.call(mark_read, conversation_id=conversation["id"])
            async with asyncio.timeout(QUICK):
                assert [event async for event in events if event.event == "message"] == []

    async def test_it_ends_when_its_website_may_no_longer(self, chat: Chat) -> None:
        page = await chat.visitor()
        await page.say("one")
        await chat.work()
        async with page.stream() as events:
            await following(events, "message")
            await chat.desk.call(
                update_inbox, inbox_id=chat.inbox_id, settings={"allowed_origins": ["https://other.example"]}
            )
            await asyncio.sleep(1)
            await chat.answer("for your eyes only")
            async with asyncio.timeout(QUICK):
                assert [event async for event in events if event.event == "message"] == []

    async def test_a_visitor_has_only_so_many(self, chat: Chat) -> None:
        page, other = await chat.visitor(), await chat.visitor()
        async with AsyncExitStack() as streams:
            for _ in range(8):
                await streams.enter_async_context(page.stream())
            refused = await page.get("/stream")
            assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
            await streams.enter_async_context(other.stream())
        async with asyncio.timeout(QUICK):
            while not await can_stream(page):
                await asyncio.sleep(0.05)

    async def test_without_a_session_there_is_none(self, chat: Chat) -> None:
        assert (await chat.page().get("/stream")).status_code == 401


class TestTyping:
    async def test_our_side_hears_of_it(self, chat: Chat) -> None:
        page = await chat.visitor()
        await page.say("one")
        await chat.work()
        (conversation,) = await chat.conversations()
        workspace_id = chat.desk.caller.workspace_id
        with chat.desk.product.signals.follow("typing") as follower:
            assert (await page.post("/typing", {"typing": True})).status_code == 204
            (heard,) = await follower.next(QUICK)
        assert heard == f"typing:{workspace_id}:{chat.inbox_id}:{conversation['id']}:contact:on"

    @pytest.mark.parametrize("body", [{}, {"typing": 1}, [], None])
    async def test_anything_else_is_refused(self, chat: Chat, body: object) -> None:
        page = await chat.visitor()
        assert (await page.post("/typing", body)).status_code == 422
