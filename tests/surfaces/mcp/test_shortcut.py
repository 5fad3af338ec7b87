"""The short way says what the SDK says, and leaves to it whatever is odd."""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.features.contacts.operations import create_contact
from chatwright.surfaces.mcp.challenges import Place
from chatwright.surfaces.mcp.face import PATHS, McpFace, Registry
from chatwright.surfaces.mcp.product import product_registry
from tests.conftest import Desk
from tests.serving import serving
from tests.surfaces.mcp.server import ORIGIN, VERSION, ask, legacy, modern, token_of

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
REVISION = "io.modelcontextprotocol/protocolVersion"
CLIENT = "io.modelcontextprotocol/clientInfo"


class Counting:
    """The SDK's way, and how often it is gone."""

    def __init__(self) -> None:
        self.way: ASGIApp | None = None
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.way is not None
        self.count += 1
        await self.way(scope, receive, send)


@dataclass
class Both:
    """The product with the short way, and without it."""

    short: str
    long: str
    sdk: Counting


def _app(product: Product, registry: Registry) -> Starlette:
    face = McpFace(
        registry=registry,
        authenticator=product.authenticator,
        place=Place(ORIGIN, ORIGIN),
        allowed_hosts=["127.0.0.1"],
        allowed_origins=[],
    )
    return Starlette(routes=[Route(path, face.app) for path in PATHS], lifespan=lambda _: face.running())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both(product: Product) -> AsyncGenerator[Both]:
    sdk = Counting()
    registry = product_registry(CATALOGUE, product.pipeline, product.events, product.signals, VERSION)

    def counted(way: ASGIApp) -> ASGIApp:
        assert registry.shortcut is not None
        sdk.way = way
        return registry.shortcut(sdk)

    async with AsyncExitStack() as stack:
        urls = [
            await stack.enter_async_context(serving(_app(product, replace(registry, shortcut=shortcut))))
            for shortcut in (counted, None)
        ]
        yield Both(f"{urls[0]}/mcp", f"{urls[1]}/mcp", sdk)


def told(answer: httpx2.Response) -> tuple[int, str, Any]:
    """What a client sees, but for the ids that every request has of its own."""
    kind = answer.headers.get("content-type", "")
    text = answer.text.replace(answer.headers["x-request-id"], "ID")
    return answer.status_code, kind, json.loads(text) if kind == "application/json" else text


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    return modern("tools/call", name=tool, arguments=arguments)


def older(tool: str, **arguments: Any) -> dict[str, Any]:
    return legacy("tools/call", name=tool, arguments=arguments)


def changed(message: dict[str, Any], *, meta: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    """A message with more in its `_meta`, and other headers (names with _ for -)."""
    if meta is not None:
        message["json"]["params"]["_meta"].update(meta)
    message["headers"].update({name.replace("_", "-"): value for name, value in headers.items()})
    return message


REGULAR = [
    modern("tools/list"),
    call("get_workspace"),
    modern("tools/call", name="get_workspace"),
    call("list_tags", limit=3),
    call("list_tags", limit="many"),
    call("list_tags", nothing="such"),
    call("get_contact", contact_id="0199a1b2-0000-7000-8000-000000000000"),
    call("create_tag", name=""),
    call("create_tag", name="\u0000"),
    changed(call("get_workspace"), meta={CLIENT: {"name": "thử", "version": "1"}}),
    changed(call("get_workspace"), meta={CAPABILITIES: {"elicitation": {}, "sampling": {}}}),
    changed(call("get_workspace"), content_type="application/json; charset=utf-8"),
    changed(call("get_workspace"), Accept="*/*"),
    legacy("tools/list"),
    changed(legacy("tools/list"), MCP_Protocol_Version="2025-06-18"),
    older("get_workspace"),
    changed(older("get_workspace"), MCP_Protocol_Version="2025-06-18"),
    legacy("tools/call", name="get_workspace"),
    older("list_tags", limit="many"),
    older("get_contact", contact_id="0199a1b2-0000-7000-8000-000000000000"),
]
"""Messages as clients send them, whatever comes of them."""
ODD = [
    changed(call("get_workspace"), meta={"com.example/more": 1}),
    changed(call("get_workspace"), meta={CAPABILITIES: 7}),
    changed(call("get_workspace"), meta={CLIENT: {"name": 7}}),
    changed(call("get_workspace"), meta={REVISION: "2099-01-01"}),
    changed(call("get_workspace"), meta={"io.modelcontextprotocol/logLevel": "debug"}),
    changed(call("get_workspace"), meta={"traceparent": "00-" + "1" * 32 + "-" + "1" * 16 + "-01"}),
    changed(call("get_workspace"), MCP_Protocol_Version="2099-01-01"),
    changed(call("get_workspace"), Mcp_Method="tools/list"),
    changed(call("get_workspace"), Mcp_Name="list_tags"),
    changed(call("get_workspace"), Mcp_Name="=?base64?Z2V0X3dvcmtzcGFjZQ==?="),
    changed(call("get_workspace"), Mcp_Param_Anything="x"),
    changed(call("get_workspace"), Accept="text/html"),
    changed(call("get_workspace"), content_type="text/plain"),
    modern("tools/list", cursor="x"),
    modern("tools/call", name="get_workspace", arguments=[]),
    modern("tools/call", name="get_workspace", arguments=None),
    call("no_such_tool"),
    changed(modern("tools/call", name=7), Mcp_Name="7"),
    modern("tools/call", name="get_workspace", inputResponses={}),
    changed(call("xin_chào"), Mcp_Name="=?base64?eGluX2Now6Bv?="),
    modern("prompts/list"),
    modern("no/such"),
    call("delete_tag", tag_id="0199a1b2-0000-7000-8000-000000000000"),
    changed(legacy("tools/list"), MCP_Protocol_Version="2025-03-26"),
    changed(legacy("tools/list"), MCP_Protocol_Version="2024-11-05"),
    changed(legacy("tools/list"), MCP_Protocol_Version="1999-01-01"),
    changed(legacy("tools/list"), Mcp_Session_Id="x"),
    changed(legacy("tools/list"), Mcp_Method="tools/call"),
    changed(legacy("tools/list"), Accept="text/html"),
    changed(legacy("tools/list"), content_type="text/plain"),
    legacy("tools/list", cursor="x"),
    legacy("tools/call", name="get_workspace", arguments={}, _meta={"more": 1}),
    legacy("tools/call", name="get_workspace", arguments=[]),
    legacy("tools/call", name=7),
    legacy("prompts/list"),
    older("no_such_tool"),
    older("delete_tag", tag_id="0199a1b2-0000-7000-8000-000000000000"),
]
"""Messages that something is wrong with or that ask for more, and those whose answer the client may be asked for."""


class TestRegular:
    @pytest.mark.parametrize("message", REGULAR, ids=str)
    async def test_it_is_answered_in_the_sdks_words_without_it(
        self, both: Both, desk: Desk, message: dict[str, Any]
    ) -> None:
        token = await token_of(desk)
        await ask(both.short, token, **message)
        before = both.sdk.count
        short = await ask(both.short, token, **message)
        assert both.sdk.count == before
        assert told(short) == told(await ask(both.long, token, **message))

    async def test_what_is_said_about_a_result_is_said_in_both_eras(self, both: Both, desk: Desk) -> None:
        token = await token_of(desk)
        await desk.call(create_contact, name="Lan")
        for message in (call("find_contacts", query="Lan"), older("find_contacts", query="Lan")):
            short, long = [await ask(url, token, **message) for url in (both.short, both.long)]
            assert short.json()["result"]["_meta"]["outside"]
            assert told(short) == told(long)

    async def test_ids_come_back_as_they_were(self, both: Both, desk: Desk) -> None:
        token = await token_of(desk)
        for id_ in ("", "ü", "7", 7, 0, -3, 2**63):
            message = call("get_workspace")
            message["json"]["id"] = id_
            answer = (await ask(both.short, token, **message)).json()
            assert answer["id"] == id_
            assert type(answer["id"]) is type(id_)

    async def test_a_list_is_each_callers_own(self, both: Both, desk: Desk) -> None:
        for scopes in (["contacts:read"], ["conversations:read"], ["contacts:read"]):
            token = await token_of(desk, *scopes)
            short = await ask(both.short, token, **modern("tools/list"))
            assert told(short) == told(await ask(both.long, token, **modern("tools/list")))
        for path in ("", "/x/tags", "/x/tags/readonly", "/readonly"):
            token = await token_of(desk)
            short = await ask(both.short + path, token, **modern("tools/list"))
            assert told(short) == told(await ask(both.long + path, token, **modern("tools/list")))


class TestOdd:
    @pytest.mark.parametrize("message", ODD, ids=str)
    async def test_it_is_the_sdks_to_answer(self, both: Both, desk: Desk, message: dict[str, Any]) -> None:
        token = await token_of(desk)
        before = both.sdk.count
        short = await ask(both.short, token, **message)
        assert both.sdk.count == before + 1
        assert told(short) == told(await ask(both.long, token, **message))

    @pytest.mark.parametrize(
        ("field", "value"), [("jsonrpc", "1.0"), ("id", True), ("id", None), ("id", 1.5), ("more", 1)]
    )
    async def test_so_is_one_that_is_no_proper_request(
        self, both: Both, desk: Desk, field: str, value: object
    ) -> None:
        token = await token_of(desk)
        message = call("get_workspace")
        message["json"][field] = value
        before = both.sdk.count
        short = await ask(both.short, token, **message)
        assert both.sdk.count == before + 1
        assert told(short) == told(await ask(both.long, token, **message))
