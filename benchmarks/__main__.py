"""`python -m benchmarks [names] [--quick] [--json FILE]`: measure, and print a table."""

import argparse
import asyncio
import dataclasses
import json
import platform
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks import calls, inbound, starting, weight, whatsapp
from benchmarks.place import Place, prepared
from benchmarks.progress import done
from benchmarks.rounds import Comparison
from benchmarks.table import table

Measure = Callable[[Place], Awaitable[list[Comparison]]]

MEASURES: dict[str, Measure] = {
    "rest-read": calls.rest_read,
    "tool-read": calls.tool_read,
    "tool-write": calls.tool_write,
    "tool-list": calls.tool_list,
    "accepted": inbound.accepted,
    "worked": inbound.worked,
    "signed": whatsapp.signed,
    "sends": whatsapp.sends,
    "stdio": starting.stdio,
    "memory": weight.memory,
    "tools": weight.tools,
}


def main() -> None:
    """Measure what the command line names, or everything."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        results = asyncio.run(_measured(options, Path(folder)))
    print(table(results))
    if options.json:
        machine = {"python": platform.python_version(), "system": platform.platform()}
        found = {**machine, "results": [dataclasses.asdict(result) for result in results]}
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Measure the product beside its floors, in turns, on this machine."
    )
    parser.add_argument("names", nargs="*", help=f"what to measure: {', '.join(MEASURES)}; else all")
    parser.add_argument("--quick", action="store_true", help="less than a minute, for a first impression")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    options = parser.parse_args()
    if unknown := set(options.names).difference(MEASURES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    return options


async def _measured(options: argparse.Namespace, folder: Path) -> list[Comparison]:
    seconds, rounds = (0.5, 2) if options.quick else (2.0, 5)
    wanted = [measure for name, measure in MEASURES.items() if not options.names or name in options.names]
    results: list[Comparison] = []
    async with prepared(folder, seconds=seconds, rounds=rounds) as place:
        for measure in wanted:
            results += await measure(place)
    done()
    return results


if __name__ == "__main__":
    sys.exit(main())
