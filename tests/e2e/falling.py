"""`chatwright` with a server that falls: run as a script with the words of the command line.

Answers to requests with the header `x-fall: N` are held back until N of them are ready, and then the process is
killed: all that they did is committed, and nobody is told.
"""

import asyncio
import os
import signal
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chatwright.app import up
from chatwright.app.main import main
from chatwright.app.wiring import Product

HEADER: Final = "x-fall"


class Falling:
    """The application, with a trapdoor in front of its answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or fall."""
        wanted = Headers(scope=scope).get(HEADER) if scope["type"] == "http" else None

        async def hold(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._held += 1
            if wanted is not None and self._held == int(wanted):
                os.kill(os.getpid(), signal.SIGKILL)
            await asyncio.Event().wait()

        await self._app(scope, receive, send if wanted is None else hold)


def _falling_app(product: Product) -> ASGIApp:
    return Falling(_app(product))


if __name__ == "__main__":
    _app = up.build_app
    up.build_app = _falling_app
    main()
