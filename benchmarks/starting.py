"""How long an MCP client waits for a server that it starts: from the start to the first tools/list answer."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.calls import MODERN
from benchmarks.place import CHATWRIGHT, Place
from benchmarks.rounds import Comparison, Sample, Side, compare

LONGEST_LINE = 4 * 1024 * 1024
META: dict[str, object] = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
ASK = (
    json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}}).encode()
    + b"\n"
)


async def stdio(place: Place) -> list[Comparison]:
    """`chatwright mcp`, which carries messages to the running server, beside a bare SDK server."""
    floor = (sys.executable, "-m", "benchmarks.floors", "stdio")
    sides = [_side("product", place, (CHATWRIGHT, "mcp")), _side("bare MCP SDK, one tool", place, floor)]
    name = "stdio: start to the first tools/list"
    rounds = place.rounds + 2
    return [await compare(name, "ms", sides, rounds=rounds, more_is_better=False)]


def _side(name: str, place: Place, command: Sequence[str | Path]) -> Side:
    async def turn() -> Sample:
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=place.environment(),
            limit=LONGEST_LINE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(ASK)
        answer = json.loads(await process.stdout.readline())
        seconds = time.perf_counter() - started
        assert answer["result"]["tools"], answer
        process.stdin.close()
        await process.wait()
        return Sample(seconds * 1000)

    return Side(name, turn)
