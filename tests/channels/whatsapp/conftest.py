"""A number on the sandbox's WhatsApp, our channel for it, and somebody who knows it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chatwright.channels.whatsapp.channel import WhatsApp
from chatwright.channels.whatsapp.settings import WhatsAppSettings
from chatwright.kernel.ids import new_id
from chatwright.net.graph.webhooks import handshake
from chatwright.net.http import Web
from chatwright.ports.channel import HookRequest, InboxView
from chatwright.ports.content import Content
from chatwright.ports.inbound import Inbound
from chatwright.ports.sending import Outgoing, OutgoingFile, SendOutcome
from chatwright.sandbox.graph.provider import Graph
from tests.channels.contract import an_inbox
from tests.sandbox.running import Ear, Stage, listening, staged
from tests.serving import serving


@dataclass
class Line:
    """A number: what the provider has of it, what we have of it, and what its webhooks said."""

    stage: Stage
    ear: Ear
    channel: WhatsApp
    account: dict[str, Any]
    ada: dict[str, Any]
    inbox: InboxView[WhatsAppSettings]

    async def act(self, type_: str, **action: Any) -> Any:
        return await self.stage.act(self.account, self.ada, type_, **action)

    async def happen(self, name: str, **values: Any) -> Any:
        return await self.act("happen", name=name, values=values)

    async def bubbles(self) -> list[dict[str, Any]]:
        await self.stage.settled()
        return (await self.stage.phone(self.account, self.ada))["bubbles"]

    async def last_bubble(self) -> dict[str, Any]:
        return (await self.bubbles())[-1]

    async def heard(self) -> list[Inbound]:
        """What our channel makes of the webhooks that came so far, which are then forgotten."""
        await self.stage.settled()
        calls = [HookRequest("POST", heard.headers, {}, heard.body) for heard in self.ear.heard]
        self.ear.heard.clear()
        return [found for call in calls for found in self._read(call)]

    async def send(self, content: Content, to: str | None = None, **more: Any) -> SendOutcome:
        outgoing = Outgoing(new_id(), to or self.ada["id"], content, **more)
        return await self.channel.send(self.inbox, outgoing)

    def with_settings(self, **changes: Any) -> "Line":
        """The same number, set up in another way."""
        settings = self.inbox.settings.model_copy(update=changes)
        return replace(self, inbox=replace(self.inbox, settings=settings))

    def _read(self, call: HookRequest) -> list[Inbound]:
        events = self.channel.split(self.inbox, call, self.channel.verify(self.inbox, call))
        return [found for event in events for found in self.channel.parse(self.inbox, event.payload)]


@asynccontextmanager
async def hook(token: str) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """An address that expects webhooks under a token, and what came to it."""
    came: list[bytes] = []

    async def answer(request: Request) -> Response:
        if request.method == "POST":
            came.append(await request.body())
            return Response()
        return PlainTextResponse(handshake(request.query_params, token))

    async with serving([Route("/hook", answer, methods=["GET", "POST"])]) as url:
        yield f"{url}/hook", came


def stored(
    content: bytes, filename: str, media_type: str, *, url: str = "http://files.invalid/x"
) -> OutgoingFile:
    """A file as the product hands it over."""

    async def pieces() -> AsyncGenerator[bytes]:
        for start in range(0, len(content), 7):
            yield content[start : start + 7]

    return OutgoingFile(filename, media_type, len(content), pieces, url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncGenerator[Stage]:
    async with staged([Graph]) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ear() -> AsyncGenerator[Ear]:
    async with listening() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web(stage: Stage) -> AsyncGenerator[Web]:
    opened = Web([urlsplit(stage.url).netloc])
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def line(stage: Stage, ear: Ear, web: Web) -> Line:
    """A number whose webhooks the ear hears, and Ada, who wrote just now."""
    account = await stage.account("whatsapp", webhook_url=ear.url)
    opened = Line(
        stage, ear, WhatsApp(web), account, await stage.person(account), inbox_of(account, stage.url)
    )
    await opened.act("say", text="Hello")
    await stage.settled()
    ear.heard.clear()
    return opened


def inbox_of(account: dict[str, Any], url: str, **more: Any) -> InboxView[WhatsAppSettings]:
    """An inbox for an account of the sandbox."""
    settings = {
        "phone_number_id": account["id"],
        "waba_id": account["details"]["waba_id"],
        "access_token": account["secrets"]["access_token"],
        "app_secrets": [account["secrets"]["app_secret"]],
        "phone_number": account["details"]["display_phone_number"],
        "base_url": f"{url}/graph",
    }
    return an_inbox(WhatsAppSettings.model_validate({**settings, **more}))
