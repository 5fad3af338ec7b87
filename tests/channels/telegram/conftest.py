"""A bot of the sandbox, somebody who wrote to it, and our channel between."""

from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest_asyncio

from chatwright.channels.telegram.channel import Telegram
from chatwright.channels.telegram.settings import TelegramSettings
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.ports.channel import InboxView
from chatwright.ports.content import Content
from chatwright.ports.inbound import InboundMessage
from chatwright.ports.sending import Outgoing, OutgoingFile, SendOutcome
from chatwright.sandbox.telegram.provider import Telegram as TelegramSandbox
from chatwright.sandbox.world import Media
from tests.channels.contract import an_inbox
from tests.sandbox.running import Ear, Stage, listening, staged

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
HOOK_TOKEN = "a-word-of-this-server-alone"


@dataclass
class Office:
    """Both ends of the channel."""

    stage: Stage
    bot: dict[str, Any]
    ada: dict[str, Any]
    channel: Telegram
    inbox: InboxView[TelegramSettings]

    async def send(self, content: Content, *, to: str | None = None, **more: Any) -> SendOutcome:
        return await self.channel.send(self.inbox, Outgoing(new_id(), to or self.ada["id"], content, **more))

    async def person(self, **new: Any) -> dict[str, Any]:
        """Somebody else, who wrote to the bot already."""
        person = await self.stage.person(self.bot, **new)
        await self.stage.act(self.bot, person, "say", text="Hello")
        return person

    async def bubbles(self, person: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        return (await self.stage.phone(self.bot, person or self.ada))["bubbles"]

    async def last_bubble(self, person: dict[str, Any] | None = None) -> dict[str, Any]:
        return (await self.bubbles(person))[-1]

    def files_of_last_bubble(self) -> list[Media]:
        """The files themselves, which the controls give out by size alone."""
        ada = self.stage.sandbox.world.account("telegram", self.bot["id"]).person(self.ada["id"])
        return ada.thread.bubbles[-1].media

    async def method(self, name: str, **parameters: Any) -> None:
        """Call a method as the owner of the bot might, beside us."""
        path = f"/telegram/bot{self.bot['secrets']['token']}/{name}"
        assert (await self.stage.http.post(path, json=parameters)).is_success

    async def hear_with(self, ear: Ear) -> None:
        """Connect, so that the bot's updates come to this ear."""
        await self.channel.connect(replace(self.inbox, hook_url=ear.url))

    async def received_file(self, ear: Ear) -> str:
        """Somebody sends a file; returns what it is fetched by."""
        await self.hear_with(ear)
        content = b64encode(PNG).decode()
        sent = {
            "kind": "document",
            "content": content,
            "mime_type": "application/pdf",
            "filename": "bill.pdf",
        }
        await self.stage.act(self.bot, self.ada, "media", **sent)
        await self.stage.settled()
        (inbound,) = self.channel.parse(self.inbox, ear.events[-1])
        assert isinstance(inbound, InboundMessage)
        assert inbound.media
        return inbound.media

    def with_settings(self, **settings: Any) -> InboxView[TelegramSettings]:
        return replace(self.inbox, settings=self.inbox.settings.model_copy(update=settings))


def a_file(content: bytes = PNG, media_type: str = "image/png", filename: str = "cup.png") -> OutgoingFile:
    async def read() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 7):
            yield content[start : start + 7]

    return OutgoingFile(filename, media_type, len(content), read, "https://files.example/cup.png")


async def open_office(stage: Stage, web: Web) -> Office:
    bot = await stage.account("telegram", name="Bean Bar", details={"chat_per_second": 10})
    ada = await stage.person(bot, username="ada", phone="+84901234567")
    await stage.act(bot, ada, "say", text="Hello")
    # What was said so far came before there was an inbox.
    await stage.http.post(
        f"/telegram/bot{bot['secrets']['token']}/deleteWebhook", json={"drop_pending_updates": True}
    )
    settings = TelegramSettings.model_validate(
        {"bot_token": bot["secrets"]["token"], "base_url": f"{stage.url}/telegram"}
    )
    inbox = an_inbox(settings, hook_url="https://chat.example.com/hooks/1", hook_token=HOOK_TOKEN)
    return Office(stage, bot, ada, Telegram(web), inbox)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncGenerator[Stage]:
    async with staged([TelegramSandbox]) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web() -> AsyncGenerator[Web]:
    opened = Web(["127.0.0.1"])
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def office(stage: Stage, web: Web) -> Office:
    return await open_office(stage, web)


@pytest_asyncio.fixture(loop_scope="session")
async def ear() -> AsyncGenerator[Ear]:
    """Whoever hears the bot's updates."""
    async with listening() as opened:
        yield opened
