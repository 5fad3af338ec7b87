"""Shops on a provider of the sandbox: the product's own programs, inboxes connected to it, and customers."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from chatwright.sandbox.server import MakeProvider
from tests.e2e.programs import Home, free_port, web, worker
from tests.sandbox.running import Stage, staged

T = TypeVar("T")
PATIENCE_SECONDS = 20
"""For one thing to become visible."""
MakeSettings = Callable[[dict[str, Any], str], dict[str, Any]]
"""An inbox's settings, from the sandbox's account and its address."""


async def soon(look: Callable[[], Awaitable[T | None]]) -> T:
    """What there is to see, as soon as it is there."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await look()):
            await asyncio.sleep(0.05)
    return found


@dataclass
class Shop:
    """A running product and the provider's account that is connected to it."""

    stage: Stage
    account: dict[str, Any]
    ada: dict[str, Any]
    owner: httpx2.AsyncClient
    inbox: dict[str, Any]
    findings: list[dict[str, Any]]

    async def act(self, type_: str, *, who: dict[str, Any] | None = None, **action: Any) -> Any:
        return await self.stage.act(self.account, who or self.ada, type_, **action)

    async def bubbles(self, who: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        return (await self.stage.phone(self.account, who or self.ada))["bubbles"]

    async def bubble(self, text: str, who: dict[str, Any] | None = None) -> dict[str, Any]:
        """The bubble with this text, as soon as the phone shows it."""

        async def shown() -> dict[str, Any] | None:
            return next((one for one in await self.bubbles(who) if one["text"] == text), None)

        return await soon(shown)

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.owner.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.owner.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def conversations(self) -> list[dict[str, Any]]:
        """Those of the inbox, the newest first."""
        return (await self.get("/conversations", inbox_id=self.inbox["id"]))["items"]

    async def messages(self) -> list[dict[str, Any]]:
        """The messages of every conversation, each conversation's in its order."""
        found: list[dict[str, Any]] = []
        for conversation in await self.conversations():
            found += (await self.get(f"/conversations/{conversation['id']}/messages"))["items"]
        return found

    async def message(self, status: str | None = None, **content: Any) -> dict[str, Any]:
        """The message whose content has these parts, as soon as it is there and has this status."""

        async def there() -> dict[str, Any] | None:
            for message in await self.messages():
                if content.items() <= message["content"].items() and status in {None, message["status"]}:
                    return message
            return None

        return await soon(there)

    async def answer(self, content: dict[str, Any], to: dict[str, Any]) -> dict[str, Any]:
        """Send into the conversation that a message stands in."""
        return await self.post(f"/conversations/{to['conversation_id']}/messages", content=content)


@dataclass(frozen=True)
class Premises:
    """The product's programs and a sandbox, in which any number of shops can be."""

    home: Home
    stage: Stage
    owner: httpx2.AsyncClient

    def log(self) -> str:
        """Everything that the programs said so far."""
        return "".join(file.read_text() for file in self.home.folder.glob("*.log"))

    async def open(self, kind: str, settings_of: MakeSettings, **account: Any) -> Shop:
        """Connect a new account of the sandbox, which has one customer so far."""
        made = await self.stage.account(kind, **account)
        new = {"channel": kind, "name": "Shop", "settings": settings_of(made, self.stage.url)}
        answer = await self.owner.post("/inboxes/connect", json=new)
        assert answer.status_code == 200, answer.text
        ada = await self.stage.person(made, phone="+84901234567")
        return Shop(self.stage, made, ada, self.owner, answer.json()["inbox"], answer.json()["findings"])


@asynccontextmanager
async def open_premises(folder: Path, maker: MakeProvider, *, workers: int = 1) -> AsyncGenerator[Premises]:
    """Run the product on a folder of its own beside a sandbox with this provider."""
    home = Home(folder, {"CHATWRIGHT_ALLOWED_HOSTS": "127.0.0.1"})
    port = free_port()
    server, hands = web(home, port), [worker(home, number) for number in range(workers)]
    await server.up()
    for hand in hands:
        hand.start()
    headers = {"authorization": f"Bearer {home.token()}"}
    url = f"http://127.0.0.1:{port}/api/v1"
    try:
        for hand in hands:
            await hand.ready()
        async with (
            staged([maker]) as stage,
            httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as owner,
        ):
            yield Premises(home, stage, owner)
    finally:
        for hand in hands:
            hand.stop()
        server.stop()
