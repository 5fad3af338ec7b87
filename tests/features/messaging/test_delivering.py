"""From an intended send to the wire."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

import pytest

from chatwright.features.messaging.deliveries.reacting import MOST_TRIES
from chatwright.features.messaging.jobs import delivery_ledger
from chatwright.features.messaging.operations import get_message
from chatwright.infra.claimer import Claimer
from chatwright.ports.sending import Reaction, SendOutcome
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import PaperChannel


class TestSend:
    async def test_a_message_goes_out_once_and_says_so(self, post: Post) -> None:
        conversation = await post.begin()
        message = await post.send(conversation, "hello Ann")
        await asyncio.gather(post.work(), post.work())
        detail = await post.desk.call(get_message, message_id=message["id"])
        assert detail["message"]["status"] == "sent"
        assert [str(outgoing.message_id) for outgoing in post.channel.wall] == [message["id"]]
        assert post.channel.wall[0].to == "ann"

    async def test_messages_of_a_conversation_go_out_in_order(self, post: Post) -> None:
        conversation = await post.begin()
        texts = [f"line {number}" for number in range(10)]
        for text in texts:
            await post.send(conversation, text)
        await asyncio.gather(post.work(), post.work())
        assert [getattr(outgoing.content, "text", "") for outgoing in post.channel.wall] == texts


class TestStopping:
    async def test_a_process_that_is_asked_to_stop_ends_what_it_is_sending(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = asyncio.Event()

        async def slowly(self: PaperChannel, inbox: Any, outgoing: Any) -> SendOutcome:
            self.wall.append(outgoing)
            await answer.wait()
            return SendOutcome(external_id="late")

        conversation = await post.begin()
        message = await post.send(conversation, "goodbye")
        monkeypatch.setattr(PaperChannel, "send", slowly)
        product = post.desk.product
        ledger = delivery_ledger(product.database, product.storage)
        worker = asyncio.create_task(Claimer(product.database, product.signals, ledger).run())
        while not post.channel.wall:
            await asyncio.sleep(0.01)
        worker.cancel()
        asyncio.get_running_loop().call_later(0.1, answer.set)
        with contextlib.suppress(asyncio.CancelledError):
            await worker
        detail = await post.desk.call(get_message, message_id=message["id"])
        assert detail["message"]["status"] == "sent"


class TestUncertain:
    async def test_a_worker_that_dies_while_sending_leaves_an_unknown_message(self, post: Post) -> None:
        conversation = await post.begin()
        post.channel.outcomes["risky"] = asyncio.CancelledError()  # pyright: ignore[reportArgumentType]
        message = await post.send(conversation, "risky")
        product = post.desk.product
        ledger = delivery_ledger(product.database, product.storage)
        with contextlib.suppress(asyncio.CancelledError):
            await Claimer(product.database, product.signals, ledger).run_once()
        async with product.database.transaction() as unit:
            await unit.connection.execute(
                "update deliveries set due_at = now() where message_id = $1", message["id"]
            )
        await post.work()
        detail = await post.desk.call(get_message, message_id=message["id"])
        assert detail["message"]["status"] == "unknown"
        assert len(post.channel.wall) == 1

    async def test_a_refusal_fails_the_message_with_the_reason(self, post: Post) -> None:
        conversation = await post.begin()
        post.channel.outcomes["rude"] = SendOutcome(
            reaction=Reaction.BAD_PAYLOAD, code="POLICY", detail="not so"
        )
        message = await post.send(conversation, "rude")
        await post.work()
        detail = await post.desk.call(get_message, message_id=message["id"])
        assert (detail["message"]["status"], detail["message"]["error"]) == ("failed", "POLICY: not so")


class TestGivingUp:
    """A message never waits for ever, and neither do those behind it."""

    async def test_a_channel_that_is_never_ready_fails_the_message(self, post: Post) -> None:
        conversation = await post.begin()
        post.channel.outcomes["not now"] = SendOutcome(
            reaction=Reaction.RETRY, code="BUSY", retry_after=0.001
        )
        first = await post.send(conversation, "not now")
        second = await post.send(conversation, "and then")
        await _until_all_ended(post)
        detail = await post.desk.call(get_message, message_id=first["id"])
        assert (detail["message"]["status"], detail["message"]["error"]) == ("failed", "BUSY")
        sent = [str(outgoing.message_id) for outgoing in post.channel.wall]
        assert sent == [first["id"]] * MOST_TRIES + [second["id"]]

    async def test_a_channel_that_trips_each_time_leaves_the_message_unknown(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(PaperChannel, "capabilities", replace(PaperChannel.capabilities, repeatable=True))
        conversation = await post.begin()
        post.channel.outcomes["odd"] = RuntimeError("a bug of the channel")
        message = await post.send(conversation, "odd")
        await _until_all_ended(post)
        detail = await post.desk.call(get_message, message_id=message["id"])
        assert detail["message"]["status"] == "unknown"
        assert "a bug of the channel" not in detail["message"]["error"]

    async def test_an_inbox_that_cannot_be_used_fails_the_message(self, post: Post) -> None:
        conversation = await post.begin()
        message = await post.send(conversation, "hello")
        async with post.desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update inboxes set settings = $2 where id = $1", post.inbox_id, {"unheard": "of"}
            )
        await _until_all_ended(post)
        detail = await post.desk.call(get_message, message_id=message["id"])
        assert detail["message"]["status"] == "failed"
        assert "settings" in detail["message"]["error"]


async def _until_all_ended(post: Post) -> None:
    """Work until no message waits any longer, without the pauses between attempts."""
    for _ in range(3 * MOST_TRIES):
        await post.work()
        async with post.desk.product.database.transaction() as unit:
            rows = await unit.connection.fetch(
                "update deliveries set due_at = now() where workspace_id = $1 and state = 'queued' returning id",
                post.desk.caller.workspace_id,
            )
            if not rows:
                return
    pytest.fail("A message still waits.")
