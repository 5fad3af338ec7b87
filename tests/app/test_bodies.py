"""Bodies that nobody would send in good faith, at every door: refused in order, while others are answered."""

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio
from starlette.types import Message, Receive, Scope, Send

from chatwright.app.server import build_app
from chatwright.app.slowness import Impatience, TooSlow
from chatwright.app.wiring import Product
from chatwright.features.messaging.inboxes.operations import create_inbox
from tests.conftest import Desk, open_desk
from tests.serving import serving
from tests.surfaces.mcp.server import token_of

DEEP = b'{"jsonrpc":"2.0","id":1,"method":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
LARGE = 5 * 1024 * 1024
JSON = "Content-Type: application/json"


@dataclass(frozen=True)
class Doors:
    port: int
    paths: dict[str, str]
    """By name: of MCP, REST and a hook."""
    token: str

    def head(self, door: str, *lines: str, version: str = "1.1", host: str = "localhost") -> bytes:
        usual = [f"Authorization: Bearer {self.token}", "Accept: application/json, text/event-stream"]
        named = [f"Host: {host}"] if host else []
        first = f"POST {self.paths[door]} HTTP/{version}"
        return "\r\n".join([first, *named, *usual, *lines, "", ""]).encode("latin-1")

    async def raw(self, *pieces: bytes, seconds: float = 20) -> bytes:
        """Send bytes as they are, and read until the server closes or has answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in pieces:
                writer.write(piece)
            await writer.drain()
            async with asyncio.timeout(seconds):
                return await reader.read(100_000)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def well(self) -> bool:
        """Whether others are answered."""
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=20) as http:
            return (await http.get("/healthz")).status_code == 200


DOORS = ("mcp", "rest", "hook")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def doors(product: Product) -> AsyncGenerator[Doors]:
    desk = await open_desk(product)
    yield_token = await token_of(desk)
    inbox = await desk.call(create_inbox, channel="webchat", name="Chat")
    paths = {"mcp": "/mcp", "rest": "/api/v1/tags", "hook": f"/hooks/{inbox['id']}"}
    async with serving(build_app(product)) as url:
        yield Doors(int(url.rpartition(":")[2]), paths, yield_token)


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


def sized(body: bytes, *lines: str) -> tuple[str, ...]:
    return (JSON, f"Content-Length: {len(body)}", *lines)


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "a batch": b'[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]',
    "deeply nested": DEEP,
    "invalid UTF-8": b'{"name":"\xff\xfe\xfa"}',
    "half of a pair": b'{"name":"\\ud800"}',
    "NUL": b'{"name":"a\\u0000b"}',
    "a name twice": b'{"name":"x","name":["y"],"name":{}}',
    "a huge number": b'{"name":' + b"9" * 5000 + b"}",
    "an infinite number": b'{"name":1e999999}',
    "no number": b'{"name":NaN}',
    "UTF-16": '{"name":"x"}'.encode("utf-16"),
    "compressed": gzip.compress(b'{"name":"x"}' * 1000),
    "a text": b'"hello"',
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_good_is_refused(doors: Doors, door: str, body: bytes) -> None:
    answer = await doors.raw(doors.head(door, *sized(body)), body)
    assert 400 <= status_of(answer) < 500, answer[:300]
    assert await doors.well()


@pytest.mark.parametrize("door", DOORS)
async def test_too_much_is_refused_however_it_is_announced(doors: Doors, door: str) -> None:
    declared = await doors.raw(doors.head(door, JSON, f"Content-Length: {LARGE}"), b"x" * 1000)
    assert status_of(declared) == 413, declared[:300]
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    chunked = await doors.raw(doors.head(door, JSON, "Transfer-Encoding: chunked"), chunk * (LARGE // 65_536))
    # Whoever is still sending when the connection closes may not get to read why.
    assert status_of(chunked) in {0, 413}, chunked[:300]
    assert await doors.well()


SMUGGLED = {
    "both lengths": (JSON, "Content-Length: 2", "Transfer-Encoding: chunked"),
    "two lengths": (JSON, "Content-Length: 2", "Content-Length: 30"),
    "a negative length": (JSON, "Content-Length: -2"),
    "a length with a sign": (JSON, "Content-Length: +2"),
    "a length in words": (JSON, "Content-Length: two"),
    "another coding": (JSON, "Transfer-Encoding: gzip, chunked, identity"),
    "a hidden coding": (JSON, "Transfer-Encoding : chunked"),
    "a folded header": (JSON, "X-A: b\r\n c: d", "Content-Length: 2"),
    "a bare return": (JSON, "X-A: b\rContent-Length: 2"),
    "NUL in a header": (JSON, "X-A: b\0c", "Content-Length: 2"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("lines", SMUGGLED.values(), ids=SMUGGLED)
async def test_a_request_within_a_request_is_not_answered(
    doors: Doors, door: str, lines: tuple[str, ...]
) -> None:
    inner = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = await doors.raw(doors.head(door, *lines), b"0\r\n\r\n", inner)
    assert status_of(answer) in {0, 400, 413, 415, 422}, answer[:300]
    assert b'"ok"' not in answer
    assert await doors.well()


@pytest.mark.parametrize("door", DOORS)
async def test_older_http_and_pipelines_are_answered(doors: Doors, door: str) -> None:
    body = b"{"
    older = await doors.raw(doors.head(door, *sized(body), version="1.0"), body)
    assert 400 <= status_of(older) < 500
    one = doors.head(door, *sized(body)) + body
    last = doors.head(door, *sized(body, "Connection: close")) + body
    reader, writer = await asyncio.open_connection("127.0.0.1", doors.port)
    writer.write(one + one + last)
    answers = await reader.read()
    writer.close()
    assert answers.count(b"HTTP/1.1 4") == 3, answers


async def test_a_slow_body_is_given_up_while_others_are_answered(desk: Desk, product: Product) -> None:
    patient = build_app(product)
    async with serving(Impatience(patient, patience=0.5, pace=1000)) as url:
        doors = Doors(
            int(url.rpartition(":")[2]), {"mcp": "/mcp", "rest": "/api/v1/tags"}, await token_of(desk)
        )
        for door in doors.paths:
            reader, writer = await asyncio.open_connection("127.0.0.1", doors.port)
            writer.write(doors.head(door, JSON, "Content-Length: 1000"))
            dripping = asyncio.create_task(_drip(writer))
            assert await doors.well()
            async with asyncio.timeout(20):
                answer = await reader.read()
            dripping.cancel()
            writer.close()
            assert status_of(answer) == 408, answer
            assert b"REQUEST_TIMEOUT" in answer
            assert b"connection: close" in answer.lower()


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b" ")
        await asyncio.sleep(0.05)


async def test_a_thin_line_has_time_for_much() -> None:
    pieces: list[Message] = [
        {"type": "http.request", "body": b"x" * 100, "more_body": number < 9} for number in range(10)
    ]

    async def slowly() -> Message:
        await asyncio.sleep(0.02)
        return pieces.pop(0)

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(10):
            await receive()

    async def send(message: Message) -> None: ...

    scope = {"type": "http"}
    await Impatience(read, patience=0.1, pace=1000)(scope, slowly, send)
    assert pieces == []
    pieces += [{"type": "http.request", "body": b"", "more_body": True} for _ in range(10)]
    with pytest.raises(TooSlow):
        await Impatience(read, patience=0.1, pace=1000)(scope, slowly, send)


def test_the_table_is_json_where_it_says_so() -> None:
    assert json.loads(BODIES["a name twice"]) == {"name": {}}
