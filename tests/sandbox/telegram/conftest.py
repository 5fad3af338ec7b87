"""A sandbox with Telegram, a bot and somebody who wrote to it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from chatwright.sandbox.telegram.provider import Telegram
from tests.sandbox.running import Ear, Stage, listening, staged


@dataclass
class Corner:
    """A bot, a person, and the ways to both."""

    stage: Stage
    bot: dict[str, Any]
    ada: dict[str, Any]

    @property
    def token(self) -> str:
        return self.bot["secrets"]["token"]

    @property
    def chat(self) -> int:
        return int(self.ada["id"])

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the Bot API; returns the whole answer."""
        path = f"/telegram/bot{self.token}/{method}"
        return (await self.stage.http.post(path, json=parameters)).json()

    async def result(self, method: str, **parameters: Any) -> Any:
        answer = await self.call(method, **parameters)
        assert answer["ok"], answer
        return answer["result"]

    async def refusal(self, method: str, **parameters: Any) -> tuple[int, str]:
        answer = await self.call(method, **parameters)
        assert not answer["ok"], answer
        return answer["error_code"], answer["description"]

    async def act(self, type_: str, **action: Any) -> Any:
        return await self.stage.act(self.bot, self.ada, type_, **action)

    async def bubbles(self) -> list[dict[str, Any]]:
        return (await self.stage.phone(self.bot, self.ada))["bubbles"]

    async def updates(self) -> list[dict[str, Any]]:
        """What is pending, which is then confirmed."""
        found = await self.result("getUpdates")
        if found:
            await self.result("getUpdates", offset=found[-1]["update_id"] + 1)
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncGenerator[Stage]:
    async with staged([Telegram]) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def corner(stage: Stage) -> Corner:
    bot = await stage.account("telegram", name="Bean Bar", details={"chat_per_second": 10})
    ada = await stage.person(bot, username="ada", phone="+84901234567")
    corner = Corner(stage, bot, ada)
    await corner.act("say", text="Hello")
    await corner.updates()
    return corner


@pytest_asyncio.fixture(loop_scope="session")
async def ear() -> AsyncGenerator[Ear]:
    async with listening() as opened:
        yield opened
