"""A product with many workers and inboxes on the sandbox's providers, to send from in numbers."""

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from chatwright.infra.postgres import start_embedded
from chatwright.sandbox.server import MakeProvider
from chatwright.sandbox.world import Account
from tests.e2e.programs import Home, Program, free_port, web, worker
from tests.sandbox.running import Stage, staged

SENDERS = 6
"""Calls under way at once; each with a token of its own, for what one principal may call is limited."""


def _whatsapp(account: dict[str, Any], url: str) -> dict[str, Any]:
    return {
        "phone_number_id": account["id"],
        "waba_id": account["details"]["waba_id"],
        "access_token": account["secrets"]["access_token"],
        "app_secrets": [account["secrets"]["app_secret"]],
        "base_url": f"{url}/graph",
    }


def _messenger(account: dict[str, Any], url: str) -> dict[str, Any]:
    return {
        "page_id": account["id"],
        "access_token": account["secrets"]["access_token"],
        "app_secrets": [account["secrets"]["app_secret"]],
        "app_id": account["details"]["app_id"],
        "base_url": f"{url}/graph",
    }


def _instagram(account: dict[str, Any], url: str) -> dict[str, Any]:
    return {
        "login": account["details"]["login"],
        "account_id": account["id"],
        "access_token": account["secrets"]["access_token"],
        "app_secrets": [account["secrets"]["app_secret"]],
        "app_id": account["details"]["app_id"],
        "base_url": f"{url}/graph",
    }


def _telegram(account: dict[str, Any], url: str) -> dict[str, Any]:
    return {"bot_token": account["secrets"]["token"], "base_url": f"{url}/telegram"}


def _zalo(account: dict[str, Any], url: str) -> dict[str, Any]:
    secrets = account["secrets"]
    return {
        "app_id": secrets["app_id"],
        "oa_id": account["id"],
        "app_secret": secrets["app_secret"],
        "oa_secret_key": secrets["oa_secret"],
        "access_token": secrets["access_token"],
        "refresh_token": secrets["refresh_token"],
        "tokens_at": datetime.now(UTC).isoformat(),
        "oauth_url": f"{url}/zalo",
        "api_url": f"{url}/zalo",
        "business_url": f"{url}/zalo",
    }


SETTINGS: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "whatsapp": _whatsapp,
    "messenger": _messenger,
    "instagram": _instagram,
    "telegram": _telegram,
    "zalo": _zalo,
}
HOOK_BY_HAND = frozenset({"instagram", "zalo"})
"""Where a person enters the webhook's address at the provider."""


@dataclass
class Business:
    """The product's programs, their database, and the providers."""

    home: Home
    stage: Stage
    workers: list[Program]
    database: "asyncpg.Pool[asyncpg.Record]"
    owner: httpx2.AsyncClient
    senders: list[httpx2.AsyncClient] = field(default_factory=list[httpx2.AsyncClient])

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.owner.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.owner.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def heard_from(self, inbox_id: str, people: int) -> list[str]:
        """The conversations of an inbox, once so many people have written."""
        conversations: list[str] = []
        async with asyncio.timeout(60):
            while len(conversations) < people:
                page = await self.get("/conversations", inbox_id=inbox_id, limit=200)
                conversations = [item["id"] for item in page["items"]]
                await asyncio.sleep(0.1)
        return conversations

    async def open_deliveries(self) -> int:
        """How many are not at their end."""
        return await self.database.fetchval(
            "select count(*) from deliveries where state in ('queued', 'leased')"
        )

    @asynccontextmanager
    async def workers_away(self) -> AsyncGenerator[None]:
        """Have everything gather that is written meanwhile."""
        for hand in self.workers:
            hand.stop()
        yield
        for hand in self.workers:
            hand.start()
        for hand in self.workers:
            await hand.ready()

    async def all_ended(self) -> None:
        """Wait until nothing is left to send."""
        while await self.open_deliveries():
            await asyncio.sleep(0.2)


@dataclass
class Inbox(ABC):
    """An inbox, with the conversations of its customers."""

    business: Business
    kind: str
    inbox_id: UUID
    conversations: list[str]

    @abstractmethod
    async def took(self) -> Counter[str]:
        """How often each text got through to customers."""

    async def send_all(self, count: int) -> None:
        """Send so many messages, each with a text of its own, to one customer after the other."""
        numbered = itertools.cycle(self.conversations)
        jobs = iter([(next(numbered), f"{self.kind} message {number}") for number in range(count)])
        await asyncio.gather(*(self._send(client, jobs) for client in self.business.senders))

    async def _send(self, client: httpx2.AsyncClient, jobs: Iterator[tuple[str, str]]) -> None:
        for conversation_id, text in jobs:
            answer = await client.post(f"/conversations/{conversation_id}/messages", json={"text": text})
            while answer.status_code == 429:
                await asyncio.sleep(float(answer.headers["retry-after"]))
                answer = await client.post(f"/conversations/{conversation_id}/messages", json={"text": text})
            assert answer.status_code == 200, answer.text


@dataclass
class Outlet(Inbox):
    """An inbox on a provider of the sandbox."""

    account: dict[str, Any]

    @property
    def ledger(self) -> Account:
        """What the provider took."""
        return self.business.stage.sandbox.world.account(self.kind, self.account["id"])

    async def took(self) -> Counter[str]:
        return Counter(send.text for send in self.ledger.accepted)


async def connected(business: Business, kind: str, *, people: int, **account: Any) -> Outlet:
    """A new inbox, to which so many customers have written."""
    stage = business.stage
    made = await stage.account(kind, **account)
    settings = SETTINGS[kind](made, stage.url)
    found = await business.post("/inboxes/connect", channel=kind, name=kind.title(), settings=settings)
    inbox = found["inbox"]
    if kind in HOOK_BY_HAND:
        await stage.control("PATCH", f"/accounts/{kind}/{made['id']}", webhook_url=inbox["hook_url"])
    for number in range(people):
        person = await stage.person(made, name=f"Customer {number}")
        await stage.act(made, person, "say", text=f"Hello from {number}")
    return Outlet(business, kind, UUID(inbox["id"]), await business.heard_from(inbox["id"], people), made)


@asynccontextmanager
async def open_business(
    home: Home, makers: Sequence[MakeProvider], *, workers: int
) -> AsyncGenerator[Business]:
    """Run a server, so many workers, and a sandbox with these providers."""
    port = free_port()
    server, hands = web(home, port), [worker(home, number) for number in range(workers)]
    url = f"http://127.0.0.1:{port}/api/v1"
    await server.up()
    embedded = await asyncio.to_thread(start_embedded, home.data)
    database = await asyncpg.create_pool(embedded.dsn, min_size=1, max_size=4)
    owner = _client(url, home.token())
    senders: list[httpx2.AsyncClient] = []
    try:
        for hand in hands:
            hand.start()
        for hand in hands:
            await hand.ready()
        async with staged(makers) as stage:
            for number in range(SENDERS):
                made = await owner.post("/tokens", json={"name": f"Sender {number}"})
                assert made.status_code == 200, made.text
                senders.append(_client(url, made.json()["token"]))
            yield Business(home, stage, hands, database, owner, senders)
    finally:
        for client in (owner, *senders):
            await client.aclose()
        await database.close()
        for hand in hands:
            hand.stop()
        server.stop()


def _client(url: str, token: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=30)
