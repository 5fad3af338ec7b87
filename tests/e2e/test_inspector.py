"""The MCP Inspector, an independent client on the TypeScript SDK, against the whole product."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chatwright.catalogue import CATALOGUE
from chatwright.kernel.caller import Surface
from tests.e2e.programs import CHATWRIGHT, Home, free_port, web

TOOL_FAILED = 5
VERSIONS = {"legacy": "2025-11-25", "modern": "2026-07-28"}


@dataclass(frozen=True)
class Served:
    """A running product, and how to reach it."""

    home: Home
    url: str

    def target(self, transport: str) -> list[str]:
        """The Inspector's arguments for one of the two ways in."""
        if transport == "stdio":
            config = self.home.environment()["CHATWRIGHT_CONFIG"]
            return [str(CHATWRIGHT), "mcp", "-e", f"CHATWRIGHT_CONFIG={config}"]
        return [f"{self.url}/mcp", "--header", f"Authorization: Bearer {self.home.token()}"]


@dataclass(frozen=True)
class Run:
    """How one run of the Inspector ended."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        assert self.code == 0, self.err
        found = json.loads(self.out)
        return found.get("result", found)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Served]:
    """The product as `chatwright serve` runs it on a machine where it never ran before."""
    home = Home(tmp_path_factory.mktemp("inspected"))
    port = free_port()
    program = await web(home, port).up()
    try:
        yield Served(home, f"http://127.0.0.1:{port}")
    finally:
        program.stop()


async def inspect(
    repository: Path, served: Served, transport: str, era: str, method: str, *options: str
) -> Run:
    command = [
        str(repository / "web/node_modules/.bin/mcp-inspector"),
        "--cli",
        *served.target(transport),
        "--protocol-era",
        era,
        "--method",
        method,
        *options,
        "--format",
        "json",
        "-q",
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HOME": str(served.home.folder)},
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Run(process.returncode, out.decode(), err.decode())


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("transport", ["http", "stdio"])
class TestInspector:
    async def test_it_agrees_on_the_era(
        self, served: Served, repository: Path, transport: str, era: str
    ) -> None:
        agreed = (await inspect(repository, served, transport, era, "initialize")).result
        assert agreed["serverInfo"]["name"] == "chatwright"
        assert agreed["protocolVersion"] == VERSIONS[era]

    async def test_it_lists_tools_that_any_client_can_use(
        self, served: Served, repository: Path, transport: str, era: str
    ) -> None:
        run = await inspect(repository, served, transport, era, "tools/list", "--strict")
        names = {tool["name"] for tool in run.result["tools"]}
        assert {"search_tools", "upsert_contact", "send_message"} <= names

    async def test_it_calls_a_tool(self, served: Served, repository: Path, transport: str, era: str) -> None:
        run = await inspect(
            repository,
            served,
            transport,
            era,
            "tools/call",
            "--tool-name",
            "run_write_tool",
            "--tool-args-json",
            json.dumps({"tool": "create_contact", "arguments": {"first_name": "Ann"}}),
        )
        assert run.result["structuredContent"]["name"] == "Ann"

    async def test_it_reads_a_resource(
        self, served: Served, repository: Path, transport: str, era: str
    ) -> None:
        run = await inspect(
            repository, served, transport, era, "resources/read", "--uri", "chatwright://workspace"
        )
        (contents,) = run.result["contents"]
        assert json.loads(contents["text"])["workspace"]["name"] == "My workspace"

    async def test_it_lists_what_there_is_to_read(
        self, served: Served, repository: Path, transport: str, era: str
    ) -> None:
        methods = ("resources/list", "resources/templates/list", "prompts/list")
        runs = [inspect(repository, served, transport, era, method) for method in methods]
        resources, templates, prompts = [run.result for run in await asyncio.gather(*runs)]
        assert "chatwright://workspace" in {each["uri"] for each in resources["resources"]}
        assert "chatwright://contacts/{id}" in {
            each["uriTemplate"] for each in templates["resourceTemplates"]
        }
        assert "weekly_report" in {each["name"] for each in prompts["prompts"]}

    async def test_it_gets_a_prompt(self, served: Served, repository: Path, transport: str, era: str) -> None:
        run = await inspect(
            repository, served, transport, era, "prompts/get", "--prompt-name", "weekly_report"
        )
        (message, *_) = run.result["messages"]
        assert "list_conversations" in message["content"]["text"]

    async def test_it_sees_why_a_call_failed(
        self, served: Served, repository: Path, transport: str, era: str
    ) -> None:
        run = await inspect(
            repository,
            served,
            transport,
            era,
            "tools/call",
            "--tool-name",
            "get_contact",
            "--tool-args-json",
            json.dumps({"contact_id": "01900000-0000-7000-8000-000000000000"}),
        )
        assert run.code == TOOL_FAILED
        assert "CONTACT_NOT_FOUND" in run.out + run.err


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_every_tool_is_one_that_any_client_can_use(served: Served, repository: Path, era: str) -> None:
    everything = ("--header", "X-Chatwright-Toolsets: all")
    run = await inspect(repository, served, "http", era, "tools/list", "--strict", *everything)
    names = {tool["name"] for tool in run.result["tools"]}
    assert names >= {operation.tool for operation in CATALOGUE if Surface.MCP in operation.surfaces}
