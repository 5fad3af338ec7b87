"""A sandbox with the Graph API, an account of each kind and somebody who knows it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from chatwright.sandbox.graph.provider import Graph
from tests.sandbox.running import Ear, Stage, listening, staged


@dataclass
class Shop:
    """An account, somebody who wrote to it lately, and who hears its webhooks."""

    stage: Stage
    ear: Ear
    account: dict[str, Any]
    ada: dict[str, Any]

    @property
    def id(self) -> str:
        return self.account["id"]

    @property
    def token(self) -> str:
        return self.account["secrets"]["access_token"]

    async def call(self, method: str, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """Call the Graph API; returns the status and the body."""
        options: dict[str, Any] = {"params" if method == "GET" else "json": body}
        answer = await self.stage.http.request(
            method, f"/graph/v26.0/{path}", headers={"authorization": f"Bearer {self.token}"}, **options
        )
        return answer.status_code, answer.json()

    async def ok(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        status, answer = await self.call(method, path, **body)
        assert status == 200, answer
        return answer

    async def refusal(self, method: str, path: str, **body: Any) -> str:
        """The code of a refusal, with its subcode behind a slash."""
        status, answer = await self.call(method, path, **body)
        assert status >= 400, answer
        error = answer["error"]
        return "/".join(str(error[name]) for name in ("code", "error_subcode") if name in error)

    async def act(self, type_: str, **action: Any) -> Any:
        return await self.stage.act(self.account, self.ada, type_, **action)

    async def happen(self, name: str, /, **values: Any) -> Any:
        return await self.act("happen", name=name, values=values)

    async def occur(self, name: str, /, **values: Any) -> Any:
        path = f"/accounts/{self.account['kind']}/{self.id}/events"
        return (await self.stage.control("POST", path, name=name, values=values))["id"]

    async def fault(self, **switches: Any) -> None:
        await self.stage.fault(self.account, **switches)

    async def change_ada(self, **change: Any) -> None:
        path = f"/accounts/{self.account['kind']}/{self.id}/people/{self.ada['id']}"
        await self.stage.control("PATCH", path, **change)

    async def bubbles(self) -> list[dict[str, Any]]:
        return (await self.stage.phone(self.account, self.ada))["bubbles"]

    async def sends(self) -> dict[str, Any]:
        return await self.stage.control("GET", f"/accounts/{self.account['kind']}/{self.id}/sends/copies")

    async def hooks(self) -> list[dict[str, Any]]:
        return await self.stage.control("GET", f"/accounts/{self.account['kind']}/{self.id}/hooks")

    async def values(self) -> list[dict[str, Any]]:
        """The values of the changes that came so far, which are then forgotten."""
        await self.stage.settled()
        entries = [entry for event in self.ear.events for entry in event["entry"]]
        self.ear.heard.clear()
        return [change["value"] for entry in entries for change in entry["changes"]]

    async def statuses(self) -> list[dict[str, Any]]:
        return [status for value in await self.values() for status in value.get("statuses", [])]

    async def messages(self) -> list[dict[str, Any]]:
        return [message for value in await self.values() for message in value.get("messages", [])]

    async def items(self) -> list[dict[str, Any]]:
        """The items of pages' chats that came so far, which are then forgotten."""
        await self.stage.settled()
        entries = [entry for event in self.ear.events for entry in event["entry"]]
        self.ear.heard.clear()
        return [item for entry in entries for item in entry.get("messaging", [])]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncGenerator[Stage]:
    async with staged([Graph]) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ear() -> AsyncGenerator[Ear]:
    async with listening() as opened:
        yield opened


async def open_shop(stage: Stage, ear: Ear, kind: str, **new: Any) -> Shop:
    """An account of a kind, and Ada, who wrote just now."""
    account = await stage.account(kind, webhook_url=ear.url, **new)
    shop = Shop(stage, ear, account, await stage.person(account))
    await shop.act("say", text="Hello")
    await stage.settled()
    ear.heard.clear()
    return shop


@pytest_asyncio.fixture(loop_scope="session")
async def number(stage: Stage, ear: Ear) -> Shop:
    return await open_shop(stage, ear, "whatsapp")


@pytest_asyncio.fixture(loop_scope="session")
async def page(stage: Stage, ear: Ear) -> Shop:
    return await open_shop(stage, ear, "messenger")


@pytest_asyncio.fixture(loop_scope="session")
async def insta(stage: Stage, ear: Ear) -> Shop:
    return await open_shop(stage, ear, "instagram")
