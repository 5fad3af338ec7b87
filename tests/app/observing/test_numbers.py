"""What Prometheus reads of a server, through its address."""

import asyncio
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from mcp.shared.exceptions import MCPError

from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.features.contacts.exports.operations import start_export
from chatwright.infra.claimer import Claimer
from chatwright.surfaces.mcp.tools import UNKNOWN
from tests.conftest import Desk
from tests.serving import events_in, serving
from tests.surfaces.mcp.server import connected, token_of

FINDING = {"search_tools", "run_read_tool", "run_write_tool"}
SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? ([0-9.e+-]+)$")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def url(product: Product) -> AsyncGenerator[str]:
    async with serving(build_app(product)) as address:
        yield address


class Prometheus:
    """Reads the numbers of a server."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def read(self) -> dict[str, float]:
        """Every series with its value."""
        text = (await self._http.get("/metrics")).text
        found = (SERIES.match(line) for line in text.splitlines())
        return {f"{series[1]}{{{series[2] or ''}}}": float(series[3]) for series in found if series}


@pytest_asyncio.fixture(loop_scope="session")
async def prometheus(url: str) -> AsyncGenerator[Prometheus]:
    async with httpx2.AsyncClient(base_url=url) as client:
        yield Prometheus(client)


def _calls(operation: str, face: str, outcome: str, code: str = "") -> str:
    labels = f'code="{code}",face="{face}",operation="{operation}",outcome="{outcome}"'
    return f"chatwright_calls_total{{{labels}}}"


class TestCalls:
    async def test_every_end_of_a_call_is_counted_by_face(
        self, url: str, prometheus: Prometheus, desk: Desk
    ) -> None:
        token, reader = await token_of(desk), await token_of(desk, "contacts:read")
        before = await prometheus.read()
        async with connected(f"{url}/mcp", token) as client:
            for _ in range(2):
                arguments = {"name": "Ann", "idempotency_key": str(desk.caller.workspace_id)}
                await client.call_tool("create_contact", arguments)
        async with httpx2.AsyncClient(base_url=f"{url}/api/v1") as client:
            client.headers["authorization"] = f"Bearer {token}"
            await client.get(f"/contacts/{uuid4()}")
            await client.post(
                "/contacts", json={"name": "Bob"}, headers={"authorization": f"Bearer {reader}"}
            )
        after = await prometheus.read()
        grown = {series for series in after if after[series] - before.get(series, 0) == 1}
        assert grown >= {
            _calls("contacts.create", "mcp", "done"),
            _calls("contacts.create", "mcp", "replayed"),
            _calls("contacts.get", "http", "failed", "CONTACT_NOT_FOUND"),
            _calls("contacts.create", "http", "refused", "INSUFFICIENT_SCOPE"),
        }
        seconds = 'chatwright_call_seconds_count{operation="contacts.create"}'
        assert after[seconds] - before.get(seconds, 0) == 3

    async def test_finding_tools_is_counted_and_what_is_run_is_counted_once(
        self, url: str, prometheus: Prometheus, desk: Desk
    ) -> None:
        token = await token_of(desk)
        before = await prometheus.read()
        async with connected(f"{url}/mcp", token) as client:
            await client.call_tool("search_tools", {"query": "tags"})
            await client.call_tool("search_tools", {"query": ""})
            await client.call_tool("run_read_tool", {"tool": "list_tags"})
            await client.call_tool("run_read_tool", {"tool": "no_such_tool"})
            await client.call_tool("run_write_tool", {"tool": "list_tags"})
            with pytest.raises(MCPError):
                await client.call_tool("no_such_tool", {})
        after = await prometheus.read()
        grown = {
            series: after[series] - before.get(series, 0)
            for series in after
            if series.startswith("chatwright_calls_total") and after[series] != before.get(series, 0)
        }
        assert grown == {
            _calls("search_tools", "mcp", "done"): 1,
            _calls("search_tools", "mcp", "failed", "INVALID_ARGUMENT"): 1,
            _calls("tags.list", "mcp", "done"): 1,
            _calls("run_read_tool", "mcp", "failed", "UNKNOWN_OPERATION"): 1,
            _calls("run_write_tool", "mcp", "failed", "INVALID_ARGUMENT"): 1,
            _calls("unknown_tool", "mcp", "failed", "UNKNOWN_OPERATION"): 1,
        }

    async def test_no_name_but_the_catalogues_is_a_label(
        self, url: str, prometheus: Prometheus, desk: Desk
    ) -> None:
        async with connected(f"{url}/mcp", await token_of(desk)) as client:
            await client.call_tool("get_contact", {"contact_id": "planted-id"})
            await client.call_tool("run_read_tool", {"tool": "planted-tool"})
        series = await prometheus.read()
        names = {match[1] for each in series if (match := re.search(r'operation="([^"]*)"', each))}
        assert names <= {operation.name for operation in CATALOGUE} | FINDING | {UNKNOWN}
        assert not any("planted" in each or str(desk.caller.workspace_id) in each for each in series)


class TestWork:
    async def test_rows_that_wait_and_those_that_were_worked(
        self, product: Product, prometheus: Prometheus, desk: Desk
    ) -> None:
        ledger = next(each for each in product.ledgers if each.table == "contact_exports")
        waiting = 'chatwright_ledger_rows{ledger="contact_exports"}'
        worked = 'chatwright_work_total{ledger="contact_exports",outcome="done"}'
        await desk.call(start_export)
        before = await prometheus.read()
        assert before[waiting] >= 1
        assert before['chatwright_ledger_overdue_seconds{ledger="contact_exports"}'] > 0
        claimer = Claimer(product.database, product.signals, ledger)
        rows = 0
        while done := await claimer.run_once():
            rows += done
        after = await prometheus.read()
        assert after[waiting] == 0
        assert after[worked] - before.get(worked, 0) == rows

    async def test_every_ledger_is_looked_at(self, product: Product, prometheus: Prometheus) -> None:
        series = await prometheus.read()
        for ledger in product.ledgers:
            assert series[f'chatwright_ledger_rows{{ledger="{ledger.table}"}}'] >= 0

    async def test_approvals_signals_and_connections(self, prometheus: Prometheus) -> None:
        series = await prometheus.read()
        assert series["chatwright_approvals_waiting{}"] >= 0
        assert series["chatwright_signals_connected{}"] == 1
        assert series['chatwright_database_connections{state="used"}'] >= 0


class TestStreams:
    async def test_open_ones_are_counted(self, url: str, prometheus: Prometheus, desk: Desk) -> None:
        events = 'chatwright_http_streams{route="/api"}'
        headers = {"authorization": f"Bearer {await token_of(desk)}"}
        before = (await prometheus.read()).get(events, 0)
        async with (
            httpx2.AsyncClient(base_url=url, headers=headers) as client,
            client.stream("GET", "/api/v1/events") as stream,
        ):
            assert (await anext(events_in(stream))).comment == "ready"
            assert (await prometheus.read())[events] == before + 1
        while (await prometheus.read())[events] > before:
            await asyncio.sleep(0.01)


class TestDocumentation:
    async def test_every_metric_is_told_of_and_no_other(self, url: str, repository: Path) -> None:
        async with httpx2.AsyncClient(base_url=url) as client:
            text = (await client.get("/metrics")).text
        shown = re.findall(r"^# TYPE (chatwright_\w+) ", text, re.MULTILINE)
        page = (repository / "docs/howto/operate-chatwright.md").read_text()
        assert set(re.findall(r"^\| `(chatwright_\w+)` \|", page, re.MULTILINE)) == {
            name for name in shown if not name.endswith("_created")
        }
