"""Calls: REST and tools, beside a raw ASGI function with the same SQL and a bare server of the MCP SDK."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.load import drive, request
from benchmarks.place import CONNECTIONS, Place
from benchmarks.processes import Process
from benchmarks.rounds import Comparison, Sample, Side, compare

RAW = "raw ASGI, same SQL"
KEPT = "raw ASGI, same bytes"
SDK = "bare MCP SDK"
Requests = Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Setting:
    """How tools are called."""

    version: str
    """The revision; messages before 2026-07-28 are of the older era."""
    clients: int
    """Connections at once."""

    def __str__(self) -> str:
        return f"{self.version}, {self.clients} client{'s' if self.clients > 1 else ''}"

    def message(self, method: str, headers: dict[str, str], path: str = "/mcp", **params: Any) -> bytes:
        """An MCP request, regular in its era."""
        extra = {"accept": "application/json, text/event-stream", "mcp-protocol-version": self.version}
        if self.version == MODERN:
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": self.version,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "benchmarks", "version": "1"},
            }
            extra |= {"mcp-method": method, **({"mcp-name": params["name"]} if "name" in params else {})}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return request("POST", path, {**headers, **extra}, json.dumps(body).encode())

    def side(self, name: str, place: Place, process: Process, requests: Requests) -> Side:
        """A server under this load."""
        return side(name, place, process, requests, self.clients)


MODERN = "2026-07-28"
COMMON = Setting(MODERN, CONNECTIONS)
SETTINGS = [Setting(version, clients) for version in (MODERN, "2025-11-25") for clients in (1, 32)]


def side(name: str, place: Place, process: Process, requests: Requests, clients: int = CONNECTIONS) -> Side:
    """A server under a load."""

    async def turn() -> Sample:
        _, sample = await place.load(process, requests(), clients)
        return sample

    return Side(name, turn)


async def rest_read(place: Place) -> list[Comparison]:
    """GET one conversation."""
    id_ = place.conversation_id

    def calls(path: str) -> Requests:
        made = [request("GET", path, place.headers(token)) for token in place.tokens]
        return lambda: itertools.cycle(made)

    async with place.floor("raw") as raw:
        sides = [
            side("product", place, place.server, calls(f"/api/v1/conversations/{id_}")),
            side(RAW, place, raw, calls(f"/read/{place.workspace_id}/{id_}")),
        ]
        return [await compare("REST read (one conversation)", "calls/s", sides, rounds=place.rounds)]


async def tool_read(place: Place) -> list[Comparison]:
    """tools/call of get_conversation."""
    arguments = {"conversation_id": place.conversation_id}

    def calls(at: Setting, path: str) -> Requests:
        made = [
            at.message("tools/call", place.headers(token), path, name="get_conversation", arguments=arguments)
            for token in place.tokens
        ]
        return lambda: itertools.cycle(made)

    def sides(at: Setting, raw: Process, sdk: Process) -> list[Side]:
        return [
            at.side("product", place, place.server, calls(at, "/mcp")),
            at.side(RAW, place, raw, calls(at, f"/read/{place.workspace_id}")),
            at.side(SDK, place, sdk, _echo(place, sdk, at)),
        ]

    return await _in_all_settings(place, "tools/call read", sides)


async def tool_write(place: Place) -> list[Comparison]:
    """tools/call of save_reply, every one with an idempotency key of its own, and an audit record."""
    numbers = itertools.count()

    def calls(at: Setting, path: str) -> Iterator[bytes]:
        for token in itertools.cycle(place.tokens):
            number = next(numbers)
            arguments = {
                "shortcut": f"s{number % 100}",
                "text": "Thank you for waiting.",
                "idempotency_key": f"key-{number}",
            }
            yield at.message("tools/call", place.headers(token), path, name="save_reply", arguments=arguments)

    def sides(at: Setting, raw: Process, sdk: Process) -> list[Side]:
        return [
            at.side("product", place, place.server, lambda: calls(at, "/mcp")),
            at.side(RAW, place, raw, lambda: calls(at, "/write")),
            at.side(SDK, place, sdk, _echo(place, sdk, at)),
        ]

    return await _in_all_settings(place, "tools/call write", sides)


async def tool_list(place: Place) -> list[Comparison]:
    """tools/list: the default tools beside the same bytes from memory, and beside one trivial tool."""
    results: list[Comparison] = []
    async with place.floor("raw") as raw, place.floor("sdk") as sdk:
        for at in SETTINGS:
            calls, again = (
                [at.message("tools/list", place.headers(token), path) for token in place.tokens]
                for path in ("/mcp", "/kept")
            )
            kept = await drive(place.server.port, itertools.cycle(calls), seconds=0.2, connections=1)
            keep = request("POST", "/keep", {"host": f"127.0.0.1:{raw.port}"}, kept.last)
            await drive(raw.port, itertools.repeat(keep), seconds=0.2, connections=1)
            one = at.message("tools/list", {"host": f"127.0.0.1:{sdk.port}"})
            sides = [
                at.side("product", place, place.server, lambda calls=calls: itertools.cycle(calls)),
                at.side(KEPT, place, raw, lambda again=again: itertools.cycle(again)),
                at.side(f"{SDK}, one tool", place, sdk, lambda one=one: itertools.repeat(one)),
            ]
            results.append(await compare(f"tools/list ({at})", "calls/s", sides, rounds=place.rounds))
    return results


async def _in_all_settings(
    place: Place, name: str, sides: Callable[[Setting, Process, Process], list[Side]]
) -> list[Comparison]:
    async with place.floor("raw") as raw, place.floor("sdk") as sdk:
        return [
            await compare(f"{name} ({at})", "calls/s", sides(at, raw, sdk), rounds=place.rounds)
            for at in SETTINGS
        ]


def _echo(place: Place, sdk: Process, at: Setting) -> Requests:
    headers = {**place.headers(place.tokens[0]), "host": f"127.0.0.1:{sdk.port}"}
    call = at.message("tools/call", headers, name="echo", arguments={"text": "hello"})
    return lambda: itertools.repeat(call)
