"""A webchat inbox behind the surface, and a browser's page as far as the wire shows it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
import pytest_asyncio

from chatwright.channels.webchat.channel import Webchat
from chatwright.features.messaging.inboxes.operations import create_inbox
from chatwright.features.messaging.operations import list_conversations, send_message
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.infra.claimer import Claimer
from chatwright.kernel.caller import Caller
from chatwright.ports.channel import register_channel
from chatwright.surfaces.hooks.routes import hook_routes
from tests.conftest import Desk
from tests.serving import ServerSentEvent, events_in, serving

SITE = "https://shop.example"


@dataclass
class Page:
    """One page of a website, with its own client so that nothing is shared by accident."""

    client: httpx2.AsyncClient
    inbox_id: UUID
    origin: str | None = SITE
    token: str = ""
    visitor_id: str = ""
    extra: dict[str, str] = field(default_factory=dict[str, str])

    def headers(self) -> dict[str, str]:
        headers = dict(self.extra)
        if self.origin is not None:
            headers["origin"] = self.origin
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        return headers

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        return await self.client.get(f"/webchat/{self.inbox_id}{path}", params=query, headers=self.headers())

    async def post(self, path: str, body: Any) -> httpx2.Response:
        return await self.client.post(f"/webchat/{self.inbox_id}{path}", json=body, headers=self.headers())

    async def hook(self, body: Any = None, *, content: bytes | None = None) -> httpx2.Response:
        path = f"/hooks/{self.inbox_id}"
        if content is not None:
            return await self.client.post(path, content=content, headers=self.headers())
        return await self.client.post(path, json=body, headers=self.headers())

    async def open(self) -> dict[str, Any]:
        """Begin or go on with a session, as opening the chat does."""
        response = await self.post("/session", {"token": self.token} if self.token else {})
        assert response.status_code == 200, response.text
        session = response.json()
        self.token, self.visitor_id = session["token"], session["visitor_id"]
        return session

    async def say(self, *texts: str) -> httpx2.Response:
        """Send messages whose text is their id too."""
        events = [{"type": "message", "client_id": text, "text": text} for text in texts]
        return await self.hook({"events": events})

    async def messages(self, after: int = 0) -> list[dict[str, Any]]:
        return (await self.get("/messages", after=after)).json()["items"]

    async def texts(self) -> list[str]:
        return [message["content"]["text"] for message in await self.messages()]

    @asynccontextmanager
    async def stream(self, after: int = 0) -> AsyncGenerator[AsyncIterator[ServerSentEvent]]:
        """The page's stream, its first comment already read."""
        url = f"/webchat/{self.inbox_id}/stream?after={after}"
        async with self.client.stream("GET", url, headers=self.headers()) as response:
            assert response.status_code == 200
            events = events_in(response)
            assert (await anext(events)).comment == "ready"
            yield events


@dataclass(frozen=True)
class Chat:
    """A webchat inbox and the server it is reached at."""

    desk: Desk
    inbox_id: UUID
    client: httpx2.AsyncClient

    def page(self, **more: Any) -> Page:
        return Page(self.client, self.inbox_id, **more)

    async def visitor(self) -> Page:
        """A page with a session."""
        page = self.page()
        await page.open()
        return page

    async def work(self) -> None:
        """Work what came in and what goes out."""
        product = self.desk.product
        for ledger in product.ledgers:
            claimer = Claimer(product.database, product.signals, ledger)
            while await claimer.run_once():
                pass

    async def conversations(self) -> list[dict[str, Any]]:
        return (await self.desk.call(list_conversations, inbox_id=self.inbox_id))["items"]

    async def answer(self, text: str, *, as_: Caller | None = None) -> dict[str, Any]:
        """Answer the only conversation there is."""
        (conversation,) = await self.conversations()
        return await self.desk.call(send_message, as_=as_, conversation_id=conversation["id"], text=text)


@pytest_asyncio.fixture(loop_scope="session")
async def chat(desk: Desk) -> AsyncGenerator[Chat]:
    product = desk.product
    register_channel(Webchat(product.cipher, "http://server.example"))
    inbox = await desk.call(
        create_inbox, channel="webchat", name="Shop", settings={"allowed_origins": [SITE], "name": "The shop"}
    )
    routes = hook_routes(product.database, product.signals, RateLimiter(product.database))
    async with serving(routes) as url, httpx2.AsyncClient(base_url=url, timeout=20) as client:
        yield Chat(desk, UUID(inbox["id"]), client)
