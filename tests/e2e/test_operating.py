"""Servers as operators run them: probed, stopped, behind certificates of their own, and traced."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.e2e.programs import Home, Program, free_port, web, worker
from tests.mail.authority import Certificates, make_certificates
from tests.serving import events_in, serving
from tests.surfaces.mcp.server import LEGACY, MODERN

pytestmark = pytest.mark.timeout(120)


@asynccontextmanager
async def served(
    folder: Path, https: Certificates | None = None, **settings: str
) -> AsyncGenerator[tuple[Home, Program, str]]:
    """`chatwright serve` with settings of its own: its home, itself, and its address."""
    home, port = Home(folder, settings), free_port()
    program = web(home, port)
    try:
        await program.up()
        yield home, program, f"{'https' if https else 'http'}://127.0.0.1:{port}"
    finally:
        program.kill()


async def ended(program: Program) -> None:
    await asyncio.to_thread(program.wait)


class TestLeaving:
    async def test_it_is_unready_and_finishes_what_it_was_asked(self, tmp_path: Path) -> None:
        """The call waits for a row that the test holds; its answer comes after the server was told to stop."""
        async with served(tmp_path, CHATWRIGHT_DRAIN_SECONDS="2") as (home, program, url):
            headers = {"authorization": f"Bearer {home.token()}"}
            # Within the transaction that holds the row, PostgreSQL would show who is there as it was at the first look.
            database, watching = await home.connect(), await home.connect()
            async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
                ready = await client.get("/readyz")
                assert (ready.status_code, ready.json()) == (200, {"status": "ready", "lacks": []})
                async with database.transaction():
                    await database.execute("select from workspaces for update")
                    calls = [
                        asyncio.create_task(client.patch("/api/v1/workspace", json={"name": "By REST"})),
                        asyncio.create_task(ask(client, "update_workspace", {"name": "By MCP"})),
                    ]
                    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                    while await watching.fetchval(waiting) < 2:
                        await asyncio.sleep(0.02)
                    program.ask_to_stop()
                    while (unready := await client.get("/readyz")).status_code == 200:
                        await asyncio.sleep(0.02)
                    assert unready.json() == {"status": "unready", "lacks": ["leaving"]}
                    assert (await client.get("/healthz")).status_code == 200
                    # Past the drain, when nobody can connect any more.
                    while await is_open(url):
                        await asyncio.sleep(0.05)
                    await asyncio.sleep(0.5)
                by_rest, by_mcp = await asyncio.gather(*calls)
            assert by_rest.status_code == 200
            assert by_mcp.json()["result"]["structuredContent"]["name"] == "By MCP"
            await ended(program)
            await watching.close()
            await database.close()

    async def test_streams_end_as_if_they_had_said_all(self, tmp_path: Path) -> None:
        async with served(tmp_path) as (home, program, url):
            headers = {"authorization": f"Bearer {home.token()}"}
            async with (
                httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client,
                client.stream("GET", "/api/v1/events") as events,
                client.stream("POST", "/mcp", **listening()) as changes,
            ):
                heard = events_in(events)
                assert (await anext(heard)).comment == "ready"
                lines = changes.aiter_lines()
                assert await anext(lines)
                program.ask_to_stop()
                # Each ends with its last chunk; a connection that broke would raise.
                async for _ in heard:
                    pass
                async for _ in lines:
                    pass
            await ended(program)


class TestProbes:
    async def test_a_worker_answers_them_where_it_is_told(self, tmp_path: Path) -> None:
        async with served(tmp_path) as (home, _, _):
            port = free_port()
            home.settings["CHATWRIGHT_WORKER_PROBES"] = f"127.0.0.1:{port}"
            program = await worker(home, 1).up()
            try:
                async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                    assert (await client.get("/healthz")).status_code == 200
                    while (await client.get("/readyz")).status_code != 200:
                        await asyncio.sleep(0.02)
                    assert (
                        'chatwright_ledger_rows{ledger="deliveries"}' in (await client.get("/metrics")).text
                    )
            finally:
                program.stop()


class TestCertificate:
    async def test_https_without_a_proxy_and_a_renewed_certificate(self, tmp_path: Path) -> None:
        first, second = make_certificates(), make_certificates()
        files = {"CHATWRIGHT_TLS_CERT": tmp_path / "chain.pem", "CHATWRIGHT_TLS_KEY": tmp_path / "key.pem"}
        write(files, first)
        named = {name: str(file) for name, file in files.items()}
        async with served(tmp_path, first, **named) as (_, _, url):
            assert (await over(url, first)).headers["strict-transport-security"]
            with pytest.raises(httpx2.ConnectError):
                await over(url, second)
            write(files, second)
            while not await believed(url, second):
                await asyncio.sleep(0.2)

    def test_a_certificate_without_its_key_is_refused(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        certificates, others = make_certificates(), make_certificates()
        files = {"CHATWRIGHT_TLS_CERT": tmp_path / "chain.pem", "CHATWRIGHT_TLS_KEY": tmp_path / "key.pem"}
        write(files, Certificates(certificates.authority, certificates.server, others.key))
        home.settings.update({name: str(file) for name, file in files.items()})
        program = web(home, free_port())
        program.start()
        assert program.wait() != 0
        assert "TLS certificate" in program.words()


@dataclass
class Collector:
    """What an OpenTelemetry collector gets."""

    spans: list[Span] = field(default_factory=list[Span])

    async def take(self, request: Request) -> Response:
        sent = ExportTraceServiceRequest.FromString(await request.body())
        for resource in sent.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return Response(media_type="application/x-protobuf")

    async def named(self, name: str, trace: str) -> Span:
        """The span of a name in a trace, once it is there."""
        while True:
            for span in self.spans:
                if span.name == name and span.trace_id.hex() == trace:
                    return span
            await asyncio.sleep(0.05)

    def ancestors(self, span: Span) -> list[str]:
        """Ids of the spans above it, the nearest first, with the one that the caller sent."""
        found = [span.parent_span_id.hex()]
        while above := [each for each in self.spans if each.span_id.hex() == found[-1]]:
            found.append(above[0].parent_span_id.hex())
        return found


class TestTraces:
    async def test_a_call_is_in_its_callers_trace_from_every_face(self, tmp_path: Path) -> None:
        collector = Collector()
        async with serving([Route("/v1/traces", collector.take, methods=["POST"])]) as collecting:
            settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collecting, "OTEL_BSP_SCHEDULE_DELAY": "100"}
            async with served(tmp_path, None, **settings) as (home, program, url):
                headers = {"authorization": f"Bearer {home.token()}"}
                secret = f"planted-{token_hex(8)}"
                async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
                    for version in (MODERN, LEGACY):
                        trace, parent = token_hex(16), token_hex(8)
                        meta = {"traceparent": f"00-{trace}-{parent}-01"}
                        answer = await ask(client, "create_contact", {"name": secret}, version, meta)
                        assert not answer.json()["result"]["isError"]
                        span = await collector.named("contacts.create", trace)
                        message = await collector.named("tools/call create_contact", trace)
                        assert collector.ancestors(span) == [message.span_id.hex(), parent]
                        attributes = {each.key: each.value.string_value for each in span.attributes}
                        assert attributes["chatwright.face"] == "mcp"
                        assert attributes["chatwright.outcome"] == "done"
                        request_id = answer.headers["x-request-id"]
                        assert attributes["chatwright.request_id"] == request_id
                        assert logged(program, request_id)["trace_id"] == trace
                    trace, parent = token_hex(16), token_hex(8)
                    carried = {"traceparent": f"00-{trace}-{parent}-01"}
                    await client.get("/api/v1/workspace", params={}, headers=carried)
                    span = await collector.named("workspace.get", trace)
                    assert collector.ancestors(span) == [parent]
                    assert not any(
                        secret in str(each) or home.token() in str(each) for each in collector.spans
                    )
                    assert secret not in program.words()
                    assert home.token() not in program.words()


def logged(program: Program, request_id: str) -> dict[str, Any]:
    """The line about a call."""
    lines = re.findall(r"^\{.*\}$", program.words(), re.MULTILINE)
    return next(line for line in map(json.loads, lines) if line.get("request_id") == request_id)


async def ask(
    client: httpx2.AsyncClient,
    tool: str,
    arguments: dict[str, Any],
    version: str = MODERN,
    meta: dict[str, Any] | None = None,
) -> httpx2.Response:
    """Call a tool, as one message of MCP."""
    fields = {**(meta or {}), **(modern_meta() if version == MODERN else {})}
    params = {"name": tool, "arguments": arguments, "_meta": fields}
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": version}
    if version == MODERN:
        headers |= {"mcp-method": "tools/call", "mcp-name": tool}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return await client.post("/mcp", json=message, headers=headers)


def modern_meta() -> dict[str, Any]:
    return {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }


def listening() -> dict[str, Any]:
    """The request that subscribes to changes."""
    params = {"_meta": modern_meta(), "notifications": {"toolsListChanged": True}}
    return {
        "json": {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params},
        "headers": {
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": MODERN,
            "mcp-method": "subscriptions/listen",
        },
    }


async def is_open(url: str) -> bool:
    try:
        async with httpx2.AsyncClient() as client:
            await client.get(f"{url}/healthz")
    except httpx2.TransportError:
        return False
    return True


def write(files: dict[str, Path], certificates: Certificates) -> None:
    for file, text in zip(files.values(), (certificates.server, certificates.key), strict=True):
        file.write_text(text)


async def over(url: str, certificates: Certificates) -> httpx2.Response:
    """Ask for health, trusting one authority alone."""
    context = ssl.create_default_context(cadata=certificates.authority)
    async with httpx2.AsyncClient(verify=context) as client:
        return await client.get(f"{url}/healthz")


async def believed(url: str, certificates: Certificates) -> bool:
    try:
        return (await over(url, certificates)).status_code == 200
    except httpx2.ConnectError:
        return False
