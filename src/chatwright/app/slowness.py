"""Bodies that come in too slowly to be meant: they would hold a place in every door for as long as they like."""

import math
import time
from contextlib import nullcontext
from typing import ClassVar, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.kernel.alarms import Deadline
from chatwright.kernel.begun import Begun
from chatwright.kernel.errors import ChatwrightError

PATIENCE_SECONDS: Final = 15.0
"""How long is waited for a body in all, however small."""
LEAST_PACE: Final = 4096
"""Bytes a second. What has come in buys so much more time, so that a large file may come over a thin line."""
_CLOSE: Final = (b"connection", b"close")


class TooSlow(ChatwrightError):
    code: ClassVar[str] = "REQUEST_TIMEOUT"
    http_status: ClassVar[int] = 408
    retryable: ClassVar[bool] = True
    hint: str | None = "Send the body at once."


class Impatience:
    """ASGI middleware: whoever reads a body gets TooSlow instead of its rest, and the connection closes."""

    def __init__(self, app: ASGIApp, *, patience: float = PATIENCE_SECONDS, pace: float = LEAST_PACE) -> None:
        self._app = app
        self._patience = patience
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, self._patience, self._pace)

        async def send_and_close(message: Message) -> None:
            if body.late and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        await self._app(scope, body.receive, send_and_close)


class _Body:
    """The body of one request on its way in. Only the waiting counts, not what is done between its pieces."""

    def __init__(self, receive: Receive, patience: float, pace: float) -> None:
        self.late = False
        self._receive = receive
        self._left = patience
        self._pace = pace
        self._ended = False

    async def receive(self) -> Message:
        """The next piece; after the last one, what else there is to hear, for however long."""
        if self._ended:
            return await self._receive()
        began = time.monotonic()
        reading = Begun(self._receive())
        try:
            # In whole tenths, for alarms of one length cost the least.
            with nullcontext() if reading.done else Deadline(math.ceil(self._left * 10) / 10):
                message = await reading
        except TimeoutError:
            self.late = True
            raise TooSlow("The body came in too slowly, so it was not read to its end.") from None
        piece: bytes = message.get("body", b"")
        self._left += len(piece) / self._pace - (time.monotonic() - began)
        self._ended = not message.get("more_body", False)
        return message
