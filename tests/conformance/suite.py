"""Runs the official conformance suite against a server, and reads what it found."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

REPOSITORY = Path(__file__).parents[2]
EXPECTED_FAILURES = Path(__file__).with_name("expected-failures.yml")
SUITE = REPOSITORY / "web/node_modules/@modelcontextprotocol/conformance/dist/index.js"


@dataclass(frozen=True)
class Check:
    """One thing that a scenario looked at."""

    scenario: str
    name: str
    status: str
    """SUCCESS, FAILURE, WARNING, INFO or SKIPPED."""
    message: str


class WithToken:
    """Presents a token with every request: the suite has no way to send one of its own."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._header = (b"authorization", f"Bearer {token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [*scope["headers"], self._header]
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class Verdict:
    """What a run of a revision's scenarios gave."""

    conforms: bool
    """The suite's own word: nothing that it scores failed or gave a warning."""
    checks: list[Check]
    """Of every scenario, scored or not."""

    @property
    def scenarios(self) -> set[str]:
        return {check.scenario for check in self.checks}

    @property
    def failures(self) -> list[Check]:
        return [check for check in self.checks if check.status == "FAILURE"]


async def judge(url: str, revision: str, results: Path) -> Verdict:
    """Run what a revision requires of a server; `results` is an empty folder to leave the findings in."""
    process = await _started(
        *("server", "--url", url, "--requirements", revision),
        *("--expected-failures", str(EXPECTED_FAILURES), "--output-dir", str(results)),
    )
    return await _verdict(process, "server-", results)


async def judge_authorization(
    *words: str, results: Path, visit: Callable[[str], Awaitable[object]]
) -> Verdict:
    """Run the scenarios of an authorization server, the suite's arguments being `words`.

    `visit` opens the address where a person grants access and, granting it, is led back to the suite.
    """
    process = await _started("authorization", *words, "--output-dir", str(results))
    assert process.stdout is not None
    async for line in process.stdout:
        if line.startswith(b"http"):
            await visit(line.decode().strip())
            break
    return await _verdict(process, "authorization-server-", results)


def expected_failures() -> set[str]:
    """The scenarios that our registry may fail."""
    lines = EXPECTED_FAILURES.read_text().splitlines()
    return {line.strip().removeprefix("- ") for line in lines if line.strip().startswith("- ")}


async def _started(*words: str) -> asyncio.subprocess.Process:
    # The suite needs the Node that ./dev found or fetched, which may be newer than the machine's.
    path = os.pathsep.join([str(REPOSITORY / ".dev/node"), os.environ.get("PATH", os.defpath)])
    return await asyncio.create_subprocess_exec(
        "node",
        str(SUITE),
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PATH": path},
    )


async def _verdict(process: asyncio.subprocess.Process, prefix: str, results: Path) -> Verdict:
    out, _ = await process.communicate()
    # With a failure of its own the suite ends as it does with one of the server.
    assert b"=== SUMMARY ===" in out, out.decode()
    folders = sorted(results.iterdir())
    return Verdict(process.returncode == 0, [check for each in folders for check in _checks_of(each, prefix)])


def _checks_of(folder: Path, prefix: str) -> list[Check]:
    # A result's folder is named by its scenario and a time: server-ping-2026-01-31T23-59-59-999Z.
    scenario = folder.name.removeprefix(prefix)[: -len("-2026-01-31T23-59-59-999Z")]
    found: list[dict[str, Any]] = json.loads((folder / "checks.json").read_text())
    return [Check(scenario, check["id"], check["status"], check.get("errorMessage") or "") for check in found]


def told(checks: Iterable[Check]) -> str:
    """Checks, one to a line."""
    return "\n".join(f"{check.scenario}: {check.name}: {check.message}" for check in checks)
