"""Deadlines, and clients that go away while their call runs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from chatwright.catalogue import CATALOGUE
from chatwright.features.contacts.operations import CreateContact, create_contact, find_contacts
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import DeadlineExceeded
from chatwright.kernel.operation import AnyOperation, Effect, Input, Output, operation
from chatwright.ports.database import current_unit
from chatwright.surfaces.mcp.challenges import Place
from chatwright.surfaces.mcp.face import PATHS, McpFace
from chatwright.surfaces.mcp.product import product_registry
from tests.conftest import Desk
from tests.serving import serving
from tests.surfaces.mcp.server import ORIGIN, legacy, modern, token_of


class Nothing(Input):
    """Nothing to say."""


class Done(Output):
    """Done."""


@dataclass
class Slow:
    """A call that makes a contact and then takes its time, in the database."""

    seconds: float = 30.0
    asks_for: float = 60.0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def operation(self) -> AnyOperation:
        @operation(
            "tests.linger",
            tool="linger",
            scope="contacts:write",
            effect=Effect.ADD,
            http="POST /linger",
            seconds=self.asks_for,
        )
        async def linger(caller: Caller, request: Nothing) -> Done:
            """Make a contact, and linger."""
            del request
            await create_contact(caller, CreateContact(name="An"))
            self.begun.set()
            try:
                await current_unit().connection.fetch("select pg_sleep($1)", self.seconds)
            finally:
                self.stopped.set()
            return Done()

        return linger


@asynccontextmanager
async def offering(desk: Desk, slow: Slow) -> AsyncGenerator[str]:
    """The MCP face with one tool more; gives its URL."""
    product = desk.product
    catalogue = [*CATALOGUE, slow.operation()]
    face = McpFace(
        registry=product_registry(catalogue, product.pipeline, product.events, product.signals, "1"),
        authenticator=product.authenticator,
        place=Place(ORIGIN, ORIGIN),
        allowed_hosts=["127.0.0.1"],
        allowed_origins=[],
    )
    routes = [Route(path, face.app) for path in PATHS]
    async with serving(Starlette(routes=routes, lifespan=lambda _: face.running())) as base:
        yield f"{base}/mcp"


async def people(desk: Desk) -> int:
    return len((await desk.call(find_contacts))["items"])


async def idle_in_transaction(desk: Desk) -> int:
    """Connections of this test's database that were left inside of a transaction."""
    async with desk.product.database.autocommit() as unit:
        row = await unit.connection.fetchrow(
            "select count(*) as n from pg_stat_activity"
            " where datname = current_database() and state like 'idle in transaction%'"
        )
    assert row is not None
    return row["n"]


def with_progress(message: dict[str, Any]) -> dict[str, Any]:
    message["json"]["params"].setdefault("_meta", {})["progressToken"] = "t1"
    return message


class TestDeadline:
    async def test_a_call_that_takes_too_long_is_undone(self, desk: Desk) -> None:
        slow = Slow(asks_for=0.2)
        with pytest.raises(DeadlineExceeded) as caught:
            await desk.call(slow.operation())
        assert caught.value.retryable
        assert caught.value.http_status == 504
        assert slow.stopped.is_set()
        assert await people(desk) == 0
        assert await idle_in_transaction(desk) == 0

    async def test_a_key_is_free_after_it(self, desk: Desk) -> None:
        slow = Slow(asks_for=0.2)
        run = desk.product.pipeline.run
        lingering = slow.operation()
        with pytest.raises(DeadlineExceeded):
            await run(desk.caller, lingering, {}, idempotency_key="k1")
        slow.seconds = 0.0
        assert not (await run(desk.caller, lingering, {}, idempotency_key="k1")).replayed
        assert await people(desk) == 1

    async def test_a_time_out_of_the_call_s_own_is_not_the_deadline(self, desk: Desk) -> None:
        @operation("tests.hurry", tool="hurry", scope="contacts:write", effect=Effect.ADD, http="POST /hurry")
        async def hurry(caller: Caller, request: Nothing) -> Done:
            """Give up by itself."""
            del caller, request
            raise TimeoutError

        with pytest.raises(Exception, match="our side"):
            await desk.call(hurry)


@pytest.mark.parametrize("era", ["modern", "modern stream", "legacy", "legacy stream"])
class TestGoingAway:
    async def test_before_the_commit_undoes_the_call(self, desk: Desk, era: str) -> None:
        slow = Slow()
        async with offering(desk, slow) as url:
            message = (modern if era.startswith("modern") else legacy)(
                "tools/call", name="linger", arguments={"idempotency_key": "k1"}
            )
            if era.endswith("stream"):
                message = with_progress(message)
            await self._leave(url, await token_of(desk), message, slow)
            await asyncio.wait_for(slow.stopped.wait(), 10)
            while await idle_in_transaction(desk):
                await asyncio.sleep(0.05)
            assert await people(desk) == 0
            slow.seconds = 0.0
            async with self._client(await token_of(desk)) as http:
                answer = await http.post(url, **message)
            assert '"isError":false' in answer.text.replace(" ", "")
            assert await people(desk) == 1

    async def _leave(self, url: str, token: str, message: dict[str, Any], slow: Slow) -> None:
        async with self._client(token) as http:
            calling = asyncio.create_task(http.post(url, **message))
            await slow.begun.wait()
            calling.cancel()
            await asyncio.wait([calling])

    def _client(self, token: str) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
        return httpx2.AsyncClient(headers=headers, timeout=30)


async def test_what_was_committed_stays_and_is_answered_to_its_key(desk: Desk, mcp_url: str) -> None:
    token = await token_of(desk)
    arguments = {"name": "An", "idempotency_key": "k1"}
    message = modern("tools/call", name="create_contact", arguments=arguments)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", **message.pop("headers")}
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        async with http.stream("POST", mcp_url, **message):
            """The answer is never read."""
        again = (await http.post(mcp_url, **message)).json()["result"]
    assert again["_meta"]["replayed"]
    assert await people(desk) == 1
