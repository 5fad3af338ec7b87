"""Replicas of the product on one database, behind a proxy that sends each request to the next one."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.e2e.programs import Home, Program, free_port, web, worker
from tests.serving import serving

HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding"})
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Passed:
    """A request that a replica took."""

    replica: int
    path: str
    method: str
    """Of the MCP message; else empty."""


@dataclass
class Proxy:
    """A reverse proxy: round robin, streaming. It passes over replicas at which nobody listens.

    What breaks off later is the client's to judge, as nobody knows how far the replica had come.
    """

    targets: Sequence[str]
    passed: list[Passed] = field(default_factory=list[Passed])
    turn: int = 0
    """Which replica is next."""

    def __post_init__(self) -> None:
        # A connection of its own for each request: a kept one may belong to a process that was killed since.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._http = httpx2.AsyncClient(limits=limits, timeout=PATIENCE_SECONDS)

    async def close(self) -> None:
        await self._http.aclose()

    def who_took(self, method: str) -> list[int]:
        """The replicas that took the requests of an MCP method, in their order."""
        return [one.replica for one in self.passed if one.method == method]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        passing = asyncio.ensure_future(self._pass(request, body, send))
        gone = asyncio.ensure_future(receive())
        await asyncio.wait({passing, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in (passing, gone):
            task.cancel()
        await asyncio.wait({passing, gone})
        if not passing.cancelled():
            passing.result()

    async def _pass(self, request: Request, body: bytes, send: Send) -> None:
        first, count = self.turn, len(self.targets)
        self.turn = (first + 1) % count
        for replica in (number % count for number in range(first, first + count)):
            asked = self._asked(replica, request, body)
            try:
                answer = await self._http.send(asked, stream=True)
            except httpx2.ConnectError:
                continue
            except httpx2.TransportError:
                break
            self.passed.append(Passed(replica, request.url.path, _method_in(body)))
            await _send_on(answer, send)
            return
        await PlainTextResponse("No replica answered.", 502)(request.scope, request.receive, send)

    def _asked(self, replica: int, request: Request, body: bytes) -> httpx2.Request:
        url = httpx2.URL(self.targets[replica]).copy_with(
            raw_path=request.scope["raw_path"]
            + (b"?" + query if (query := request.scope["query_string"]) else b"")
        )
        headers = [(name, text) for name, text in request.headers.raw if name.lower() not in HOP_BY_HOP]
        asked = httpx2.Request(request.method, url, headers=headers, content=body)
        asked.extensions["timeout"] = self._http.timeout.as_dict()
        return asked


def _method_in(body: bytes) -> str:
    try:
        return json.loads(body).get("method", "")
    except (ValueError, AttributeError):
        return ""


async def _send_on(answer: httpx2.Response, send: Send) -> None:
    """Pass an answer on piece by piece. When it breaks off, the client's connection ends as well."""
    headers = [(name, text) for name, text in answer.headers.raw if name.lower() not in HOP_BY_HOP]
    try:
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        async for piece in answer.aiter_raw():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except httpx2.TransportError:
        return
    finally:
        await answer.aclose()
    await send({"type": "http.response.body", "body": b""})


@dataclass
class Replicas:
    """The replicas, a worker beside them, and the address that clients know."""

    url: str
    urls: list[str]
    """Of each, past the proxy."""
    programs: list[Program]
    proxy: Proxy
    owner_token: str

    @property
    def mcp(self) -> str:
        return f"{self.url}/mcp"

    def client(self, token: str | None = None, *, at: int | None = None) -> httpx2.AsyncClient:
        """A client of the proxy or of one replica, as a program with a token or as nobody."""
        base = self.url if at is None else self.urls[at]
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx2.AsyncClient(base_url=base, headers=headers, timeout=30)

    @asynccontextmanager
    async def person(self) -> AsyncGenerator[httpx2.AsyncClient]:
        """Somebody at a browser, signed in as an admin."""
        email = f"{uuid4().hex}@example.com"
        async with (
            self.client(self.owner_token) as owner,
            httpx2.AsyncClient(base_url=self.url, headers={"origin": self.url}, timeout=30) as browser,
        ):
            invited = await owner.post("/api/v1/members/invitations", json={"email": email, "role": "admin"})
            link = invited.json()["path"].partition("#")[2]
            words = {"link": link, "email": email, "name": "Mai", "password": "a long password"}
            joined = await browser.post("/auth/join", json=words)
            assert joined.status_code == 200, joined.text
            yield browser

    async def strike(self, number: int) -> None:
        """Kill a replica and start it again."""
        self.programs[number].kill()
        await self.programs[number].up()


@asynccontextmanager
async def open_replicas(folder: Path, count: int = 2) -> AsyncGenerator[Replicas]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    home = Home(folder, {"CHATWRIGHT_PUBLIC_URL": url, "CHATWRIGHT_LEASE_SECONDS": "2"})
    ports = [free_port() for _ in range(count)]
    programs = [web(home, each, name=f"serve{number}") for number, each in enumerate(ports)]
    hand = worker(home, 1)
    proxy = Proxy([f"http://127.0.0.1:{each}" for each in ports])
    # Holds the database when the program that started it is killed.
    keeper = await home.connect()
    try:
        for program in (*programs, hand):
            await program.up()
        async with serving(Starlette(routes=[Route("/{path:path}", proxy)]), port=port):
            yield Replicas(url, list(proxy.targets), programs, proxy, home.token())
    finally:
        await proxy.close()
        for program in (hand, *programs):
            program.stop()
        await keeper.close()
