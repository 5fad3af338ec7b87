"""The provider sandbox behind a socket: `chatwright sandbox`, and beside the product with `chatwright up --sandbox`."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from chatwright.app.listening import address_of, listen, serve_http
from chatwright.sandbox.demo import furnish
from chatwright.sandbox.graph.provider import Graph
from chatwright.sandbox.keeping import keep, restore
from chatwright.sandbox.page.routes import Pages
from chatwright.sandbox.server import Sandbox, build_sandbox
from chatwright.sandbox.telegram.provider import Telegram
from chatwright.sandbox.world import World
from chatwright.sandbox.zalo.provider import Zalo

KEPT = "sandbox.json"
"""Name of the file in the data folder that holds what outlives a restart."""


def open_sandbox(product_url: str, *, kept: Path | None = None) -> Sandbox:
    """A sandbox with every provider and its page: as the file remembers it, else with the ready-made accounts."""
    if kept is not None:
        sandbox = _empty_sandbox(product_url)
        if restore(sandbox.world, sandbox.providers, kept):
            return sandbox
    sandbox = _empty_sandbox(product_url)
    furnish(sandbox.world, sandbox.providers)
    return sandbox


def _empty_sandbox(product_url: str) -> Sandbox:
    world = World()
    pages = Pages(world, product_url=product_url)
    return build_sandbox(world, [Graph, Telegram, Zalo], pages=pages.routes())


async def serve_sandbox(host: str, port: int, product_url: str) -> None:
    """Serve one until cancelled, and say where it is."""
    with listen(host, port) as listener:
        await serve_http(open_sandbox(product_url).app, listener, on_ready=_sign(listener, product_url))


async def serve_beside(listener: socket.socket, product_url: str, data: Path) -> None:
    """Serve one on a socket that is taken already, without a word; what it keeps lies in the data folder."""
    kept = data / KEPT
    sandbox = open_sandbox(product_url, kept=kept)
    keeping = asyncio.create_task(keep(sandbox.world, kept), name="sandbox.keep")
    try:
        await serve_http(sandbox.app, listener, on_ready=lambda: None)
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


def _sign(listener: socket.socket, product_url: str) -> Callable[[], None]:
    url = address_of(listener)
    host = url.partition("://")[2]
    text = (
        "The sandbox is running.\n\n"
        f"  Phones  {url}/\n"
        f"  APIs    {url}/graph  {url}/telegram  {url}/zalo\n\n"
        "The page shows the credentials of one account of each kind. "
        f"Connect them in the product at {product_url},\n"
        f"started with CHATWRIGHT_ALLOWED_HOSTS={host} so that it may call the sandbox.\n\n"
        "Stop with Ctrl-C.\n"
    )

    def show() -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    return show
