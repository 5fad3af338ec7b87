"""An HTTP client of the whole application, without a network in between."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from secrets import randbelow
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from starlette.types import ASGIApp

from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.features.workspaces.founding import make_setup_link
from chatwright.features.workspaces.operations import create_token, list_audit
from tests.conftest import Desk
from tests.features.messaging.conftest import paper, post

__all__ = ["paper", "post"]

PASSWORD = "correct horse battery"
OWN_PAGE = {"sec-fetch-site": "same-origin"}


@pytest.fixture(scope="session")
def app(product: Product) -> ASGIApp:
    return build_app(product)


@pytest.fixture(scope="session")
def secure_app(product: Product) -> ASGIApp:
    """The application of a server that people reach by HTTPS."""
    settings = replace(product.settings, public_url="https://chat.example")
    return build_app(replace(product, settings=settings))


def connect(
    app: ASGIApp,
    *,
    address: str | None = None,
    url: str = "http://testserver",
    headers: dict[str, str] | None = None,
) -> httpx2.AsyncClient:
    """A client of an address, else of a network of its own; crashes come back as answers, as over a network."""
    caller = (address or f"2001:db8:{randbelow(2**16):x}:{randbelow(2**16):x}::1", 4321)
    transport = httpx2.ASGITransport(app, client=caller, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=url, headers=headers)


@pytest_asyncio.fixture(loop_scope="session")
async def http(app: ASGIApp) -> AsyncGenerator[httpx2.AsyncClient]:
    """A stranger."""
    async with connect(app) as client:
        yield client


async def token_of(desk: Desk, **wanted: Any) -> str:
    made = await desk.call(create_token, name="Tests", **wanted)
    return made["token"]


@pytest_asyncio.fixture(loop_scope="session")
async def api(app: ASGIApp, desk: Desk) -> AsyncGenerator[httpx2.AsyncClient]:
    """A program with a token for everything."""
    headers = {"authorization": f"Bearer {await token_of(desk)}", "user-agent": "tests/1"}
    async with connect(app, headers=headers) as client:
        yield client


async def audited(desk: Desk, operation: str) -> list[tuple[str, str | None]]:
    """How the recorded calls of an operation ended, newest first."""
    arguments = {"operation": operation}
    page = (await desk.product.pipeline.run(desk.caller, list_audit, arguments)).value
    return [(record["outcome"], record["error"]) for record in page["items"]]


async def join(client: httpx2.AsyncClient, desk: Desk, email: str) -> httpx2.Response:
    """Come in by a fresh set-up link of the workspace, as its owner."""
    async with desk.product.database.transaction():
        path = await make_setup_link(desk.caller.workspace_id)
    person = {"link": path.partition("#")[2], "email": email, "name": "Ada", "password": PASSWORD}
    return await client.post("/auth/join", json=person)
