"""Calls: REST and tools, beside a raw ASGI function with the same SQL and a bare server of the MCP SDK."""

import itertools
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.load import request
from benchmarks.place import Place
from benchmarks.processes import Process
from benchmarks.rounds import Comparison, Sample, Side, compare

VERSION = "2026-07-28"
RAW = "raw ASGI, same SQL"
SDK = "bare MCP SDK"
Requests = Callable[[], Iterator[bytes]]


def message(method: str, headers: dict[str, str], path: str = "/mcp", **params: Any) -> bytes:
    """An MCP request of the modern era."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "benchmarks", "version": "1"},
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    extra = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": VERSION,
        "mcp-method": method,
        **({"mcp-name": params["name"]} if "name" in params else {}),
    }
    return request("POST", path, {**headers, **extra}, json.dumps(body).encode())


def side(name: str, place: Place, process: Process, requests: Requests) -> Side:
    """A server under a load."""

    async def turn() -> Sample:
        _, sample = await place.load(process, requests())
        return sample

    return Side(name, turn)


async def rest_read(place: Place) -> list[Comparison]:
    """GET one conversation."""
    path = f"/api/v1/conversations/{place.conversation_id}"
    calls = [request("GET", path, place.headers(token)) for token in place.tokens]
    async with _raw(place) as (raw, floor):
        sides = [
            side("product", place, place.server, lambda: itertools.cycle(calls)),
            raw(_raw_read(place, floor)),
        ]
        return [await compare("REST read (one conversation)", "calls/s", sides, rounds=place.rounds)]


async def tool_read(place: Place) -> list[Comparison]:
    """tools/call of get_conversation."""
    arguments = {"conversation_id": place.conversation_id}
    calls = [
        message("tools/call", place.headers(token), name="get_conversation", arguments=arguments)
        for token in place.tokens
    ]
    async with _raw(place) as (raw, floor), place.floor("sdk") as sdk:
        sides = [
            side("product", place, place.server, lambda: itertools.cycle(calls)),
            side(SDK, place, sdk, _echo(place, sdk)),
            raw(_raw_read(place, floor)),
        ]
        return [await compare("tools/call read (get_conversation)", "calls/s", sides, rounds=place.rounds)]


async def tool_write(place: Place) -> list[Comparison]:
    """tools/call of save_reply, every one with an idempotency key of its own, and an audit record."""
    numbers = itertools.count()

    def calls(path: str) -> Iterator[bytes]:
        for token in itertools.cycle(place.tokens):
            number = next(numbers)
            arguments = {
                "shortcut": f"s{number % 100}",
                "text": "Thank you for waiting.",
                "idempotency_key": f"key-{number}",
            }
            yield message("tools/call", place.headers(token), path, name="save_reply", arguments=arguments)

    async with _raw(place) as (raw, _), place.floor("sdk") as sdk:
        sides = [
            side("product", place, place.server, lambda: calls("/mcp")),
            side(SDK, place, sdk, _echo(place, sdk)),
            raw(lambda: calls("/write")),
        ]
        name = "tools/call write (save_reply, key and audit)"
        return [await compare(name, "calls/s", sides, rounds=place.rounds)]


async def tool_list(place: Place) -> list[Comparison]:
    """tools/list: all tools of the catalogue beside one trivial tool."""
    calls = [message("tools/list", place.headers(token)) for token in place.tokens]
    async with place.floor("sdk") as sdk:
        one = message("tools/list", {"host": f"127.0.0.1:{sdk.port}"})
        sides = [
            side("product", place, place.server, lambda: itertools.cycle(calls)),
            side("bare MCP SDK, one tool", place, sdk, lambda: itertools.repeat(one)),
        ]
        return [await compare("tools/list", "calls/s", sides, rounds=place.rounds)]


@asynccontextmanager
async def _raw(place: Place) -> AsyncGenerator[tuple[Callable[[Requests], Side], Process]]:
    async with place.floor("raw") as floor:
        yield lambda requests: side(RAW, place, floor, requests), floor


def _raw_read(place: Place, floor: Process) -> Requests:
    path = f"/read/{place.workspace_id}/{place.conversation_id}"
    call = request("GET", path, {"host": f"127.0.0.1:{floor.port}"})
    return lambda: itertools.repeat(call)


def _echo(place: Place, sdk: Process) -> Requests:
    headers = {**place.headers(place.tokens[0]), "host": f"127.0.0.1:{sdk.port}"}
    call = message("tools/call", headers, name="echo", arguments={"text": "hello"})
    return lambda: itertools.repeat(call)
