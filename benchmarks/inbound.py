"""Events from outside: how many are taken in, and how many become messages."""

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from benchmarks.calls import side
from benchmarks.load import request
from benchmarks.place import VISITORS, Place
from benchmarks.processes import family_cpu_seconds
from benchmarks.raw import prepare
from benchmarks.rounds import Comparison, Sample, Side, compare
from chatwright.features.messaging.store import ACCEPT_EVENTS, INSERT_MESSAGE

LOOPS = 8
OPEN = "select exists (select from inbound_events where state in ('queued', 'leased'))"


async def accepted(place: Place) -> list[Comparison]:
    """POST /hooks: one event a call, each with a key of its own."""
    run = secrets.token_hex(4)
    numbers = itertools.count()

    def calls() -> Iterator[bytes]:
        for token in itertools.cycle(place.visitors):
            yield place.from_visitor(token, f"{run}-{next(numbers)}")

    def raw_calls() -> Iterator[bytes]:
        while True:
            body = json.dumps({"type": "message", "client_id": f"{run}-{next(numbers)}", "text": "hello"})
            yield request("POST", "/accept", {"host": "localhost"}, body.encode())

    async with place.floor("raw") as floor:
        sides = [
            side("product", place, place.server, calls),
            side("raw ASGI, one insert", place, floor, raw_calls),
        ]
        return [await compare("inbound events accepted", "events/s", sides, rounds=place.rounds)]


async def worked(place: Place) -> list[Comparison]:
    """Stored events to messages by one worker process, beside a loop that inserts a message and settles the event."""
    count = round(place.seconds * 300)
    async with (
        asyncpg.create_pool(place.dsn, min_size=LOOPS, max_size=LOOPS, init=prepare) as pool,
        place.workers() as worker,
    ):

        async def product() -> Sample:
            columns = zip(*_events(place, count), strict=True)
            await pool.execute(ACCEPT_EVENTS.sql, *columns)
            cpu, database = worker.cpu_seconds(), family_cpu_seconds(place.postmaster)
            started = time.perf_counter()
            await pool.execute("select pg_notify('chatwright', 'inbound_events')")
            while await pool.fetchval(OPEN):
                await asyncio.sleep(0.02)
            seconds = time.perf_counter() - started
            used = family_cpu_seconds(place.postmaster) - database
            return Sample(count / seconds, (worker.cpu_seconds() - cpu) / count, used / count)

        async def floor() -> Sample:
            started = time.perf_counter()
            rows = iter(_messages(place, count))
            await asyncio.gather(*(_insert(pool, rows) for _ in range(LOOPS)))
            return Sample(count / (time.perf_counter() - started))

        # What other measurements left is worked first, outside the clock.
        while await pool.fetchval(OPEN):
            await asyncio.sleep(0.1)
        sides = [Side("product, one worker", product), Side("raw loop, one insert", floor)]
        return [await compare("inbound events worked", "events/s", sides, rounds=place.rounds)]


def _events(place: Place, count: int) -> list[tuple[Any, ...]]:
    """Events as the webchat channel stores them, of a hundred visitors in turn."""
    run = uuid4().hex
    visitors = [str(UUID(int=number)) for number in range(VISITORS)]
    return [
        (
            uuid4(),
            f"{place.inbox_id}:{visitor}",
            UUID(place.workspace_id),
            UUID(place.inbox_id),
            f"{visitor}:{run}-{number}",
            {
                "visitor": visitor,
                "event": {"type": "message", "client_id": f"{run}-{number}", "text": "Hello"},
            },
            None,
        )
        for number, visitor in zip(range(count), itertools.cycle(visitors), strict=False)
    ]


def _messages(place: Place, count: int) -> list[tuple[Any, ...]]:
    run = uuid4().hex
    start = time.time_ns()
    return [
        (
            uuid4(),
            UUID(place.workspace_id),
            UUID(place.inbox_id),
            UUID(place.conversation_id),
            start + number,
            "in",
            "contact",
            "",
            "",
            {"type": "text", "text": "Hello"},
            f"{run}-{number}",
            "received",
        )
        for number in range(count)
    ]


async def _insert(pool: "asyncpg.Pool[asyncpg.Record]", rows: Iterator[tuple[Any, ...]]) -> None:
    async with pool.acquire() as connection:
        for row in rows:
            await connection.fetchrow(INSERT_MESSAGE.sql, *row)
