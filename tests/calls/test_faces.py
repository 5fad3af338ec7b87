"""What is refused, and what is malformed, on the wire of every operation that a face shows: made from the catalogue."""

import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio

from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.features.workspaces.operations import create_token, revoke_token
from chatwright.kernel.caller import Surface
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from tests.calls.malformed import EXTRA
from tests.calls.test_refusals import GUARDED, beyond
from tests.calls.writes import written
from tests.makers import World
from tests.serving import serving
from tests.surfaces.mcp.server import legacy, modern

ON_MCP = [operation for operation in CATALOGUE if Surface.MCP in operation.surfaces]
ON_HTTP = [operation for operation in CATALOGUE if Surface.HTTP in operation.surfaces]
BODIES = (b"{", b"[]", b'"text"', b"\xff\xfe", b'{"a": "\\u0000"}', b"[" * 5000, b'{"a": NaN}')
"""Requests that are no JSON object, or hold what nothing takes."""

every_tool = pytest.mark.parametrize("operation", ON_MCP, ids=lambda operation: operation.name)
every_route = pytest.mark.parametrize("operation", ON_HTTP, ids=lambda operation: operation.name)
every_era = pytest.mark.parametrize("era", [modern, legacy], ids=["modern", "legacy"])
Era = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Wire:
    """A client of all faces, with whatever token a call is made with."""

    client: httpx2.AsyncClient

    async def tool(
        self, era: Era, operation: AnyOperation, token: str, arguments: dict[str, Any]
    ) -> httpx2.Response:
        """Call an operation's tool, whichever tools are listed."""
        message = era("tools/call", name=operation.tool, arguments=arguments)
        accepted = {"accept": "application/json, text/event-stream"}
        headers = {**message["headers"], **accepted, "authorization": f"Bearer {token}"}
        return await self.client.post("/mcp/x/all", json=message["json"], headers=headers)

    async def route(self, operation: AnyOperation, token: str, **request: Any) -> httpx2.Response:
        """Call an operation's route, about a thing that there is not."""
        path = "/api/v1" + re.sub(r"{\w+}", str(new_id()), operation.path)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return await self.client.request(operation.method, path, headers=headers, **request)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def wire(product: Product) -> AsyncGenerator[Wire]:
    """Without a network in between, which takes longer than all these calls; the server runs what the faces need."""
    app = build_app(product)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with serving(app), httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield Wire(client)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def revoked(place: World) -> str:
    """A token that was good once."""
    made = await place.desk.call(create_token, name="revoked")
    await place.desk.call(revoke_token, token_id=made["access_token"]["id"])
    return made["token"]


async def token_of(world: World, *scopes: str) -> str:
    return (await world.desk.call(create_token, name="tests", scopes=sorted(scopes) or None))["token"]


class TestRevoked:
    @every_era
    async def test_no_tool_is_open(self, era: Era, wire: Wire, world: World, revoked: str) -> None:
        async with written(world.desk.product) as seen:
            answers = [await wire.tool(era, operation, revoked, {}) for operation in ON_MCP]
        assert {answer.status_code for answer in answers} == {401}
        assert all('error="invalid_token"' in answer.headers["www-authenticate"] for answer in answers)
        assert seen.records == []
        assert seen.unlawful == []

    async def test_no_route_is_open(self, wire: Wire, world: World, revoked: str) -> None:
        async with written(world.desk.product) as seen:
            answers = [await wire.route(operation, revoked) for operation in ON_HTTP]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
            (401, "UNAUTHENTICATED")
        }
        assert seen.records == []
        assert seen.unlawful == []


@every_tool
class TestTools:
    async def test_the_scope_that_is_missing_is_asked_for(
        self, operation: AnyOperation, wire: Wire, world: World
    ) -> None:
        if operation not in GUARDED:
            return
        token = await token_of(world, *beyond(operation.scope))
        for era in (modern, legacy):
            async with written(world.desk.product) as seen:
                answer = await wire.tool(era, operation, token, {})
            assert answer.status_code == 403, answer.text
            challenge = answer.headers["www-authenticate"]
            assert 'error="insufficient_scope"' in challenge
            assert operation.scope in challenge.partition('scope="')[2].partition('"')[0].split()
            assert seen.outcomes == [(operation.name, "refused", "INSUFFICIENT_SCOPE")]
            assert seen.unlawful == []

    async def test_malformed_arguments_are_a_result_that_names_them(
        self, operation: AnyOperation, wire: Wire, world: World
    ) -> None:
        token = await token_of(world)
        for era in (modern, legacy):
            async with written(world.desk.product) as seen:
                answer = await wire.tool(era, operation, token, {EXTRA: {"a": "b"}})
            assert answer.status_code == 200, answer.text
            result = answer.json()["result"]
            problem = orjson.loads(result["content"][0]["text"])
            assert result["isError"]
            assert problem["code"] == "INVALID_ARGUMENT"
            assert EXTRA in {field["path"] for field in problem["fields"]}
            recorded = [(operation.name, "failed", "INVALID_ARGUMENT")] if operation.writes else []
            assert seen.outcomes == recorded
            assert seen.unlawful == []


@every_route
class TestRoutes:
    async def test_without_the_scope_it_is_refused(
        self, operation: AnyOperation, wire: Wire, world: World
    ) -> None:
        if operation not in GUARDED:
            return
        token = await token_of(world, *beyond(operation.scope))
        async with written(world.desk.product) as seen:
            answer = await wire.route(operation, token)
        assert (answer.status_code, answer.json()["code"]) == (403, "INSUFFICIENT_SCOPE")
        assert seen.outcomes == [(operation.name, "refused", "INSUFFICIENT_SCOPE")]
        assert seen.unlawful == []

    async def test_malformed_requests_are_the_callers_fault(
        self, operation: AnyOperation, wire: Wire, world: World
    ) -> None:
        token = await token_of(world)
        async with written(world.desk.product) as seen:
            if operation.method in {"GET", "DELETE"}:
                answer = await wire.route(operation, token, params={EXTRA: "a"})
            else:
                answer = await wire.route(operation, token, json={EXTRA: 1})
                for body in BODIES:
                    refused = await wire.route(operation, token, content=body)
                    assert 400 <= refused.status_code < 500, (body[:20], refused.text)
        assert answer.status_code == 422, answer.text
        assert EXTRA in {field["path"] for field in answer.json()["fields"]}
        assert seen.effects == []
        assert seen.unlawful == []
        assert {(name, outcome) for name, outcome, _ in seen.outcomes} <= {(operation.name, "failed")}
