"""What it weighs: memory of a running server, and the tool list in a model's context."""

import asyncio
import itertools
import json
import sys

from benchmarks.calls import COMMON
from benchmarks.load import drive, request
from benchmarks.place import CHATWRIGHT, Place
from benchmarks.processes import Process, cores, free_port, running
from benchmarks.progress import say
from benchmarks.rounds import Against, Comparison, Spread

MEGABYTE = 1024 * 1024
SETTLE_SECONDS = 2.0
BYTES_OF_A_TOKEN = 4
"""A rule of thumb for JSON and English."""


async def memory(place: Place) -> list[Comparison]:
    """`chatwright up`, web and workers in one process, idle and after a load."""
    say("memory")
    port = free_port()
    command = (CHATWRIGHT, "up", "--port", str(port), "--data", place.data)
    floor = (sys.executable, "-m", "benchmarks.floors", "idle")
    # A profile of its own: other measurements go on with the one of the server that stays.
    environment = {**place.environment(), "CHATWRIGHT_CONFIG": str(place.folder / "up.json")}
    async with (
        running(*floor, environment=environment) as idle,
        running(*command, environment=environment, port=port, pinned=cores()[0]) as up,
    ):
        await asyncio.sleep(SETTLE_SECONDS)
        imports, before = idle.memory(), up.memory()
        await _exercise(place, up)
        await asyncio.sleep(SETTLE_SECONDS)
        after = up.memory()
    return [
        _weighed("memory of 'up', idle", before, imports),
        _weighed("memory of 'up', after a load", after, imports),
    ]


async def tools(place: Place) -> list[Comparison]:
    """The tools/list answer that an owner's token gets."""
    calls = itertools.repeat(COMMON.message("tools/list", place.headers(place.tokens[0])))
    load = await drive(place.server.port, calls, seconds=0.1, connections=1)
    listed = json.loads(load.last)["result"]["tools"]
    sizes = {tool["name"]: len(json.dumps(tool, separators=(",", ":"))) for tool in listed}
    heaviest = max(sizes, key=lambda name: sizes[name])
    return [
        _counted("tools/list answer", len(load.last), f"{len(listed)} tools"),
        _counted("heaviest tool in it", sizes[heaviest], heaviest),
    ]


async def _exercise(place: Place, up: Process) -> None:
    """Reads and tool calls of all tokens, enough to fill pools and caches."""
    path = f"/api/v1/conversations/{place.conversation_id}"
    arguments = {"conversation_id": place.conversation_id}
    headers = [place.headers(token) for token in place.tokens]
    reads = [request("GET", path, one) for one in headers]
    calls = [
        COMMON.message("tools/call", one, name="get_conversation", arguments=arguments) for one in headers
    ]
    await drive(up.port, itertools.cycle([*reads, *calls]), seconds=place.seconds * 2)


def _weighed(name: str, ours: int, floor: int) -> Comparison:
    against = Against("fastapi and uvicorn imported", _just(floor / MEGABYTE), _just(ours / floor), None)
    return Comparison(name, "MB", more_is_better=False, value=_just(ours / MEGABYTE), against=[against])


def _counted(name: str, size: int, what: str) -> Comparison:
    note = f"{what}, about {size // BYTES_OF_A_TOKEN:,} tokens"
    return Comparison(name, "bytes", more_is_better=False, value=_just(size), note=note)


def _just(number: float) -> Spread:
    return Spread(number, number, number)
