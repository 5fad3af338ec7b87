"""Clients that go away: what they have asked for and nobody waits for any more is stopped.

A call is undone when it is stopped before its transaction was committed, and stays when it was; its idempotency key
tells the two apart for whoever asks again. Streams are watched by the SDK; answers in JSON are watched here.
"""

import asyncio
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.kernel.alarms import set_alarm
from chatwright.kernel.begun import Begun

PATIENCE_SECONDS: Final = 0.05
"""Most answers are there before anybody could go away, and are spared the watch."""


async def while_there(way: ASGIApp, scope: Scope, body: Receive, receive: Receive, send: Send) -> None:
    """Answer a request whose body is at hand, for as long as its client stays.

    `receive` has been read to the end of the body, so all that can still come there is that the client has gone.
    """
    watch = _Watch(receive, send)
    answering = Begun(way(scope, body, watch.send))
    if answering.done:
        return
    watch.answering = asyncio.current_task()
    alarm = set_alarm(PATIENCE_SECONDS, watch.begin)
    try:
        await answering
    except asyncio.CancelledError:
        if not watch.ended_it():
            raise
    finally:
        alarm.cancel()
        watch.end()


class _Watch:
    """Waits for a client to go away before it is answered, and then cancels the task that answers it."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.answering: asyncio.Task[Any] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._answered = False
        self._gone = False

    def begin(self) -> None:
        """Look from now on, unless the answer is out: what is done after it is not the client's any more."""
        if not self._answered:
            self._watching = asyncio.create_task(self._wait())

    async def send(self, message: Message) -> None:
        """Send a part of the answer; the last one ends the watch."""
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._answered = True
            self.end()
        await self._send(message)

    def end(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()

    def ended_it(self) -> bool:
        """Whether a cancellation is this watch's own, and nobody else's beside it."""
        return self._gone and self.answering is not None and self.answering.uncancel() == 0

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self.answering is not None:
            self._gone = True
            self.answering.cancel()
