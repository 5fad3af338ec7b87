"""Serves the MCP face to real clients, in the loop of the tests."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.routing import Route

from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.features.workspaces.operations import create_token
from chatwright.surfaces.mcp.challenges import Place
from chatwright.surfaces.mcp.face import PATHS, McpFace
from chatwright.surfaces.mcp.product import product_registry
from tests.conftest import Desk

VERSION = "9.8.7"
ORIGIN = "https://chat.example.com"


def mcp_application(product: Product, *, max_body: int = 100_000) -> Starlette:
    """The MCP face alone, as the product mounts it."""
    face = McpFace(
        registry=product_registry(CATALOGUE, product.pipeline, product.events, product.signals, VERSION),
        authenticator=product.authenticator,
        place=Place(ORIGIN, ORIGIN),
        allowed_hosts=["127.0.0.1", "localhost", "chat.example.com"],
        allowed_origins=[ORIGIN, "http://localhost:*"],
        max_body=max_body,
    )
    routes = [Route(path, face.app) for path in PATHS]
    return Starlette(routes=routes, lifespan=lambda _: face.running())


ERAS = ("legacy", "auto")
"""How the SDK's client reaches the protocol's two eras: by initialize, or by asking first."""
MODERN = "2026-07-28"
LEGACY = "2025-11-25"


@asynccontextmanager
async def connected(url: str, token: str, mode: str = "auto", **options: Any) -> AsyncGenerator[Client]:
    """The official SDK's client, on a connection of its own."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, **options) as client,
    ):
        yield client


async def token_of(desk: Desk, *scopes: str, **more: Any) -> str:
    """A fresh access token of a desk's workspace; of all its scopes when none is named."""
    made = await desk.call(create_token, name="tests", scopes=list(scopes) or None, **more)
    return str(made["token"])


def modern(method: str, **params: Any) -> dict[str, Any]:
    """A request of the modern era, as keyword arguments for `post`: body and the headers that mirror it."""
    meta: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    name = params.get("name") or params.get("uri")
    if name is not None:
        headers["Mcp-Name"] = name
    return {"json": request(method, **{**params, "_meta": meta}), "headers": headers}


def legacy(method: str, **params: Any) -> dict[str, Any]:
    """The same for a request of the older era."""
    return {"json": request(method, **params), "headers": {"MCP-Protocol-Version": LEGACY}}


def request(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def ask(url: str, token: str | None, **message: Any) -> httpx2.Response:
    """Post a message as bytes on the wire; what it is given overrides what a client would send."""
    headers = {"Accept": "application/json, text/event-stream", **message.pop("headers", {})}
    if token is not None:
        headers.setdefault("Authorization", f"Bearer {token}")
    async with httpx2.AsyncClient(timeout=30) as http:
        return await http.request(message.pop("method", "POST"), url, headers=headers, **message)
