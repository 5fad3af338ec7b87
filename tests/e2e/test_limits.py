"""What four server processes keep together: how much of a token's calls they let through, and that it was revoked."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio

from tests.e2e.programs import Home, free_port, web
from tests.surfaces.mcp.server import ask, modern

PROCESSES = 4
CLIENTS_EACH = 2
SECONDS = 10.0
PER_MINUTE = 3000
BURST = 300
"""What a token of that rate may call at once."""
LONGEST_BELIEF = 1.0

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Servers:
    urls: list[str]
    owner: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Servers]:
    home = Home(tmp_path_factory.mktemp("limits"))
    ports = [free_port() for _ in range(PROCESSES)]
    programs = [web(home, port, name=f"serve{number}") for number, port in enumerate(ports)]
    try:
        for program in programs:
            await program.up()
        yield Servers([f"http://127.0.0.1:{port}" for port in ports], home.token())
    finally:
        # The one that started the database ends last.
        for program in reversed(programs):
            program.stop()


async def new_token(servers: Servers, **limits: object) -> tuple[str, str]:
    """A token's secret and its id."""
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {servers.owner}"}) as http:
        answer = await http.post(f"{servers.urls[0]}/api/v1/tokens", json={"name": "hammer", **limits})
    made = answer.json()
    return made["token"], made["access_token"]["id"]


async def hammer(http: httpx2.AsyncClient, token: str, until: float) -> int:
    """Call again and again; gives how many calls were let through."""
    through = 0
    while time.monotonic() < until:
        answer = await http.get("/api/v1/workspace", headers={"authorization": f"Bearer {token}"})
        if answer.status_code == 200:
            through += 1
            continue
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert 0 < problem["retry_after_ms"] <= 1000
        assert int(answer.headers["retry-after"]) >= 1
        await asyncio.sleep(0.01)
    return through


async def test_they_let_through_what_one_would(servers: Servers) -> None:
    token, _ = await new_token(servers, calls_per_minute=PER_MINUTE)
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=30))
            for url in servers.urls
            for _ in range(CLIENTS_EACH)
        ]
        for client in clients:
            await client.get("/healthz")
        began = time.monotonic()
        through = sum(await asyncio.gather(*(hammer(each, token, began + SECONDS) for each in clients)))
        allowed = BURST + PER_MINUTE / 60 * (time.monotonic() - began)
    assert through == pytest.approx(allowed, rel=0.01)


async def test_a_revocation_in_one_counts_in_all_within_a_second(servers: Servers) -> None:
    token, token_id = await new_token(servers)
    for url in servers.urls:
        assert (await ask(f"{url}/mcp", token, **modern("tools/list"))).status_code == 200
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {servers.owner}"}) as http:
        assert (await http.delete(f"{servers.urls[-1]}/api/v1/tokens/{token_id}")).status_code == 200
    await asyncio.sleep(LONGEST_BELIEF)
    for url in servers.urls:
        answer = await ask(f"{url}/mcp", token, **modern("tools/list"))
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
