"""A WhatsApp number: what a provider's channel costs, in and out."""

import asyncio
import hashlib
import hmac
import itertools
import json
import os
import secrets
import signal
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import httpx2

from benchmarks.load import drive, request
from benchmarks.place import CHATWRIGHT, CONNECTIONS, Place
from benchmarks.processes import Process, cores, free_port, running
from benchmarks.progress import say
from benchmarks.rounds import Comparison, Sample, Side, compare

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - it guards nothing but a sandbox.
TOKEN = "EAAbench"  # noqa: S105 - the same.
NUMBER_ID, WABA_ID = "100000000000009", "200000000000009"
CALLERS = 100
"""People who write in turn."""
AT_ONCE = 32
"""Sends under way: what one worker process has, and so the bare loop too."""
UNPACED = 100_000.0
"""Messages a second, far beyond what anybody reaches: it is the cost that is measured, not the pace."""
WAIT_SECONDS = 120
OPEN_SENDS = "select count(*) from deliveries where state in ('queued', 'leased')"
OPEN_EVENTS = "select count(*) from inbound_events where state in ('queued', 'leased')"


async def signed(place: Place) -> list[Comparison]:
    """POST /hooks with Meta's signature, while a worker has more to do than it can."""
    inbox_id = await _create_inbox(place, "https://graph.invalid")
    run = secrets.token_hex(4)
    numbers = itertools.count()
    pool = await asyncpg.connect(place.dsn)

    def calls() -> Iterator[bytes]:
        while True:
            yield _webhook(
                place, inbox_id, f"wamid.{run}.{next(numbers)}", f"1555010{next(numbers) % CALLERS:04}"
            )

    def raw_calls() -> Iterator[bytes]:
        while True:
            body = json.dumps({"type": "message", "client_id": f"{run}-{next(numbers)}", "text": "hello"})
            yield request("POST", "/accept", {"host": "localhost"}, body.encode())

    async with place.floor("raw") as floor, place.workers():

        def sides(measure: "Measure") -> list[Side]:
            return [
                Side("product", lambda: _turn(place, place.server, calls(), measure)),
                Side("raw ASGI, one insert", lambda: _turn(place, floor, raw_calls(), measure)),
            ]

        rate = await compare(
            "signed webhooks accepted, worker saturated", "calls/s", sides(_rate), rounds=place.rounds
        )
        slow = await compare(
            "the same: 99th percentile of the answer",
            "ms",
            sides(_p99),
            rounds=place.rounds,
            more_is_better=False,
        )
        assert await pool.fetchval(OPEN_EVENTS), "the worker was not saturated"
        await pool.execute("delete from inbound_events where state = 'queued'")
    await pool.close()
    return [rate, slow]


async def sends(place: Place) -> list[Comparison]:
    """Queued messages to the sandbox's WhatsApp by one worker process, beside a bare loop that only calls it."""
    count = round(place.seconds * 150)
    async with _sandbox(place) as sandbox:
        number = await _connect(place, sandbox, people=count * (place.rounds + 1))
        environment = {"CHATWRIGHT_ALLOWED_HOSTS": f"127.0.0.1:{sandbox.port}"}
        async with place.workers(environment) as worker:
            await _until_none(number.database, OPEN_EVENTS)
            conversations = await _conversations(number)
            turns = iter(
                [conversations[start : start + count] for start in range(0, len(conversations), count)]
            )
            sides = [
                Side("product, one worker", lambda: _product_sends(place, number, worker, next(turns))),
                Side("bare httpx2 loop", lambda: _bare_sends(place, sandbox, number.people[:count])),
            ]
            made = await compare(
                "messages sent (sandbox's WhatsApp)", "messages/s", sides, rounds=place.rounds
            )
        await number.database.close()
    return [made]


Measure = Callable[[float, Sequence[float]], float]
"""From answers a second, and the seconds that each took."""


def _rate(per_second: float, latencies: Sequence[float]) -> float:
    del latencies
    return per_second


def _p99(per_second: float, latencies: Sequence[float]) -> float:
    del per_second
    return statistics.quantiles(latencies, n=100)[-1] * 1000


async def _turn(place: Place, process: Process, requests: Iterator[bytes], measure: Measure) -> Sample:
    cpu = process.cpu_seconds()
    load = await drive(process.port, requests, seconds=place.seconds, connections=CONNECTIONS)
    return Sample(measure(load.per_second, load.latencies), (process.cpu_seconds() - cpu) / load.answers)


def _webhook(place: Place, inbox_id: str, message_id: str, sender: str) -> bytes:
    """A text message as Meta posts it."""
    message = {"from": sender, "id": message_id, "timestamp": str(int(time.time())), "type": "text"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550109999", "phone_number_id": NUMBER_ID},
        "contacts": [{"wa_id": sender, "profile": {"name": "Ada Byron"}}],
        "messages": [{**message, "text": {"body": "Hello"}}],
    }
    entry = {"id": WABA_ID, "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"host": f"127.0.0.1:{place.server.port}", "x-hub-signature-256": f"sha256={mac}"}
    return request("POST", f"/hooks/{inbox_id}", headers, body)


@dataclass(frozen=True)
class Number:
    """The number, connected, and those who wrote to it."""

    inbox_id: str
    people: list[str]
    rest: httpx2.AsyncClient
    database: "asyncpg.Connection[asyncpg.Record]"


@asynccontextmanager
async def _sandbox(place: Place) -> AsyncGenerator[Process]:
    """The sandbox, beside the load, so that it takes nothing from what is measured."""
    port = free_port()
    command = (CHATWRIGHT, "sandbox", "--port", str(port))
    async with running(*command, environment=place.environment(), port=port, pinned=cores()[1]) as process:
        yield process


async def _create_inbox(place: Place, base_url: str) -> str:
    settings = {
        "phone_number_id": NUMBER_ID,
        "waba_id": WABA_ID,
        "access_token": TOKEN,
        "app_secrets": [SECRET],
        "base_url": base_url,
    }
    async with _rest(place) as rest:
        made = await rest.post(
            "/api/v1/inboxes", json={"channel": "whatsapp", "name": "Number", "settings": settings}
        )
        return made.raise_for_status().json()["id"]


def _rest(place: Place) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{place.server.port}", headers=place.headers(place.tokens[0]), timeout=30
    )


async def _connect(place: Place, sandbox: Process, *, people: int) -> Number:
    """Make the number on both sides, and let people write to it, so that there are conversations with open windows."""
    url = f"http://127.0.0.1:{sandbox.port}"
    inbox_id = await _create_inbox(place, f"{url}/graph")
    database = await asyncpg.connect(place.dsn)
    await database.execute("update inboxes set per_second = $1 where id = $2::text::uuid", UNPACED, inbox_id)
    account = {
        "kind": "whatsapp",
        "id": NUMBER_ID,
        "webhook_url": f"http://127.0.0.1:{place.server.port}/hooks/{inbox_id}",
        "secrets": {"access_token": TOKEN, "app_secret": SECRET},
        "details": {"waba_id": WABA_ID, "mps": UNPACED, "pair_seconds": 0.0001},
        # Statuses would be worked by the worker that is measured.
        "faults": {"no_statuses": True},
    }
    numbers = [f"1666{number:07}" for number in range(1, people + 1)]
    async with httpx2.AsyncClient(base_url=f"{url}/_sandbox", timeout=30) as control:
        (await control.post("/accounts", json=account)).raise_for_status()
        for done, number in enumerate(numbers):
            say(f"messages sent: {done} of {people} people write first")
            path = f"/accounts/whatsapp/{NUMBER_ID}/people"
            (await control.post(path, json={"id": number, "name": "Ada"})).raise_for_status()
            said = {"type": "say", "text": "Hello"}
            (await control.post(f"{path}/{number}/actions", json=said)).raise_for_status()
        (await control.post("/settle")).raise_for_status()
    return Number(inbox_id, numbers, _rest(place), database)


async def _conversations(number: Number) -> list[str]:
    query = "select id::text from conversations where inbox_id = $1::text::uuid order by id"
    found = [row["id"] for row in await number.database.fetch(query, number.inbox_id)]
    assert len(found) == len(number.people), f"{len(found)} of {len(number.people)} people arrived"
    return found


async def _product_sends(
    place: Place, number: Number, worker: Process, conversations: Sequence[str]
) -> Sample:
    """The worker stands still while the messages are queued, so that only its own work is timed."""
    worker.signal(signal.SIGSTOP)
    tokens = itertools.cycle(place.tokens)
    for conversation in conversations:
        path = f"/api/v1/conversations/{conversation}/messages"
        made = await number.rest.post(path, json={"text": "Hello"}, headers=place.headers(next(tokens)))
        made.raise_for_status()
    cpu = worker.cpu_seconds()
    started = time.perf_counter()
    worker.signal(signal.SIGCONT)
    await _until_none(number.database, OPEN_SENDS)
    seconds = time.perf_counter() - started
    others = "select status, error from messages where direction = 'out' and conversation_id = any($1::text[]::uuid[])"
    left = [row for row in await number.database.fetch(others, conversations) if row["status"] != "sent"]
    assert not left, f"{len(left)} were not sent, the first: {left[0]}"
    return Sample(len(conversations) / seconds, (worker.cpu_seconds() - cpu) / len(conversations))


async def _bare_sends(place: Place, sandbox: Process, people: Sequence[str]) -> Sample:
    """In a process of its own, on the worker's core."""
    url = f"http://127.0.0.1:{sandbox.port}/graph/v26.0/{NUMBER_ID}/messages"
    command = (sys.executable, "-m", "benchmarks.floors", "send", url, TOKEN, str(AT_ONCE))
    process = await asyncio.create_subprocess_exec(
        *command,
        env=place.environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if (core := cores()[0]) is not None:
        os.sched_setaffinity(process.pid, core)
    printed, _ = await process.communicate(json.dumps(people).encode())
    assert process.returncode == 0, "the bare loop failed"
    seconds, cpu = json.loads(printed)
    return Sample(len(people) / seconds, cpu / len(people))


async def _until_none(database: "asyncpg.Connection[asyncpg.Record]", query: str) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while await database.fetchval(query):
            await asyncio.sleep(0.02)
