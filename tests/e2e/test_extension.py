"""The example extension, installed as its users install it: nothing of it before, and on every face after."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
import pytest_asyncio
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import (
    CallToolResult,
    EmbeddedResource,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)

from tests.e2e.programs import CHATWRIGHT, Home, free_port, web, worker
from tests.surfaces.mcp.server import ERAS, ask, connected, modern

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/orders"


@dataclass(frozen=True)
class Shop:
    """A running server, with the shop's orders beside it or without."""

    home: Home
    url: str
    workspace_id: str

    @property
    def mcp(self) -> str:
        return f"{self.url}/mcp"

    async def rest(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token or self.home.token()}", **more.pop("headers", {})}
        async with httpx2.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, timeout=30) as http:
            return await http.request(method, path, **more)

    async def token(self, *scopes: str) -> str:
        made = await self.rest("POST", "/tokens", json={"name": "tests", "scopes": list(scopes)})
        assert made.status_code == 200, made.text
        return made.json()["token"]

    async def audit(self) -> list[tuple[str, str, str | None]]:
        """Records of orders, the newest first."""
        records = (await self.rest("GET", "/audit?limit=100")).json()["items"]
        return [
            (record["operation"], record["outcome"], record["error"])
            for record in records
            if record["operation"].startswith("orders.")
        ]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run(self.home, *words)

    def refunds(self, order_id: str) -> list[int]:
        """What the shop's own books say."""
        with sqlite3.connect(self.home.settings["ORDERS_DATABASE"]) as books:
            return [
                cents
                for (cents,) in books.execute("select cents from refunds where order_id = ?", [order_id])
            ]


def found_with(site: Path) -> str:
    """PYTHONPATH with one more folder of packages in front."""
    return os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])


def run(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [CHATWRIGHT, *words],
        env=home.environment(),
        cwd=home.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the built package is installed into, as into an environment."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(EXAMPLE, folder / "orders")
    build = [Path(sys.executable).with_name("hatchling"), "build", "-t", "wheel", "-d", folder / "dist"]
    subprocess.run(build, cwd=folder / "orders", check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    target = ["--offline", "--no-deps", "--python", sys.executable, "--target", folder / "site"]
    subprocess.run([ROOT / ".dev/uv/bin/uv", "pip", "install", "-q", *target, wheel], check=True)
    return folder / "site"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def without(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Shop]:
    home = Home(tmp_path_factory.mktemp("shop"))
    port = free_port()
    server = await web(home, port).up()
    try:
        known = json.loads(run(home, "workspace", "get", "--json").stdout)
        yield Shop(home, f"http://127.0.0.1:{port}", known["id"])
    finally:
        server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(without: Shop, installed: Path) -> AsyncGenerator[Shop]:
    """The same data folder, served again beside the other with the package installed."""
    folder = without.home.folder
    settings = {
        "PYTHONPATH": found_with(installed),
        "ORDERS_DATABASE": str(folder / "orders.db"),
        "ORDERS_WORKSPACE": without.workspace_id,
    }
    home, port = Home(folder, settings), free_port()
    server = await web(home, port, name="extended").up()
    try:
        yield Shop(home, f"http://127.0.0.1:{port}", without.workspace_id)
    finally:
        server.stop()


def problem_of(result: CallToolResult) -> dict[str, Any]:
    """What a failed call says."""
    assert result.is_error
    (block,) = result.content
    assert isinstance(block, TextContent)
    return json.loads(block.text)


async def test_without_the_package_nothing_of_it_is_there(without: Shop) -> None:
    assert without.command("extensions").stdout == "No extensions are installed.\n"
    assert without.command("orders", "list").returncode != 0
    assert (await without.rest("GET", "/orders")).status_code == 404
    assert "/api/v1/orders" not in (await without.rest("GET", "/openapi.json")).json()["paths"]
    refused = await without.rest("POST", "/tokens", json={"name": "x", "scopes": ["orders:read"]})
    assert refused.status_code == 422
    async with connected(without.mcp, without.home.token()) as client:
        found = await client.call_tool("search_tools", {"query": "refund an order", "limit": 20})
        assert "refund_order" not in str(found.structured_content)
        assert "orders" not in str(await client.list_resource_templates())
    unknown = await ask(f"{without.mcp}/x/orders", without.home.token(), **modern("tools/list"))
    assert unknown.status_code == 404


def test_its_author_s_own_tests_pass_where_it_is_installed(installed: Path, tmp_path: Path) -> None:
    home = Home(tmp_path, {"PYTHONPATH": found_with(installed)})
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}"]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=EXAMPLE,
        env={**home.environment(), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def test_it_is_shown_by_name_and_can_be_left_out(shop: Shop) -> None:
    (shown,) = json.loads(shop.command("extensions", "--json").stdout)
    assert (shown["name"], shown["package"], shown["state"]) == ("orders", "chatwright-orders", "on")
    assert shown["tools"] == ["list_orders", "get_order", "refund_order"]
    inspected = json.loads(shop.command("mcp", "inspect", "--toolsets", "orders", "--json").stdout)
    assert [tool["name"] for tool in inspected["tools"]] == ["list_orders", "get_order", "refund_order"]
    assert inspected["too_large"] == []
    left_out = Home(shop.home.folder, {**shop.home.settings, "CHATWRIGHT_EXTENSIONS": "none"})
    assert run(left_out, "orders", "list").returncode != 0
    assert json.loads(run(left_out, "extensions", "--json").stdout)[0]["state"] == "off"
    wrong = Home(shop.home.folder, {**shop.home.settings, "CHATWRIGHT_EXTENSIONS": "odrers"})
    assert "Installed are: orders." in run(wrong, "serve", "--data", str(wrong.data)).stderr


async def test_workers_start_with_it_too(shop: Shop) -> None:
    working = worker(shop.home, 1)
    try:
        await working.up()
    finally:
        working.stop()


@pytest.mark.parametrize("mode", ERAS)
async def test_tools_are_listed_and_called_within_their_scope_only(shop: Shop, mode: str) -> None:
    async with connected(shop.mcp, await shop.token("orders:read"), mode) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"list_orders", "get_order"} <= names
        assert "refund_order" not in names
        found = await client.call_tool("list_orders", {"query": "mai"})
        assert found.structured_content is not None
        assert [order["id"] for order in found.structured_content["items"]] == ["A-1003", "A-1001"]
        missing = problem_of(await client.call_tool("get_order", {"order_id": "A-9999"}))
        assert missing["code"] == "ORDER_NOT_FOUND"
        with pytest.raises(MCPError):
            await client.read_resource("chatwright://orders/A-9999")
    async with connected(shop.mcp, await shop.token("contacts:write"), mode) as client:
        assert "list_orders" not in {tool.name for tool in (await client.list_tools()).tools}
        assert "orders" not in str(await client.list_resource_templates())


async def test_who_lacks_the_scope_is_refused_on_record_and_told_which_it_is(shop: Shop) -> None:
    token = await shop.token("orders:read")
    call = modern(
        "tools/call", name="refund_order", arguments={"order_id": "A-1001", "cents": 1, "reason": "?"}
    )
    by_mcp = await ask(shop.mcp, token, **call)
    assert by_mcp.status_code == 403
    assert "orders:write" in by_mcp.headers["www-authenticate"]
    by_rest = await shop.rest("POST", "/orders/A-1001/refunds", token, json={"cents": 1, "reason": "?"})
    assert (by_rest.status_code, by_rest.json()["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert (await shop.audit())[:2] == [("orders.refund", "refused", "INSUFFICIENT_SCOPE")] * 2


async def listed(client: Client) -> list[str]:
    """The URIs on all pages of the list of resources."""
    page = await client.list_resources()
    uris = [resource.uri for resource in page.resources]
    while page.next_cursor is not None:
        page = await client.list_resources(cursor=page.next_cursor)
        uris += [resource.uri for resource in page.resources]
    return uris


@pytest.mark.parametrize("mode", ERAS)
async def test_an_order_is_read_completed_and_embedded_in_a_prompt(shop: Shop, mode: str) -> None:
    async with connected(shop.mcp, shop.home.token(), mode) as client:
        assert "chatwright://orders/A-1001" in await listed(client)
        (contents,) = (await client.read_resource("chatwright://orders/A-1001")).contents
        order = json.loads(cast("TextResourceContents", contents).text)
        assert order["content"] == "2 x green tea"
        assert order["note"].endswith("customer.")
        template = ResourceTemplateReference(uri="chatwright://orders/{id}")
        completed = await client.complete(template, {"name": "id", "value": "Jonas"})
        assert completed.completion.values == ["A-1002"]
        prompt = PromptReference(name="answer_order_question")
        completed = await client.complete(prompt, {"name": "order_id", "value": "A-10"})
        assert sorted(completed.completion.values) == ["A-1001", "A-1002", "A-1003"]
        assert "answer_order_question" in {each.name for each in (await client.list_prompts()).prompts}
        words, shown = (await client.get_prompt("answer_order_question", {"order_id": "A-1001"})).messages
        assert "Read it with get_order" in cast("TextContent", words.content).text
        embedded = cast("TextResourceContents", cast("EmbeddedResource", shown.content).resource)
        assert "2 x green tea" in embedded.text


@pytest.mark.parametrize("mode", ERAS)
async def test_its_tools_are_found_by_what_is_wanted_and_run(shop: Shop, mode: str) -> None:
    async with connected(shop.mcp, shop.home.token(), mode) as client:
        assert "refund_order" not in {tool.name for tool in (await client.list_tools()).tools}
        found = await client.call_tool("search_tools", {"query": "pay money back for an order"})
        assert found.structured_content is not None
        assert found.structured_content["tools"][0]["name"] == "refund_order"
        ran = await client.call_tool(
            "run_read_tool", {"tool": "get_order", "arguments": {"order_id": "A-1002"}}
        )
        assert ran.structured_content is not None
        assert ran.structured_content["customer"] == "Jonas"


@pytest.mark.parametrize(("mode", "order_id"), [(ERAS[0], "A-1001"), (ERAS[1], "A-1002")])
async def test_a_refund_asks_first_and_pays_once_for_its_key(shop: Shop, mode: str, order_id: str) -> None:
    asked = {"order_id": order_id, "cents": 500, "reason": "Broken cup", "idempotency_key": f"cup {order_id}"}
    async with connected(f"{shop.mcp}/x/orders", shop.home.token(), mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {
            "list_orders",
            "get_order",
            "refund_order",
        }
        tried = await client.call_tool("refund_order", {**asked, "dry_run": True})
        assert tried.structured_content is not None
        assert tried.structured_content["cents"] == 500
        problem = problem_of(await client.call_tool("refund_order", asked))
        assert problem["code"] == "CONFIRMATION_REQUIRED"
        assert problem["details"]["preview"]["result"]["cents"] == 500
        assert shop.refunds(order_id) == []
        confirmed = {**asked, "confirm_token": problem["details"]["confirm_token"]}
        first = await client.call_tool("refund_order", confirmed)
        assert not first.is_error, first
        again = await client.call_tool("refund_order", asked)
        assert again.structured_content == first.structured_content
    assert shop.refunds(order_id) == [500]
    assert (await shop.audit())[:3] == [
        ("orders.refund", "replayed", None),
        ("orders.refund", "done", None),
        ("orders.refund", "asked", "CONFIRMATION_REQUIRED"),
    ]


async def test_rest_and_the_command_line_are_the_same_operations(shop: Shop) -> None:
    asked: dict[str, Any] = {"json": {"cents": 100, "reason": "Late"}, "headers": {"idempotency-key": "late"}}
    first = await shop.rest("POST", "/orders/A-1003/refunds", **asked)
    again = await shop.rest("POST", "/orders/A-1003/refunds", **asked)
    assert first.status_code == 200
    assert first.json() == again.json() == {"order_id": "A-1003", "cents": 100, "left_cents": 5300}
    assert again.headers["idempotent-replayed"] == "true"
    assert shop.refunds("A-1003") == [100]
    described = (await shop.rest("GET", "/openapi.json")).json()["paths"]["/api/v1/orders/{order_id}/refunds"]
    assert described["post"]["x-scope"] == "orders:write"

    listed = json.loads(shop.command("orders", "list", "--status", "open", "--json").stdout)
    assert [order["id"] for order in listed["items"]] == ["A-1003"]
    too_much = shop.command("orders", "refund", "A-1003", "--cents", "9900", "--reason", "?")
    assert "REFUND_TOO_LARGE" in too_much.stderr
    assert (await shop.audit())[0] == ("orders.refund", "failed", "REFUND_TOO_LARGE")


async def test_a_repeated_call_pays_nothing_more_when_the_product_lost_its_own_part(shop: Shop) -> None:
    """As after a power cut between the shop's commit and the product's, which leaves no stored answer."""
    asked: dict[str, Any] = {
        "json": {"cents": 70, "reason": "Cut"},
        "headers": {"idempotency-key": "power cut"},
    }
    before = shop.refunds("A-1003")
    first = await shop.rest("POST", "/orders/A-1003/refunds", **asked)
    connection = await shop.home.connect()
    try:
        lost = await connection.execute("delete from idempotency_keys where key = 'power cut'")
    finally:
        await connection.close()
    assert lost == "DELETE 1"
    again = await shop.rest("POST", "/orders/A-1003/refunds", **asked)
    assert again.status_code == 200
    assert "idempotent-replayed" not in again.headers
    assert again.json() == first.json()
    assert shop.refunds("A-1003") == [*before, 70]


async def test_programs_can_ask_for_its_scopes_by_oauth(shop: Shop) -> None:
    async with httpx2.AsyncClient(base_url=shop.url) as http:
        server = (await http.get("/.well-known/oauth-authorization-server")).json()
        resource = (await http.get("/.well-known/oauth-protected-resource/mcp")).json()
    assert {"orders:read", "orders:write"} <= set(server["scopes_supported"])
    assert {"orders:read", "orders:write"} <= set(resource["scopes_supported"])
