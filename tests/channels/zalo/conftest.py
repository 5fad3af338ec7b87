"""An Official Account of the sandbox, somebody who wrote to it, and our channel between."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest_asyncio

from chatwright.channels.zalo.channel import Zalo
from chatwright.channels.zalo.settings import ZaloSettings
from chatwright.kernel.ids import new_id
from chatwright.net.http import Web
from chatwright.ports.channel import InboxView
from chatwright.ports.content import Content
from chatwright.ports.sending import Outgoing, OutgoingFile, SendOutcome
from chatwright.sandbox.world import Media
from chatwright.sandbox.zalo.account import OfficialAccount
from chatwright.sandbox.zalo.provider import Zalo as ZaloSandbox
from tests.channels.contract import an_inbox
from tests.sandbox.running import Ear, Stage, listening, staged

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
TEMPLATES = [
    {"id": "300001", "name": "On its way", "params": ["name"], "text": "<name>, it is on its way."},
    {"id": "300002", "name": "Spring", "params": ["name"], "tag": 3, "text": "<name>, spring is here."},
    {"id": "300003", "name": "Not yet", "params": ["name"], "status": "PENDING_REVIEW"},
]


@dataclass
class Office:
    """Both ends of the channel."""

    stage: Stage
    account: dict[str, Any]
    ada: dict[str, Any]
    channel: Zalo
    inbox: InboxView[ZaloSettings]

    async def send(self, content: Content, *, to: str | None = None, **more: Any) -> SendOutcome:
        return await self.channel.send(self.inbox, Outgoing(new_id(), to or self.ada["id"], content, **more))

    async def bubbles(self) -> list[dict[str, Any]]:
        return (await self.stage.phone(self.account, self.ada))["bubbles"]

    async def last_bubble(self) -> dict[str, Any]:
        return (await self.bubbles())[-1]

    def files_of_last_bubble(self) -> list[Media]:
        """The files themselves, which the controls give out by size alone."""
        return self.official.person(self.ada["id"]).thread.bubbles[-1].media

    @property
    def official(self) -> OfficialAccount:
        found = self.stage.sandbox.world.account("zalo", self.account["id"])
        assert isinstance(found, OfficialAccount)
        return found

    def with_settings(self, **settings: Any) -> InboxView[ZaloSettings]:
        return replace(self.inbox, settings=self.inbox.settings.model_copy(update=settings))


def settings_of(account: dict[str, Any], url: str) -> dict[str, Any]:
    """What an inbox of the sandbox's account is set up with."""
    secrets = account["secrets"]
    return {
        "app_id": secrets["app_id"],
        "oa_id": account["id"],
        "app_secret": secrets["app_secret"],
        "oa_secret_key": secrets["oa_secret"],
        "access_token": secrets["access_token"],
        "refresh_token": secrets["refresh_token"],
        "oauth_url": f"{url}/zalo",
        "api_url": f"{url}/zalo",
        "business_url": f"{url}/zalo",
    }


def a_file(content: bytes = PNG, media_type: str = "image/png", filename: str = "cup.png") -> OutgoingFile:
    async def read() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 7):
            yield content[start : start + 7]

    return OutgoingFile(filename, media_type, len(content), read, "https://files.example/cup.png")


async def open_office(stage: Stage, web: Web, **details: Any) -> Office:
    details = {"templates": TEMPLATES} | details
    account = await stage.account("zalo", name="Bean Bar", details=details)
    ada = await stage.person(account, phone="+84901234567")
    await stage.act(account, ada, "say", text="Xin chào")
    settings = ZaloSettings.model_validate(settings_of(account, stage.url))
    inbox = an_inbox(settings, hook_url="https://chat.example.com/hooks/1", hook_token="word")
    return Office(stage, account, ada, Zalo(web), inbox)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncGenerator[Stage]:
    async with staged([ZaloSandbox]) as opened:
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
    """Whoever hears the account's events."""
    async with listening() as opened:
        yield opened
