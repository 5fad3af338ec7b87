"""Processes are killed at random moments, and everything is delivered several times: nothing is lost or doubled."""

import asyncio
import itertools
import json
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from tests.e2e.chaos import Chaos, drained, pages
from tests.e2e.programs import Home, Program, free_port, web, worker

VISITORS = 100
MESSAGES_EACH = 20
COPIES = 5
SENDERS = 12
WORKER_KILLS = 8
SERVER_KILLS = 2
GIVE_UP_SECONDS = 240

pytestmark = pytest.mark.timeout(GIVE_UP_SECONDS + 40)


@dataclass(frozen=True)
class Copy:
    """One of the calls that carry a message."""

    token: str
    text: str

    def body(self) -> dict[str, str]:
        return {"type": "message", "client_id": self.text.replace(" ", "-"), "text": self.text}


def in_random_order(tokens: Sequence[str]) -> list[Copy]:
    """Every copy of every message.

    A message's first copy comes at any moment of the run, so that there is new work until its end; most of the
    others follow close behind, so that they meet on the way, and some much later.
    """
    timed: list[tuple[float, Copy]] = []
    for (visitor, token), number in itertools.product(enumerate(tokens), range(MESSAGES_EACH)):
        copy = Copy(token, f"visitor {visitor} message {number}")
        first = random.random()
        later = (random.expovariate(1 / random.choice((0.0005, 0.3))) for _ in range(COPIES - 1))
        timed += [(moment, copy) for moment in (first, *(first + delay for delay in later))]
    return [copy for _, copy in sorted(timed, key=lambda entry: entry[0])]


async def deliver(copy: Copy, client: httpx2.AsyncClient, path: str) -> None:
    """Send until it is taken, as providers do: a call whose answer was lost is made again."""
    while True:
        try:
            answer = await client.post(
                path, json=copy.body(), headers={"authorization": f"Bearer {copy.token}"}
            )
        except httpx2.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code == 200:
            return
        assert answer.status_code in {429, 503}, answer.text
        await asyncio.sleep(float(answer.headers.get("retry-after", "1")))


async def send(
    copies: Iterator[tuple[int, Copy]], client: httpx2.AsyncClient, path: str, chaos: Chaos
) -> None:
    for number, copy in copies:
        await chaos.reached(number)
        await deliver(copy, client, path)


def visitor_in(text: str) -> str:
    return text.partition(" message")[0]


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> Home:
    return Home(tmp_path, {"CHATWRIGHT_LEASE_SECONDS": "2"})


@pytest_asyncio.fixture
async def database(home: Home) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await home.connect()
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def programs(home: Home, database: object) -> AsyncGenerator[list[Program]]:
    """Programs to end after the test; the database outlives them."""
    started: list[Program] = []
    yield started
    for program in started:
        program.stop()


async def test_copies_and_kills_leave_every_message_once_and_in_order(
    home: Home, database: "asyncpg.Connection[asyncpg.Record]", programs: list[Program]
) -> None:
    port = free_port()
    server, *workers = programs[:] = [web(home, port), worker(home, 1), worker(home, 2)]
    await server.up()
    for program in workers:
        await program.up()
    url = f"http://127.0.0.1:{port}"
    api = {"authorization": f"Bearer {home.token()}"}
    async with (
        asyncio.timeout(GIVE_UP_SECONDS),
        httpx2.AsyncClient(base_url=url, headers={"origin": url}, timeout=20) as pages_of_visitors,
        httpx2.AsyncClient(base_url=f"{url}/api/v1", headers=api, timeout=20) as owner,
    ):
        (inbox,) = await pages(owner, "/inboxes")
        tokens = [
            (await pages_of_visitors.post(f"/webchat/{inbox['id']}/session", json={})).json()["token"]
            for _ in range(VISITORS)
        ]
        copies = in_random_order(tokens)
        blows = random.sample(range(len(copies) // 50, len(copies) * 9 // 10), WORKER_KILLS + SERVER_KILLS)
        struck = [random.choice(workers) for _ in range(WORKER_KILLS)] + [server] * SERVER_KILLS
        chaos = Chaos(database, dict(zip(blows, struck, strict=True)))
        numbered = iter(list(enumerate(copies)))
        path = f"/hooks/{inbox['id']}"
        senders = (send(numbered, pages_of_visitors, path, chaos) for _ in range(SENDERS))
        await asyncio.gather(*senders)
        await chaos.over()
        await drained(database)

        stored: defaultdict[str, list[str]] = defaultdict(list)
        for row in await database.fetch(
            "select payload::jsonb -> 'event' ->> 'text' as text from inbound_events order by position"
        ):
            stored[visitor_in(row["text"])].append(row["text"])
        said: dict[str, list[str]] = {}
        for conversation in await pages(owner, "/conversations"):
            messages = await pages(owner, f"/conversations/{conversation['id']}/messages")
            messages.sort(key=lambda message: message["position"])
            texts = [message["content"]["text"] for message in messages]
            assert {visitor_in(text) for text in texts} == {visitor_in(texts[0])}
            assert visitor_in(texts[0]) not in said
            said[visitor_in(texts[0])] = texts

    assert chaos.kills == WORKER_KILLS + SERVER_KILLS
    assert sum(len(set(texts)) for texts in said.values()) == VISITORS * MESSAGES_EACH
    assert sum(len(texts) for texts in said.values()) == VISITORS * MESSAGES_EACH
    assert said == stored
    again = await database.fetchval("select count(*) from inbound_events where attempts > 1")
    assert again > 0, "no blow hit a worker in the middle of its work"


TWINS = 100
KEY = "the-one-inbox"


async def by_rest(client: httpx2.AsyncClient, name: str) -> dict[str, Any] | None:
    """The answer to the call over REST; None when there is none yet."""
    answer = await client.post(
        "/api/v1/inboxes", json={"channel": "webchat", "name": name}, headers={"idempotency-key": KEY}
    )
    if answer.status_code == 409 and answer.json()["retryable"]:
        return None
    assert answer.status_code == 200, answer.text
    return {field: value for field, value in answer.json().items() if value is not None}


async def by_mcp(client: httpx2.AsyncClient, name: str) -> dict[str, Any] | None:
    """The same over MCP, in the older era: one message needs no more than itself."""
    arguments = {"channel": "webchat", "name": name, "idempotency_key": KEY}
    call = {"name": "create_inbox", "arguments": arguments}
    answer = await client.post(
        "/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        headers={"accept": "application/json, text/event-stream"},
    )
    assert answer.status_code == 200, answer.text
    result = answer.json()["result"]
    if result.get("isError"):
        problem = json.loads(result["content"][0]["text"])
        assert problem["retryable"], problem
        return None
    return result["structuredContent"]


async def twin(number: int, clients: Sequence[httpx2.AsyncClient]) -> dict[str, Any]:
    """Call through one of the faces of one of the servers; of another server when that one is gone."""
    call = (by_rest, by_mcp)[number % 2]
    for attempt in itertools.count(number // 2):
        try:
            result = await call(clients[attempt % len(clients)], "Only one")
        except httpx2.TransportError:
            result = None
        if result is not None:
            return result
        await asyncio.sleep(0.1)
    raise AssertionError("unreachable")


async def test_a_hundred_twins_on_two_servers_have_one_effect_and_one_answer(
    home: Home, programs: list[Program]
) -> None:
    ports = [free_port(), free_port()]
    programs[:] = [web(home, port, name=f"serve{port}") for port in ports]
    for program in programs:
        await program.up()
    headers = {"authorization": f"Bearer {home.token()}"}
    async with (
        asyncio.timeout(GIVE_UP_SECONDS),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{ports[0]}", headers=headers, timeout=30) as one,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{ports[1]}", headers=headers, timeout=30) as two,
    ):
        calls = [asyncio.create_task(twin(number, (one, two))) for number in range(TWINS)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        programs[0].kill()
        answers = [await call for call in calls]
        inboxes = await pages(two, "/api/v1/inboxes")
        trail = await pages(two, "/api/v1/audit")
        verdict = (await two.get("/api/v1/audit/verification")).json()
    by_face = answers[0::2], answers[1::2]
    assert all(answer == equal[0] for equal in by_face for answer in equal)
    # Tools leave out what is rarely needed.
    whole, concise = (equal[0] for equal in by_face)
    assert concise == {name: whole[name] for name in concise}
    assert [inbox["id"] for inbox in inboxes if inbox["name"] == "Only one"] == [whole["id"]]
    outcomes = [record["outcome"] for record in trail if record["operation"] == "inboxes.create"]
    assert outcomes.count("done") == 1
    assert outcomes.count("replayed") >= TWINS - 1
    assert verdict["intact"]
