"""The load: HTTP/1.1 over a few kept connections, as cheap as Python does it.

Each connection sends its next request when the answer to the last one is whole, so the server decides the pace.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OK = b"HTTP/1.1 200"
_TOOL_FAILED = b'"isError":true'


@dataclass
class Load:
    """What became of a load."""

    seconds: float
    answers: int = 0
    last: bytes = b""
    """The latest answer's body."""
    failed: bytes = b""
    """The first answer that was none."""
    latencies: list[float] = field(default_factory=list[float])

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request as bytes on the wire."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def drive(port: int, requests: Iterator[bytes], *, seconds: float, connections: int = 16) -> Load:
    """Send requests for some seconds; raises AssertionError when any was not answered with 200."""
    loop = asyncio.get_running_loop()
    load = Load(seconds)
    until = time.perf_counter() + seconds
    started = time.perf_counter()
    lines = [_Line(requests, load, until) for _ in range(connections)]
    for line in lines:
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port)
    await asyncio.gather(*(line.done for line in lines))
    load.seconds = time.perf_counter() - started
    assert not load.failed, load.failed[:1000]
    assert load.answers, "nothing was answered"
    return load


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Iterator[bytes], load: Load, until: float) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._load = load
        self._until = until
        self._heard = bytearray()
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        end = self._heard.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._heard, 0, end + 2)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._heard) >= whole:
            self._take(end + 4)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._load.failed = self._load.failed or f"connection lost: {exc}".encode()
            self.done.set_result(None)

    def _take(self, body: int) -> None:
        load, heard = self._load, bytes(self._heard)
        self._heard.clear()
        if heard.startswith(_OK) and _TOOL_FAILED not in heard:
            load.answers += 1
            load.latencies.append(time.perf_counter() - self._sent)
            load.last = heard[body:]
        else:
            load.failed = load.failed or heard
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._sent = time.perf_counter()
        if self._sent < self._until and not self._load.failed:
            self._transport.write(next(self._requests))
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()
