"""From raw events to conversations."""

import asyncio
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chatwright.features.messaging.jobs import inbound_ledger
from chatwright.features.messaging.operations import close_conversation, get_message
from chatwright.infra.claimer import Claimer
from chatwright.ports.channel import InboxView
from chatwright.ports.inbound import Inbound, RawEvent
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import PaperSettings, letter


class TestOnce:
    async def test_copies_of_an_event_are_one_message(self, post: Post) -> None:
        stored = await asyncio.gather(*(post.store(letter("hi")) for _ in range(5)))
        await post.work()
        assert sum(stored) == 1
        (conversation,) = await post.conversations()
        assert [message["content"]["text"] for message in await post.history(conversation)] == ["hi"]

    async def test_two_first_messages_at_once_begin_one_conversation(self, post: Post) -> None:
        first = [letter(f"first of {number}", sender=f"s{number}") for number in range(8)]
        second = [letter(f"second of {number}", sender=f"s{number}") for number in range(8)]
        apart = [
            RawEvent(event.dedupe_key, f"another lane: {event.dedupe_key}", event.payload) for event in second
        ]
        await post.store(*first, *apart)
        await asyncio.gather(post.work(), post.work(), post.work())
        conversations = await post.conversations()
        assert len(conversations) == 8
        assert len({conversation["contact_id"] for conversation in conversations}) == 8
        for conversation in conversations:
            assert len(await post.history(conversation)) == 2


class TestOrder:
    async def test_a_lane_is_worked_in_the_order_it_was_stored(self, post: Post) -> None:
        letters = [letter(f"{number}", sender=f"s{number % 3}") for number in range(60)]
        await post.store(*letters)
        await asyncio.gather(post.work(), post.work())
        for conversation in await post.conversations():
            numbers = [int(message["content"]["text"]) for message in await post.history(conversation)]
            assert numbers == sorted(numbers)
            assert len(numbers) == 20


class TestLarge:
    async def test_nobody_waits_while_a_large_event_is_read(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        going_on, others_go_on, where = asyncio.Event(), threading.Event(), dict[str, int]()
        loop, here, parse = asyncio.get_running_loop(), threading.get_ident(), post.channel.parse

        def parse_slowly(inbox: InboxView[PaperSettings], payload: Mapping[str, Any]) -> Sequence[Inbound]:
            where[payload["from"]] = threading.get_ident()
            if payload["from"] == "ann":
                loop.call_soon_threadsafe(going_on.set)
                assert others_go_on.wait(timeout=20)
            return parse(inbox, payload)

        monkeypatch.setattr(post.channel, "parse", parse_slowly)
        large = letter("large")
        await post.store(
            replace(large, payload={**large.payload, "filling": "x" * 2_000_000}),
            letter("small", sender="bob"),
        )
        working = asyncio.create_task(post.work_inbound())
        await going_on.wait()
        others_go_on.set()
        await working
        assert where["ann"] != here
        assert where["bob"] == here
        assert sorted(found["last_text"] for found in await post.conversations()) == ["large", "small"]

    async def test_it_is_worked_once_however_long_it_takes(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reading, ledger, parse = list[str](), replace(inbound_ledger(), lease_seconds=0.3), post.channel.parse
        may_end = threading.Event()

        def parse_slowly(inbox: InboxView[PaperSettings], payload: Mapping[str, Any]) -> Sequence[Inbound]:
            reading.append(payload["id"])
            may_end.wait(timeout=20)
            return parse(inbox, payload)

        monkeypatch.setattr(post.channel, "parse", parse_slowly)
        large = letter("large")
        await post.store(replace(large, payload={**large.payload, "filling": "x" * 2_000_000}))
        product = post.desk.product
        slow = asyncio.create_task(Claimer(product.database, product.signals, ledger).run_once())
        for _ in range(10):
            await asyncio.sleep(0.1)
            await Claimer(product.database, product.signals, ledger).run_once()
        may_end.set()
        await slow
        assert reading == ["ann:large"]
        assert [found["last_text"] for found in await post.conversations()] == ["large"]


class TestOddInput:
    async def test_an_unknown_kind_is_kept_and_counted(self, post: Post) -> None:
        for number in range(3):
            await post.receive(RawEvent(f"odd{number}", "ann", {"kind": "hologram"}))
        async with post.desk.product.database.transaction() as unit:
            row = await unit.connection.fetchrow(
                "select kind, seen from unknown_events where inbox_id = $1", post.inbox_id
            )
            kept = await unit.connection.fetch(
                "select state from inbound_events where inbox_id = $1", post.inbox_id
            )
        assert row is not None
        assert (row["kind"], row["seen"]) == ("hologram", 3)
        assert [record["state"] for record in kept] == ["done"] * 3

    async def test_made_up_kinds_are_counted_together_from_some_number_on(self, post: Post) -> None:
        await post.receive(*(RawEvent(f"odd{n}", "ann", {"kind": f"kind {n}"}) for n in range(100)))
        await post.receive(*(RawEvent(f"odder{n}", "ann", {"kind": f"odder {n}"}) for n in range(5)))
        await post.receive(RawEvent("again", "ann", {"kind": "kind 7"}))
        async with post.desk.product.database.transaction() as unit:
            rows = await unit.connection.fetch(
                "select kind, seen from unknown_events where inbox_id = $1", post.inbox_id
            )
        seen = {row["kind"]: row["seen"] for row in rows}
        assert len(seen) == 101
        assert (seen["other"], seen["kind 7"]) == (5, 2)

    async def test_an_event_that_cannot_be_worked_does_not_stop_the_others(self, post: Post) -> None:
        broken = RawEvent("broken", "ann", {"kind": "message", "from": "ann"})
        await post.receive(broken, letter("hello", sender="bob"))
        (conversation,) = await post.conversations()
        assert conversation["last_text"] == "hello"


class TestState:
    async def test_a_message_opens_a_closed_conversation(self, post: Post) -> None:
        conversation = await post.begin()
        await post.desk.call(close_conversation, conversation_id=conversation["id"])
        await post.receive(letter("are you there?"))
        (conversation,) = await post.conversations()
        assert (conversation["state"], conversation["unread"]) == ("open", 2)


class TestStatuses:
    async def test_late_and_repeated_news_never_move_a_message_back(self, post: Post) -> None:
        conversation = await post.begin()
        message = await post.send(conversation, "answer")
        await post.work()
        news = ["sent", "delivered", "read", "delivered", "sent"]
        random.Random(7).shuffle(news)
        for number, status in enumerate(news):
            payload = {"kind": "status", "id": message["id"], "status": status}
            await post.receive(RawEvent(f"status{number}", "statuses", payload))
        detail = await post.desk.call(get_message, message_id=message["id"])
        assert detail["message"]["status"] == "read"
        assert {step["status"] for step in detail["timeline"]} == {
            "queued",
            "sending",
            "sent",
            "delivered",
            "read",
        }

    async def test_reading_up_to_a_message_reads_the_earlier_ones(self, post: Post) -> None:
        conversation = await post.begin()
        sent = [await post.send(conversation, text) for text in ("one", "two", "three")]
        await post.work()
        await post.receive(RawEvent("r1", "ann", {"kind": "read", "from": "ann", "up_to": sent[1]["id"]}))
        statuses = [message["status"] for message in await post.history(conversation)]
        assert statuses == ["received", "read", "read", "sent"]
