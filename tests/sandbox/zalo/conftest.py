"""A sandbox with Zalo, an Official Account and somebody who wrote to it."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest_asyncio

from chatwright.sandbox.zalo.provider import Zalo
from tests.sandbox.running import Ear, Stage, listening, staged


@dataclass
class Corner:
    """An account, a person, and the ways to both."""

    stage: Stage
    account: dict[str, Any]
    ada: dict[str, Any]
    ear: Ear
    token: str

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        return (await self.answer("POST", path, json=body)).json()

    async def get(self, path: str, **data: Any) -> dict[str, Any]:
        return (await self.answer("GET", path, params={"data": json.dumps(data)})).json()

    async def answer(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        headers = {"access_token": self.token}
        answer = await self.stage.http.request(method, f"/zalo{path}", headers=headers, **arguments)
        assert answer.status_code == 200, answer.text
        return answer

    async def send(self, **message: Any) -> dict[str, Any]:
        """Send a customer-care message to Ada."""
        return await self.post("/v3.0/oa/message/cs", recipient={"user_id": self.ada["id"]}, message=message)

    async def grant(self, secret: str | None = None, **form: str) -> dict[str, Any]:
        secrets = self.account["secrets"]
        headers = {"secret_key": secret or secrets["app_secret"]}
        form = {"app_id": secrets["app_id"], **form}
        return (await self.stage.http.post("/zalo/v4/oa/access_token", data=form, headers=headers)).json()

    async def act(self, type_: str, **action: Any) -> Any:
        return await self.stage.act(self.account, self.ada, type_, **action)

    async def bubbles(self) -> list[dict[str, Any]]:
        return (await self.stage.phone(self.account, self.ada))["bubbles"]

    async def heard(self) -> list[dict[str, Any]]:
        """The events since the last time, oldest first."""
        await self.stage.settled()
        events = sorted(self.ear.events, key=lambda event: event["timestamp"])
        self.ear.heard.clear()
        return events


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncGenerator[Stage]:
    async with staged([Zalo], waits=100_000) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def corner(stage: Stage) -> AsyncGenerator[Corner]:
    async with listening() as ear:
        details = {
            "templates": [
                {"id": "1", "name": "Way", "params": ["name"], "text": "Hi <name>, it is on its way."},
                {"id": "2", "name": "Sale", "params": ["code"], "tag": 3},
                {"id": "3", "name": "Waiting", "params": ["code"], "status": "PENDING_REVIEW"},
            ]
        }
        account = await stage.account("zalo", name="Phở Bar", webhook_url=ear.url, details=details)
        ada = await stage.person(account, phone="+84901234567")
        corner = Corner(stage, account, ada, ear, account["secrets"]["access_token"])
        await corner.act("say", text="Xin chào")
        await corner.heard()
        yield corner
