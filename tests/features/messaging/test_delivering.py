"""From an intended send to the wire."""

import asyncio
import contextlib

from chatwright.features.messaging.delivering import delivery_ledger
from chatwright.features.messaging.operations import get_message
from chatwright.infra.claimer import Claimer
from chatwright.ports.channel import Reaction, SendOutcome
from tests.features.messaging.conftest import Post


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


class TestUncertain:
    async def test_a_worker_that_dies_while_sending_leaves_an_unknown_message(self, post: Post) -> None:
        conversation = await post.begin()
        post.channel.outcomes["risky"] = asyncio.CancelledError()  # pyright: ignore[reportArgumentType]
        message = await post.send(conversation, "risky")
        product = post.desk.product
        ledger = delivery_ledger()
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
        post.channel.outcomes["rude"] = SendOutcome(reaction=Reaction.GIVE_UP, code="POLICY", detail="not so")
        message = await post.send(conversation, "rude")
        await post.work()
        detail = await post.desk.call(get_message, message_id=message["id"])
        assert (detail["message"]["status"], detail["message"]["error"]) == ("failed", "POLICY: not so")
