"""A paper inbox and its post office."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from chatwright.features.messaging.inboxes.opening import find_inbox
from chatwright.features.messaging.inboxes.operations import create_inbox
from chatwright.features.messaging.jobs import inbound_ledger
from chatwright.features.messaging.operations import (
    list_conversations,
    list_messages,
    send_message,
)
from chatwright.features.messaging.receiving import Arrival, accept
from chatwright.infra.claimer import Claimer
from chatwright.ports.channel import register_channel
from chatwright.ports.inbound import RawEvent
from tests.conftest import Desk
from tests.features.messaging.paper import PaperChannel, letter


@dataclass(frozen=True)
class Post:
    """One paper inbox: letters come in, answers go out."""

    desk: Desk
    inbox_id: UUID
    channel: PaperChannel

    async def store(self, *events: RawEvent) -> int:
        """Put raw events into the inbox, as a hook does."""
        async with self.desk.product.database.transaction():
            inbox = await find_inbox(self.inbox_id)
            assert inbox is not None
            return len(await accept([Arrival(inbox.view, event) for event in events]))

    async def work(self) -> None:
        """Work everything that is due now, in and out."""
        product = self.desk.product
        for ledger in product.ledgers:
            claimer = Claimer(product.database, product.signals, ledger, concurrency=4)
            while await claimer.run_once():
                pass

    async def work_inbound(self) -> None:
        """Work what came in, and leave what goes out."""
        product = self.desk.product
        while await Claimer(product.database, product.signals, inbound_ledger()).run_once():
            pass

    async def receive(self, *events: RawEvent) -> None:
        await self.store(*events)
        await self.work()

    async def conversations(self) -> list[dict[str, Any]]:
        return (await self.desk.call(list_conversations))["items"]

    async def begin(self, text: str = "hi", sender: str = "ann") -> dict[str, Any]:
        """A conversation somebody began."""
        await self.receive(letter(text, sender=sender))
        return next(found for found in await self.conversations() if found["last_text"] == text)

    async def history(self, conversation: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All messages, oldest first."""
        page = await self.desk.call(list_messages, conversation_id=conversation["id"], limit=200)
        return page["items"][::-1]

    async def send_content(
        self, conversation: Mapping[str, Any], content: Mapping[str, Any], **more: Any
    ) -> dict[str, Any]:
        return await self.desk.call(send_message, conversation_id=conversation["id"], content=content, **more)

    async def send(self, conversation: Mapping[str, Any], text: str, **more: Any) -> dict[str, Any]:
        return await self.desk.call(send_message, conversation_id=conversation["id"], text=text, **more)


@pytest.fixture
def paper() -> PaperChannel:
    channel = PaperChannel()
    register_channel(channel)
    return channel


@pytest_asyncio.fixture(loop_scope="session")
async def post(desk: Desk, paper: PaperChannel) -> Post:
    inbox = await desk.call(create_inbox, channel="paper", name="Letters")
    return Post(desk, UUID(inbox["id"]), paper)


async def together(*calls: Any) -> list[Any]:
    return list(await asyncio.gather(*calls))
