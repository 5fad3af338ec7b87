"""Sessions of older clients, where a server keeps them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2

from chatwright.app.server import build_app, mcp_face
from chatwright.app.wiring import Product
from chatwright.features.workspaces.operations import list_tokens, revoke_token
from chatwright.surfaces.mcp.face import Registry
from chatwright.surfaces.mcp.sessions import Sessions
from tests.conformance.registry import SCOPES, conformance_server
from tests.conftest import Desk
from tests.serving import serving
from tests.surfaces.mcp.server import LEGACY, MODERN, ask, legacy, modern, token_of

HELLO = {
    "protocolVersion": LEGACY,
    "capabilities": {},
    "clientInfo": {"name": "tests", "version": "1"},
}


@asynccontextmanager
async def keeping(product: Product, sessions: Sessions) -> AsyncGenerator[str]:
    """A server that keeps sessions; gives the URL of its MCP face."""
    face = mcp_face(product, Registry(conformance_server(), SCOPES), sessions=sessions)
    async with serving(build_app(product, mcp=face)) as base:
        yield f"{base}/mcp"


async def opened(url: str, token: str) -> dict[str, str]:
    """A new session, as the headers that name it."""
    answer = await ask(url, token, **legacy("initialize", **HELLO))
    assert answer.status_code == 200, answer.text
    return {"Mcp-Session-Id": answer.headers["Mcp-Session-Id"], "MCP-Protocol-Version": LEGACY}


async def called(url: str, token: str, session: dict[str, str]) -> httpx2.Response:
    message = legacy("tools/list")
    return await ask(url, token, json=message["json"], headers=session)


async def test_a_session_serves_whom_it_was_opened_for_until_they_end_it(
    product: Product, desk: Desk
) -> None:
    token = await token_of(desk)
    async with keeping(product, Sessions()) as url:
        session = await opened(url, token)
        assert "test_simple_text" in (await called(url, token, session)).text
        assert (await ask(url, token, method="DELETE", headers=session)).status_code == 200
        assert (await called(url, token, session)).status_code == 404


async def test_a_session_is_not_there_for_anybody_else(product: Product, desk: Desk, stranger: Desk) -> None:
    owner, colleague, outsider = await token_of(desk), await token_of(desk), await token_of(stranger)
    async with keeping(product, Sessions()) as url:
        session = await opened(url, owner)
        for other in (colleague, outsider):
            for method in ("POST", "GET", "DELETE"):
                answer = await ask(url, other, method=method, **{**legacy("tools/list"), "headers": session})
                assert answer.status_code == 404
        assert (await ask(url, None, method="DELETE", headers=session)).status_code == 401
        assert (await called(url, owner, session)).status_code == 200


async def test_no_more_sessions_are_opened_than_a_process_may_keep(product: Product, desk: Desk) -> None:
    token = await token_of(desk)
    async with keeping(product, Sessions(most=1)) as url:
        session = await opened(url, token)
        assert (await ask(url, token, **legacy("initialize", **HELLO))).status_code == 503
        assert (await called(url, token, session)).status_code == 200


async def test_the_oldest_session_of_a_principal_gives_way(product: Product, desk: Desk) -> None:
    token, colleague = await token_of(desk), await token_of(desk)
    async with keeping(product, Sessions(most_each=2)) as url:
        beside = await opened(url, colleague)
        sessions = [await opened(url, token) for _ in range(3)]
        assert [(await called(url, token, each)).status_code for each in sessions] == [404, 200, 200]
        assert (await called(url, colleague, beside)).status_code == 200


async def test_an_idle_session_is_forgotten(product: Product, desk: Desk) -> None:
    token = await token_of(desk)
    async with keeping(product, Sessions(idle_seconds=0.05)) as url:
        session = await opened(url, token)
        await asyncio.sleep(0.5)
        assert (await called(url, token, session)).status_code == 404


async def test_the_stream_of_a_session_ends_with_its_token(product: Product, desk: Desk) -> None:
    token = await token_of(desk)
    (listed,) = (await desk.call(list_tokens))["items"]
    async with keeping(product, Sessions(look_seconds=0.05)) as url:
        session = await opened(url, token)
        headers = {**session, "Accept": "text/event-stream"}
        listen = asyncio.create_task(ask(url, token, method="GET", headers=headers))
        await asyncio.sleep(0.3)
        assert not listen.done()
        await desk.call(revoke_token, token_id=listed["id"])
        async with asyncio.timeout(10):
            assert (await listen).status_code == 200
        assert (await called(url, token, session)).status_code == 401


async def test_there_are_no_sessions_in_the_modern_era(product: Product, desk: Desk) -> None:
    token = await token_of(desk)
    async with keeping(product, Sessions()) as url:
        answer = await ask(url, token, **modern("tools/list"))
        assert answer.status_code == 200
        assert "Mcp-Session-Id" not in answer.headers
        refused = await ask(url, token, method="GET", headers={"MCP-Protocol-Version": MODERN})
        assert refused.status_code == 405
        assert refused.headers["Allow"] == "POST"
