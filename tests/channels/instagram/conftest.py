"""Instagram accounts of the sandbox with either login, somebody who wrote to them, and our channel between."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from chatwright.channels.instagram.channel import Instagram
from chatwright.channels.instagram.settings import InstagramSettings
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.ports.channel import HookRequest, InboxView
from chatwright.ports.content import Content
from chatwright.ports.inbound import Inbound
from chatwright.ports.sending import Outgoing, OutgoingFile, SendOutcome
from chatwright.sandbox.graph.provider import Graph
from tests.channels.contract import an_inbox
from tests.sandbox.graph.conftest import Shop, open_shop
from tests.sandbox.running import Ear, Heard, Stage, listening, staged

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
HOOK_TOKEN = "a-word-of-this-server-alone"


@dataclass
class Gallery:
    """Both ends of the channel."""

    shop: Shop
    channel: Instagram
    inbox: InboxView[InstagramSettings]

    async def send(self, content: Content, *, to: str | None = None, **more: Any) -> SendOutcome:
        outgoing = Outgoing(new_id(), to or self.shop.ada["id"], content, **more)
        return await self.channel.send(self.inbox, outgoing)

    async def heard(self) -> list[Inbound]:
        """What the account told since this was last asked, as the channel reads it."""
        await self.shop.stage.settled()
        calls = [*self.shop.ear.heard]
        self.shop.ear.heard.clear()
        return [inbound for one in calls for inbound in self.read(one)]

    def read(self, heard: Heard) -> list[Inbound]:
        request = HookRequest("POST", heard.headers, {}, heard.body)
        events = self.channel.split(self.inbox, request, self.channel.verify(self.inbox, request))
        return [inbound for raw in events for inbound in self.channel.parse(self.inbox, raw.payload)]

    def with_settings(self, **settings: Any) -> InboxView[InstagramSettings]:
        return replace(self.inbox, settings=self.inbox.settings.model_copy(update=settings))


def a_file(content: bytes = PNG, media_type: str = "image/png", url: str = "") -> OutgoingFile:
    async def read() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 7):
            yield content[start : start + 7]

    address = url or "https://files.example/cup.png"
    return OutgoingFile("cup.png", media_type, len(content), read, address)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncGenerator[Stage]:
    async with staged([Graph]) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ear() -> AsyncGenerator[Ear]:
    async with listening() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web() -> AsyncGenerator[Web]:
    opened = Web(["127.0.0.1"])
    yield opened
    await opened.close()


async def open_gallery(stage: Stage, ear: Ear, web: Web, login: str) -> Gallery:
    shop = await open_shop(stage, ear, "instagram", details={"login": login})
    settings = InstagramSettings.model_validate(
        {
            "login": login,
            "account_id": shop.id,
            "access_token": shop.token,
            "app_secrets": [shop.account["secrets"]["app_secret"]],
            "app_id": shop.account["details"]["app_id"],
            "base_url": f"{stage.url}/graph",
        }
    )
    inbox = an_inbox(settings, hook_url="https://chat.example.com/hooks/1", hook_token=HOOK_TOKEN)
    return Gallery(shop, Instagram(web), inbox)


@pytest_asyncio.fixture(loop_scope="session", params=["instagram", "facebook"])
async def gallery(stage: Stage, ear: Ear, web: Web, request: pytest.FixtureRequest) -> Gallery:
    """One for each way to log in."""
    return await open_gallery(stage, ear, web, request.param)


@pytest_asyncio.fixture(loop_scope="session")
async def own_gallery(stage: Stage, ear: Ear, web: Web) -> Gallery:
    """With Instagram Login."""
    return await open_gallery(stage, ear, web, "instagram")


@pytest_asyncio.fixture(loop_scope="session")
async def paged_gallery(stage: Stage, ear: Ear, web: Web) -> Gallery:
    """With Facebook Login."""
    return await open_gallery(stage, ear, web, "facebook")
