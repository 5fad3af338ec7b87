"""The whole application on a real server: every face at its address."""

from collections.abc import AsyncGenerator

import httpx2
import pytest_asyncio

from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.features.messaging.inboxes.operations import create_inbox, list_inboxes
from chatwright.features.workspaces.founding import first_workspace
from tests.conftest import Desk, owner_of
from tests.serving import events_in, serving
from tests.surfaces.mcp.server import connected, token_of


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def url(product: Product) -> AsyncGenerator[str]:
    async with serving(build_app(product)) as address:
        yield address


@pytest_asyncio.fixture(loop_scope="session")
async def http(url: str) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=url) as client:
        yield client


class TestFaces:
    async def test_one_change_is_seen_through_every_face(
        self, url: str, http: httpx2.AsyncClient, desk: Desk
    ) -> None:
        token = await token_of(desk)
        headers = {"authorization": f"Bearer {token}"}
        async with http.stream("GET", "/api/v1/events", headers=headers) as stream:
            events = events_in(stream)
            assert (await anext(events)).comment == "ready"
            async with connected(f"{url}/mcp", token) as client:
                await client.call_tool("update_workspace", {"name": "By a model"})
            # The token's own making may still be news: it is shown once no older transaction runs.
            heard = (event.data["kind"] async for event in events if event.data)
            assert await anext(kind async for kind in heard if kind != "token.created") == "workspace.updated"
        assert (await http.get("/api/v1/workspace", headers=headers)).json()["name"] == "By a model"
        records = (await http.get("/api/v1/audit", headers=headers)).json()["items"]
        assert [record["surface"] for record in records if record["operation"] == "workspace.update"] == [
            "mcp"
        ]

    async def test_mcp_is_at_its_address_and_nowhere_else(self, http: httpx2.AsyncClient) -> None:
        assert (await http.post("/mcp", json={})).status_code == 401
        assert (await http.get("/mcp")).status_code == 405
        assert (await http.post("/mcp/", json={})).status_code == 404

    async def test_the_challenge_of_mcp_leads_to_its_metadata(
        self, url: str, http: httpx2.AsyncClient
    ) -> None:
        challenge = (await http.post("/mcp", json={})).headers["www-authenticate"]
        assert "/.well-known/oauth-protected-resource/mcp" in challenge
        metadata = (await http.get("/.well-known/oauth-protected-resource/mcp")).json()
        assert metadata["resource"].endswith("/mcp")
        assert "contacts:read" in metadata["scopes_supported"]

    async def test_an_answer_names_one_request_id(self, http: httpx2.AsyncClient, desk: Desk) -> None:
        for path in ("/mcp", "/healthz", "/hooks/nothing", "/api/v1/events"):
            answer = await http.post(path, headers={"x-request-id": "mine-1"})
            assert len(answer.headers.get_list("x-request-id")) == 1

    async def test_a_visitor_reaches_the_webchat(self, http: httpx2.AsyncClient, desk: Desk) -> None:
        inbox = await desk.call(create_inbox, channel="webchat", name="Site")
        assert (await http.get(f"/webchat/{inbox['id']}")).status_code == 200

    async def test_events_need_a_caller(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/api/v1/events")
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")


class TestDemo:
    async def test_it_carries_the_oldest_webchat_of_the_first_workspace(
        self, product: Product, http: httpx2.AsyncClient, desk: Desk
    ) -> None:
        async with product.database.transaction():
            first = Desk(product, owner_of(await first_workspace() or desk.caller.workspace_id))
        await first.call(create_inbox, channel="webchat", name="Demo")
        inboxes = (await first.call(list_inboxes, limit=200))["items"]
        oldest = next(inbox["id"] for inbox in inboxes if inbox["channel"] == "webchat")
        page = (await http.get("/demo")).text
        assert f'data-inbox="{oldest}"' in page
