"""`chatwright mcp`, started as MCP clients start it."""

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated

from chatwright.client.profiles import Profile, save_profile
from chatwright.features.workspaces.operations import list_audit, list_tokens, revoke_token, update_workspace
from tests.conftest import Desk
from tests.surfaces.mcp.server import ERAS, LEGACY, MODERN, modern, request, token_of

COMMAND = [sys.executable, "-m", "chatwright.app.main", "mcp"]
SECONDS = 20


def environment(url: str | None = None, token: str | None = None, **more: str) -> dict[str, str]:
    """What the bridge sees of the machine: no profile but those of the test."""
    given = {"CHATWRIGHT_CONFIG": "/nonexistent/profiles.json", **more}
    if url is not None:
        given["CHATWRIGHT_URL"] = url
    if token is not None:
        given["CHATWRIGHT_TOKEN"] = token
    return given


@dataclass
class Bridge:
    """A running bridge, and both ends of its pipes."""

    process: asyncio.subprocess.Process

    async def send(self, *messages: dict[str, Any] | bytes) -> Self:
        assert self.process.stdin is not None
        for message in messages:
            line = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()
        return self

    async def next(self) -> dict[str, Any]:
        """The next message on stdout."""
        assert self.process.stdout is not None
        async with asyncio.timeout(SECONDS):
            line = await self.process.stdout.readline()
        assert line, "the bridge has ended"
        return json.loads(line)

    async def ask(self, message: dict[str, Any] | bytes) -> dict[str, Any]:
        return await (await self.send(message)).next()

    async def end(self) -> tuple[int, bytes]:
        """Close stdin; returns the exit code and what was still on stdout."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(SECONDS):
            rest, _ = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, rest


@asynccontextmanager
async def bridge(env: dict[str, str], *arguments: str) -> AsyncGenerator[Bridge]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=env,
        limit=10_000_000,
    )
    try:
        yield Bridge(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@dataclass
class Received:
    """One request as the server saw it."""

    headers: dict[str, str]
    message: dict[str, Any]
    connection: int


Answer = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Script:
    """A server that does to its connections what no healthy one does."""

    answer: Answer
    received: list[Received] = field(default_factory=list[Received])
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:-2]
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers["content-length"]))
                received = Received(headers, json.loads(body), number)
                self.received.append(received)
                await self.answer(received, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hung_up.set()
        finally:
            writer.close()


@asynccontextmanager
async def scripted(answer: Answer) -> AsyncGenerator[tuple[str, Script]]:
    script = Script(answer)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", script
    finally:
        server.close()


def reply(status: str, content_type: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def result(id_: object, **value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id_, "result": value}).encode()


def chunk(text: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(text), text)


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class TestWithTheOfficialClient:
    @pytest.mark.parametrize("mode", ERAS)
    async def test_it_is_the_servers_mcp(self, mcp_url: str, desk: Desk, mode: str) -> None:
        parameters = StdioServerParameters(
            command=COMMAND[0], args=COMMAND[1:], env=environment(mcp_url, await token_of(desk))
        )
        async with Client(parameters, mode=mode) as client:
            assert client.protocol_version == (LEGACY if mode == "legacy" else MODERN)
            assert client.server_info is not None
            assert client.server_info.name == "chatwright"
            assert len((await client.list_tools()).tools) > 10
            shown = await client.call_tool("get_workspace", {})
            assert shown.structured_content is not None
            assert shown.structured_content["name"] == "Test"
            read = await client.read_resource("chatwright://workspace")
            assert read.contents
            with pytest.raises(MCPError) as caught:
                await client.call_tool("sell_soul", {})
            assert caught.value.code == -32602

    @pytest.mark.parametrize("mode", ERAS)
    async def test_the_audit_trail_knows_the_client_behind_it(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        parameters = StdioServerParameters(
            command=COMMAND[0], args=COMMAND[1:], env=environment(mcp_url, await token_of(desk))
        )
        async with Client(parameters, mode=mode) as client:
            await client.call_tool("update_workspace", {"name": "Renamed"})
        record: dict[str, Any] = (await desk.call(list_audit))["items"][0]
        assert record["operation"] == "workspace.update"
        assert record["client"].startswith("mcp/")

    async def test_it_shows_the_tools_that_its_arguments_choose(self, mcp_url: str, desk: Desk) -> None:
        chosen = ["--toolsets", "tags, notes", "--read-only", "--exclude", "list_contact_notes"]
        program = StdioServerParameters(
            command=COMMAND[0], args=[*COMMAND[1:], *chosen], env=environment(mcp_url, await token_of(desk))
        )
        async with Client(program) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["list_tags"]
            with pytest.raises(MCPError, match="no tool called 'create_tag'"):
                await client.call_tool("create_tag", {"name": "vip"})

    async def test_a_toolset_there_is_not_is_said_so(self, mcp_url: str, desk: Desk) -> None:
        async with bridge(environment(mcp_url, await token_of(desk)), "--toolsets", "agnt") as running:
            answer = await running.ask(modern("tools/list")["json"])
        assert answer["error"]["data"]["code"] == "UNKNOWN_TOOLSET"

    async def test_streams_of_changes_come_through(self, mcp_url: str, desk: Desk) -> None:
        parameters = StdioServerParameters(
            command=COMMAND[0], args=COMMAND[1:], env=environment(mcp_url, await token_of(desk))
        )
        async with (
            Client(parameters) as client,
            client.listen(resource_subscriptions=["chatwright://workspace"]) as subscription,
        ):
            await desk.call(update_workspace, name="Renamed")
            async with asyncio.timeout(SECONDS):
                assert await anext(aiter(subscription)) == ResourceUpdated("chatwright://workspace")
            # Calls go on beside an open stream.
            assert (await client.call_tool("get_workspace", {})).structured_content is not None


class TestHeaders:
    async def test_the_modern_era_is_derived_from_the_message(self) -> None:
        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(reply("200 OK", "application/json", result(received.message["id"])))

        async with (
            scripted(answer) as (url, script),
            bridge(environment(f"{url}/mcp", "cw_secret")) as running,
        ):
            await running.ask(modern("tools/call", name="get_workspace", arguments={})["json"])
            await running.ask(modern("resources/read", uri="chatwright://contacts/Zoë")["json"])
            await running.ask(modern("tools/list")["json"])
        call, read, listing = (received.headers for received in script.received)
        assert call["mcp-protocol-version"] == MODERN
        assert (call["mcp-method"], call["mcp-name"]) == ("tools/call", "get_workspace")
        assert call["authorization"] == "Bearer cw_secret"
        assert call["accept"] == "application/json, text/event-stream"
        encoded = re.fullmatch(r"=\?base64\?(.*)\?=", read["mcp-name"])
        assert encoded is not None
        assert base64.b64decode(encoded[1]).decode() == "chatwright://contacts/Zoë"
        assert "mcp-name" not in listing
        assert {received.connection for received in script.received} == {1}

    async def test_the_older_era_follows_what_initialize_agreed_on(self) -> None:
        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            if "id" not in received.message:
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                return
            writer.write(
                reply(
                    "200 OK", "application/json", result(received.message["id"], protocolVersion="2025-06-18")
                )
            )

        info = {"name": "claude", "version": "2"}
        async with scripted(answer) as (url, script), bridge(environment(url)) as running:
            await running.ask(request("initialize", protocolVersion=LEGACY, clientInfo=info))
            await running.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
            await running.ask(request("tools/list"))
            await running.send(
                {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}}
            )
            await running.end()
        by_method = {received.message["method"]: received.headers for received in script.received}
        assert "mcp-protocol-version" not in by_method["initialize"]
        assert by_method["notifications/initialized"]["mcp-protocol-version"] == "2025-06-18"
        assert by_method["tools/list"]["mcp-protocol-version"] == "2025-06-18"
        assert by_method["tools/list"]["user-agent"] == "claude/2"
        assert by_method["notifications/cancelled"]["mcp-protocol-version"] == "2025-06-18"
        assert "mcp-method" not in by_method["tools/list"]


class TestStreams:
    async def test_progress_comes_before_the_answer(self) -> None:
        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}
            text = json.dumps(note, indent=1).replace("\n", "\ndata: ")
            writer.write(STREAM + chunk(b": ping\r\n\r\n"))
            # An event in two pieces, and one whose data spans lines.
            event = f"event: message\r\ndata: {text}\r\n\r\n".encode()
            writer.write(chunk(event[:20]))
            await writer.drain()
            writer.write(chunk(event[20:]))
            writer.write(chunk(b"data: " + result(received.message["id"], done=True) + b"\n\n") + chunk(b""))

        async with scripted(answer) as (url, _), bridge(environment(url)) as running:
            await running.send(request("tools/call", name="slow"))
            assert (await running.next())["method"] == "notifications/progress"
            assert (await running.next())["result"] == {"done": True}

    async def test_cancelling_hangs_up_in_the_modern_era(self) -> None:
        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            if received.message["method"] == "subscriptions/listen":
                note = {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged"}
                writer.write(STREAM + chunk(b"data: " + json.dumps(note).encode() + b"\n\n"))
            else:
                writer.write(reply("200 OK", "application/json", result(received.message["id"])))

        listen = modern("subscriptions/listen", notifications={})["json"]
        async with scripted(answer) as (url, script), bridge(environment(url)) as running:
            await running.send({**listen, "id": "s"})
            assert (await running.next())["method"].endswith("acknowledged")
            await running.send(
                {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "s"}}
            )
            async with asyncio.timeout(SECONDS):
                await script.hung_up.wait()
            # It is owed no answer, and the bridge goes on.
            assert (await running.ask(modern("tools/list")["json"]))["id"] == 1
        assert [received.message["method"] for received in script.received] == [
            "subscriptions/listen",
            "tools/list",
        ]

    async def test_a_stream_that_breaks_off_is_an_error(self) -> None:
        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(STREAM + chunk(b": ping\n\n"))
            await writer.drain()
            writer.close()

        async with scripted(answer) as (url, _), bridge(environment(url)) as running:
            told = await running.ask(request("tools/call", name="slow"))
        assert told["id"] == 1
        assert told["error"]["data"]["code"] == "ANSWER_LOST"


class TestTrouble:
    async def test_a_server_that_is_not_there_is_an_error_each_time_and_then_none(
        self, unused_tcp_port: int
    ) -> None:
        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(reply("200 OK", "application/json", result(received.message["id"])))

        url = f"http://127.0.0.1:{unused_tcp_port}"
        async with bridge(environment(url)) as running:
            for _ in range(2):
                told = await running.ask(request("tools/list"))
                assert told["error"]["data"]["code"] == "SERVER_UNREACHABLE"
                assert told["error"]["data"]["retryable"] is True
                assert url in told["error"]["message"]
                assert "chatwright up" in told["error"]["message"]
            server = await asyncio.start_server(Script(answer).serve, "127.0.0.1", unused_tcp_port)
            assert "result" in await running.ask(request("tools/list"))
            server.close()

    async def test_a_call_whose_answer_is_lost_is_never_repeated(self) -> None:
        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            if received.message["method"] == "tools/call":
                writer.close()
            else:
                writer.write(reply("200 OK", "application/json", result(received.message["id"])))

        async with scripted(answer) as (url, script), bridge(environment(url)) as running:
            await running.ask(request("tools/list"))
            told = await running.ask(request("tools/call", name="send_message"))
        assert told["error"]["data"]["code"] == "ANSWER_LOST"
        assert "idempotency_key" in told["error"]["data"]["hint"]
        assert [received.message["method"] for received in script.received] == ["tools/list", "tools/call"]

    async def test_a_kept_connection_that_the_server_closed_is_not_used_again(self) -> None:
        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(reply("200 OK", "application/json", result(received.message["id"])))
            await writer.drain()
            writer.close()

        async with scripted(answer) as (url, script), bridge(environment(url)) as running:
            for _ in range(3):
                assert "result" in await running.ask(request("tools/call", name="send_message"))
                await asyncio.sleep(0.05)
        assert script.connections == 3

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            (reply("502 Bad Gateway", "text/html", b"<h1>nginx</h1>"), "NOT_CHATWRIGHT"),
            (reply("200 OK", "application/json", b'{"hello": 1}'), "NOT_CHATWRIGHT"),
            (b"SSH-2.0-OpenSSH_9\r\n", "ANSWER_LOST"),
        ],
        ids=["a proxy", "another program", "no HTTP at all"],
    )
    async def test_an_answer_of_something_else_is_an_error(self, given: bytes, code: str) -> None:
        async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
            writer.write(given)

        async with scripted(answer) as (url, _), bridge(environment(url)) as running:
            told = await running.ask(request("tools/list"))
        assert told["id"] == 1
        assert told["error"]["data"]["code"] == code

    async def test_a_refusal_before_the_protocol_gets_the_calls_id(self, mcp_url: str) -> None:
        async with bridge(environment(mcp_url, "cw_wrong")) as running:
            told = await running.ask({**request("tools/list"), "id": "a"})
        assert told["id"] == "a"
        assert told["error"]["data"]["code"] == "UNAUTHENTICATED"

    async def test_lines_that_are_no_messages_are_answered_so(self, mcp_url: str, desk: Desk) -> None:
        async with bridge(environment(mcp_url, await token_of(desk))) as running:
            assert (await running.ask(b"{nonsense"))["error"]["code"] == -32700
            assert (await running.ask(b"[1, 2]"))["error"]["code"] == -32600
            assert "result" in await running.ask(modern("tools/list")["json"])
            assert await running.end() == (0, b"")

    async def test_messages_that_nobody_can_read_are_answered_too(self, mcp_url: str, desk: Desk) -> None:
        async with bridge(environment(mcp_url, await token_of(desk))) as running:
            for depth in (900, 980, 100_000):
                deep = b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": %s%s}}'
                assert "error" in await running.ask(deep % (b"[" * depth, b"]" * depth))
            half = modern("tools/call", name="a\ud800", arguments={})["json"]
            assert "error" in await running.ask(half)
            assert "result" in await running.ask(modern("tools/list")["json"])


class TestProfiles:
    async def test_without_one_each_request_is_told_so(self) -> None:
        async with bridge(environment()) as running:
            told = await running.ask(request("initialize"))
        assert told["error"]["data"]["code"] == "NO_PROFILE"

    async def test_the_default_one_is_used_and_read_anew_when_its_token_ends(
        self, mcp_url: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = str(tmp_path / "profiles.json")
        monkeypatch.setenv("CHATWRIGHT_CONFIG", file)
        save_profile(Profile("local", mcp_url.removesuffix("/mcp"), await token_of(desk)))
        async with bridge(environment(CHATWRIGHT_CONFIG=file)) as running:
            assert "result" in await running.ask(modern("tools/list")["json"])
            for token in (await desk.call(list_tokens))["items"]:
                await desk.call(revoke_token, token_id=token["id"])
            await asyncio.sleep(1)
            assert "error" in await running.ask(modern("tools/list")["json"])
            save_profile(Profile("local", mcp_url.removesuffix("/mcp"), await token_of(desk)))
            assert "result" in await running.ask(modern("tools/list")["json"])

    async def test_another_one_is_named_on_the_command_line(
        self, mcp_url: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = str(tmp_path / "profiles.json")
        monkeypatch.setenv("CHATWRIGHT_CONFIG", file)
        save_profile(Profile("dead", "http://127.0.0.1:9", None))
        save_profile(Profile("alive", mcp_url, await token_of(desk)))
        async with bridge(environment(CHATWRIGHT_CONFIG=file), "--profile", "alive") as running:
            assert "result" in await running.ask(modern("tools/list")["json"])


class TestStartAndEnd:
    def test_it_imports_the_standard_library_and_nothing_else(self) -> None:
        ran = subprocess.run(
            [sys.executable, "-X", "importtime", *COMMAND[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"]},
            check=True,
        )
        before, _, after = ran.stderr.partition("chatwright\n")
        assert before
        imported = {line.rpartition("|")[2].strip() for line in after.splitlines()}
        strangers = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
        assert strangers == {
            "chatwright.app",
            "chatwright.client",
            "chatwright.client.profiles",
            "chatwright.client.stdio",
        }
        assert not imported & {"asyncio", "argparse", "inspect", "logging", "dataclasses"}

    async def test_it_ends_with_its_input_once_calls_under_way_are_answered(self) -> None:
        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.3)
            writer.write(reply("200 OK", "application/json", result(received.message["id"], late=True)))

        async with scripted(answer) as (url, _), bridge(environment(url)) as running:
            await running.send(request("tools/list"))
            code, rest = await running.end()
        assert code == 0
        assert json.loads(rest)["result"] == {"late": True}

    async def test_an_open_stream_does_not_hold_it(self, mcp_url: str, desk: Desk) -> None:
        async with bridge(environment(mcp_url, await token_of(desk))) as running:
            await running.send(modern("subscriptions/listen", notifications={})["json"])
            assert (await running.next())["method"].endswith("acknowledged")
            assert await running.end() == (0, b"")

    async def test_many_calls_run_side_by_side(self) -> None:
        everyone = asyncio.Barrier(20)

        async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
            # Nobody is answered before all have come.
            await everyone.wait()
            writer.write(reply("200 OK", "application/json", result(received.message["id"])))

        async with scripted(answer) as (url, _), bridge(environment(url)) as running:
            await running.send(*({**request("tools/list"), "id": number} for number in range(20)))
            assert {(await running.next())["id"] for _ in range(20)} == set(range(20))
