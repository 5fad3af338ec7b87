"""A provider's signed calls, each event up to five times and in any order, while workers are killed.

First come messages and what a colleague wrote on the phone, then, mixed with more messages, how far the latter got.
Every event has its effect once: a message in its conversation, a step of a message's way.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from tests.channels.whatsapp import payloads as wa
from tests.e2e.chaos import Chaos, drained, pages
from tests.e2e.programs import Home, Program, free_port, web, worker

PEOPLE = 200
MESSAGES = 6_000
ECHOES = 1_000
STEPS = ("sent", "delivered", "read")
EVENTS = MESSAGES + ECHOES + ECHOES * len(STEPS)
MOST_COPIES = 5
MOST_TOGETHER = 20
"""Events of one call."""
SENDERS = 8
WORKER_KILLS = 6
SERVER_KILLS = 1
GIVE_UP_SECONDS = 300

pytestmark = pytest.mark.timeout(GIVE_UP_SECONDS + 40)

Change = dict[str, Any]


def number_of(person: int) -> str:
    return f"49151{person:08d}"


def written(number: int) -> Change:
    """Somebody writes; everybody writes as often as the others."""
    phone = number_of(number % PEOPLE)
    who = {"from": phone, "from_user_id": f"DE.{phone}", "from_parent_user_id": f"DE.ENT.{phone}"}
    message = wa.message("text", {"body": f"message {number}"}, wamid=f"wamid.in-{number}") | who
    card = {"profile": {"name": phone}, "wa_id": phone, "user_id": f"DE.{phone}"}
    return wa.change("messages", wa.value(contacts=[card], messages=[message]))


def echoed(number: int) -> Change:
    """A colleague writes in the provider's own app."""
    phone = number_of(number % PEOPLE)
    echo = {
        "from": wa.NUMBER,
        "to": phone,
        "to_user_id": f"DE.{phone}",
        "id": f"wamid.out-{number}",
        "timestamp": str(wa.NOW),
        "type": "text",
        "text": {"body": f"answer {number}"},
    }
    return wa.change("smb_message_echoes", wa.value(message_echoes=[echo]))


def told(number: int, step: str) -> Change:
    phone = number_of(number % PEOPLE)
    status = wa.status(step, wamid=f"wamid.out-{number}")
    status |= {"recipient_id": phone, "recipient_user_id": f"DE.{phone}"}
    return wa.change("messages", wa.value(statuses=[status]))


def calls_of(events: Sequence[Change]) -> list[bytes]:
    """Each event in one to five copies, in any order, some alone and some together in one call."""
    copies = [event for event in events for _ in range(random.randint(1, MOST_COPIES))]
    random.shuffle(copies)
    calls: list[bytes] = []
    while copies:
        size = random.randint(1, MOST_TOGETHER)
        together, copies = copies[:size], copies[size:]
        half = len(together) // 2
        entries = [wa.entry(*part) for part in (together[:half], together[half:]) if part]
        calls.append(wa.call(*entries).body)
    return calls


async def deliver(client: httpx2.AsyncClient, path: str, body: bytes) -> None:
    """Call until it is taken, as the provider does."""
    headers: Mapping[str, str] = wa.signed(body).headers
    while True:
        try:
            answer = await client.post(path, content=body, headers=dict(headers))
        except httpx2.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code == 200:
            return
        assert answer.status_code == 503, answer.text
        await asyncio.sleep(1)


async def deliver_all(client: httpx2.AsyncClient, path: str, calls: Sequence[bytes], chaos: Chaos) -> None:
    numbered: Iterator[tuple[int, bytes]] = iter(list(enumerate(calls)))

    async def send() -> None:
        for number, body in numbered:
            await chaos.reached(number)
            await deliver(client, path, body)

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    await chaos.over()


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
    started: list[Program] = []
    yield started
    for program in started:
        program.stop()


async def test_ten_thousand_events_have_ten_thousand_effects(
    home: Home, database: "asyncpg.Connection[asyncpg.Record]", programs: list[Program]
) -> None:
    port = free_port()
    server, *workers = programs[:] = [web(home, port), worker(home, 1), worker(home, 2)]
    await server.up()
    for program in workers:
        await program.up()
    url = f"http://127.0.0.1:{port}"
    api = {"authorization": f"Bearer {home.token()}"}
    half = MESSAGES // 2
    first = [*map(written, range(half)), *map(echoed, range(ECHOES))]
    second = [*map(written, range(half, MESSAGES)), *(told(n, step) for n in range(ECHOES) for step in STEPS)]
    kills = 0
    async with (
        asyncio.timeout(GIVE_UP_SECONDS),
        httpx2.AsyncClient(base_url=url, timeout=20) as provider,
        httpx2.AsyncClient(base_url=f"{url}/api/v1", headers=api, timeout=20) as owner,
    ):
        settings = {
            "phone_number_id": wa.NUMBER_ID,
            "waba_id": wa.WABA,
            "access_token": "a token of nobody",
            "app_secrets": [wa.SECRET],
        }
        made = await owner.post(
            "/inboxes", json={"channel": "whatsapp", "name": "Line", "settings": settings}
        )
        assert made.status_code == 200, made.text
        for events, struck in (
            (first, [*random.choices(workers, k=WORKER_KILLS // 2), server]),
            (second, random.choices(workers, k=WORKER_KILLS // 2)),
        ):
            calls = calls_of(events)
            blows = random.sample(range(len(calls) // 50, len(calls) * 9 // 10), len(struck))
            chaos = Chaos(database, dict(zip(blows, struck, strict=True)))
            await deliver_all(provider, f"/hooks/{made.json()['id']}", calls, chaos)
            await drained(database)
            kills += chaos.kills
        said: defaultdict[str, list[str]] = defaultdict(list)
        statuses: defaultdict[str, int] = defaultdict(int)
        for conversation in await pages(owner, f"/conversations?inbox_id={made.json()['id']}"):
            messages = await pages(owner, f"/conversations/{conversation['id']}/messages")
            for message in sorted(messages, key=lambda message: message["position"]):
                said[message["direction"]].append(message["content"]["text"])
                statuses[f"{message['direction']} {message['status']}"] += 1

    assert kills == WORKER_KILLS + SERVER_KILLS
    assert sorted(said["in"]) == sorted(f"message {number}" for number in range(MESSAGES))
    assert sorted(said["out"]) == sorted(f"answer {number}" for number in range(ECHOES))
    assert statuses == {"in received": MESSAGES, "out read": ECHOES}
    steps = await database.fetchval(
        "select count(*) from message_statuses join messages on messages.id = message_id "
        "where direction = 'out' and message_statuses.status = any($1::text[])",
        list(STEPS),
    )
    assert len(said["in"]) + len(said["out"]) + steps == EVENTS
    assert await database.fetchval("select count(*) from inbound_events") == EVENTS
    assert await database.fetchval("select count(*) from inbound_events where state <> 'done'") == 0
    assert await database.fetchval("select count(*) from unknown_events") == 0
    assert await database.fetchval("select count(*) from contacts") == PEOPLE
    again = await database.fetchval("select count(*) from inbound_events where attempts > 1")
    assert again > 0, "no blow hit a worker in the middle of its work"
