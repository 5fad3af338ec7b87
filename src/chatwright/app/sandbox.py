"""The provider sandbox behind a socket: `chatwright sandbox`, and beside the product with `chatwright up --sandbox`."""

import socket
import sys
from collections.abc import Callable

from starlette.applications import Starlette

from chatwright.app.listening import address_of, listen, serve_http
from chatwright.sandbox.demo import furnish
from chatwright.sandbox.graph.provider import Graph
from chatwright.sandbox.page.routes import Pages
from chatwright.sandbox.server import build_sandbox
from chatwright.sandbox.telegram.provider import Telegram
from chatwright.sandbox.world import World
from chatwright.sandbox.zalo.provider import Zalo


def sandbox_app(product_url: str) -> Starlette:
    """A fresh sandbox with every provider, its page and the ready-made accounts."""
    world = World()
    pages = Pages(world, product_url=product_url)
    sandbox = build_sandbox(world, [Graph, Telegram, Zalo], pages=pages.routes())
    furnish(world, sandbox.providers)
    return sandbox.app


async def serve_sandbox(host: str, port: int, product_url: str) -> None:
    """Serve one until cancelled, and say where it is."""
    with listen(host, port) as listener:
        await serve_http(sandbox_app(product_url), listener, on_ready=_sign(listener, product_url))


async def serve_beside(listener: socket.socket, product_url: str) -> None:
    """Serve one on a socket that is taken already, without a word."""
    await serve_http(sandbox_app(product_url), listener, on_ready=lambda: None)


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
