"""A person with a browser, and a program that asks them for access by OAuth."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from playwright.async_api import BrowserContext, Page
from pydantic import AnyUrl
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chatwright.app.server import build_app
from chatwright.app.settings import Settings
from chatwright.app.wiring import open_product
from chatwright.kernel.ids import new_id
from tests.conftest import Desk, create_database, open_desk
from tests.e2e.programs import free_port
from tests.serving import serving
from tests.surfaces.http.conftest import PASSWORD, join

EMAIL = "ada@example.com"


@dataclass(frozen=True)
class Office:
    """The product under its public address, with a workspace and its owner, who is called Ada."""

    url: str
    desk: Desk


@asynccontextmanager
async def open_office(settings: Settings, postgres: str) -> AsyncGenerator[Office]:
    """A product of its own: an authorization server is named by the address it is reached under."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    database = await create_database(postgres, f"test_{new_id().hex}")
    async with open_product(replace(settings, database_url=database, public_url=url)) as product:
        desk = await open_desk(product)
        async with serving(build_app(product), port=port), httpx2.AsyncClient(base_url=url) as http:
            await join(http, desk, EMAIL)
            yield Office(url, desk)


@dataclass
class Callback:
    """The address of a program on the person's machine, where the browser is sent back to."""

    uri: str
    _answers: "asyncio.Queue[dict[str, str]]" = field(default_factory=asyncio.Queue[dict[str, str]])

    async def take(self, request: Request) -> Response:
        self._answers.put_nowait(dict(request.query_params))
        return PlainTextResponse("Go back to your program.")

    async def answer(self) -> AuthorizationCodeResult:
        """What the browser brought next."""
        async with asyncio.timeout(20):
            return AuthorizationCodeResult.model_validate(await self._answers.get())


@asynccontextmanager
async def called_back() -> AsyncGenerator[Callback]:
    callback = Callback("")
    async with serving([Route("/callback", callback.take)]) as base:
        callback.uri = f"{base}/callback"
        yield callback


class Kept(TokenStorage):
    """What a program keeps, in memory."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@asynccontextmanager
async def asking_client(
    url: str, callback: Callback, kept: Kept, show: Callable[[str], Awaitable[None]], mode: str
) -> AsyncGenerator[Client]:
    """The official SDK's client without a token; `show` leads the person to where they are asked."""
    metadata = OAuthClientMetadata(client_name="Asking", redirect_uris=[AnyUrl(callback.uri)])
    provider = OAuthClientProvider(
        f"{url}/mcp", metadata, kept, redirect_handler=show, callback_handler=callback.answer
    )
    async with (
        httpx2.AsyncClient(auth=provider, timeout=30) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@dataclass
class Person:
    """Ada at her browser."""

    context: BrowserContext
    seen: list[str] = field(default_factory=list[str])
    """The addresses that programs sent her to."""

    async def open(self, url: str) -> Page:
        self.seen.append(url)
        page = await self.context.new_page()
        await page.goto(url)
        return page

    async def sign_in(self, page: Page) -> None:
        await page.get_by_label("E-mail").fill(EMAIL)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
