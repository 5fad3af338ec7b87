"""Where it is measured: a data folder of its own, one embedded PostgreSQL, the product and its floors on it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.load import Load, drive, request
from benchmarks.processes import Process, cores, family_cpu_seconds, free_port, running
from benchmarks.progress import say
from benchmarks.rounds import Sample
from chatwright.infra.postgres import start_embedded

CHATWRIGHT = Path(sys.executable).with_name("chatwright")
TOKENS = 24
"""Principals that call in turn: each may make 100 calls of one operation a second, and nobody is to be refused."""
VISITORS = 100
CONNECTIONS = 16
WAIT_SECONDS = 60


@dataclass
class Place:
    """Everything the measurements share."""

    folder: Path
    dsn: str
    postmaster: int
    server: Process
    tokens: list[str]
    workspace_id: str
    inbox_id: str
    conversation_id: str
    visitors: list[str]
    """Their tokens."""
    seconds: float
    """Length of one turn."""
    rounds: int

    def environment(self) -> dict[str, str]:
        return _environment(self.folder)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    async def load(
        self, process: Process, requests: Iterator[bytes], connections: int = CONNECTIONS
    ) -> tuple[Load, Sample]:
        """One turn of load on a server."""
        cpu, database = process.cpu_seconds(), family_cpu_seconds(self.postmaster)
        load = await drive(process.port, requests, seconds=self.seconds, connections=connections)
        used, database_used = process.cpu_seconds() - cpu, family_cpu_seconds(self.postmaster) - database
        costs = used / load.answers, database_used / load.answers
        return load, Sample(load.per_second, *costs, load.latencies)

    @asynccontextmanager
    async def floor(self, kind: str) -> AsyncGenerator[Process]:
        """A floor as a server on the same core as the product."""
        port = free_port()
        dsn = [self.dsn] if kind == "raw" else []
        command = (sys.executable, "-m", "benchmarks.floors", kind, str(port), *dsn)
        async with running(*command, environment=self.environment(), port=port, pinned=cores()[0]) as process:
            yield process

    @asynccontextmanager
    async def workers(self, more: Mapping[str, str] | None = None) -> AsyncGenerator[Process]:
        """`chatwright work`, with more in its environment."""
        environment = {**self.environment(), **(more or {})}
        async with running(
            CHATWRIGHT, "work", "--data", self.data, environment=environment, pinned=cores()[0]
        ) as process:
            yield process

    def headers(self, token: str) -> dict[str, str]:
        return {"host": f"127.0.0.1:{self.server.port}", "authorization": f"Bearer {token}"}

    def from_visitor(self, token: str, text: str) -> bytes:
        """A message that a visitor's page sends."""
        headers = {**self.headers(token), "origin": f"http://127.0.0.1:{self.server.port}"}
        body = json.dumps({"type": "message", "client_id": text, "text": text}).encode()
        return request("POST", f"/hooks/{self.inbox_id}", headers, body)


@asynccontextmanager
async def prepared(folder: Path, *, seconds: float, rounds: int) -> AsyncGenerator[Place]:
    """Start the product on an empty folder and give it a conversation; the load gets a core of its own."""
    say("starting the product on an empty data folder")
    dsn = (await asyncio.to_thread(start_embedded, folder / "data")).dsn
    postmaster = int((folder / "data/postgres/postmaster.pid").read_text().split()[0])
    port = free_port()
    command = (CHATWRIGHT, "serve", "--port", str(port), "--data", folder / "data")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            running(*command, environment=_environment(folder), port=port, pinned=cores()[0])
        )
        place = Place(folder, dsn, postmaster, server, [], "", "", "", [], seconds, rounds)
        await _furnish(place)
        if (core := cores()[1]) is not None:
            os.sched_setaffinity(0, core)
        yield place


async def _furnish(place: Place) -> None:
    """Tokens, visitors, and one conversation."""
    url = f"http://127.0.0.1:{place.server.port}"
    profiles = json.loads((place.folder / "profiles.json").read_text())
    owner = {"authorization": f"Bearer {profiles['profiles']['local']['token']}"}
    async with httpx2.AsyncClient(base_url=url, headers=owner, timeout=30) as client:
        place.workspace_id = (await _got(client, "/api/v1/workspace"))["id"]
        place.inbox_id = (await _got(client, "/api/v1/inboxes"))["items"][0]["id"]
        for number in range(TOKENS):
            made = await client.post("/api/v1/tokens", json={"name": f"load {number}"})
            place.tokens.append(made.raise_for_status().json()["token"])
        for _ in range(VISITORS):
            session = await client.post(
                f"/webchat/{place.inbox_id}/session", json={}, headers={"origin": url}
            )
            place.visitors.append(session.raise_for_status().json()["token"])
        hello = {"type": "message", "client_id": "hello", "text": "Hello"}
        headers = {"origin": url, "authorization": f"Bearer {place.visitors[0]}"}
        (await client.post(f"/hooks/{place.inbox_id}", json=hello, headers=headers)).raise_for_status()
        async with place.workers(), asyncio.timeout(WAIT_SECONDS):
            while not (found := (await _got(client, "/api/v1/conversations"))["items"]):
                await asyncio.sleep(0.1)
        place.conversation_id = found[0]["id"]


async def _got(client: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    return (await client.get(path)).raise_for_status().json()


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("CHATWRIGHT_")}
    kept.pop("DATABASE_URL", None)
    return {**kept, "CHATWRIGHT_CONFIG": str(folder / "profiles.json"), "CHATWRIGHT_LOG": "warning"}
