"""Clients that go away: what they have asked for and nobody waits for any more is stopped.

A call is undone when it is stopped before its transaction was committed, and stays when it was; its idempotency key
tells the two apart for whoever asks again. Streams are watched by the SDK; answers in JSON are watched here.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final

from starlette.types import Receive

PATIENCE_SECONDS: Final = 0.05
"""Most answers are there before anybody could go away, and are spared the watch."""


async def while_there(receive: Receive, answering: Awaitable[None]) -> None:
    """Answer a request that was read to its end, so that all that can still come is that its client has gone."""
    watch = _Watch(receive)
    alarm = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, watch.begin)
    try:
        await answering
    except asyncio.CancelledError:
        if not watch.ended_it():
            raise
    finally:
        alarm.cancel()
        watch.end()


class _Watch:
    """Waits for a client to go away, and then cancels the task that answers it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._answering = asyncio.current_task()
        self._watching: asyncio.Task[None] | None = None
        self._gone = False

    def begin(self) -> None:
        """Look from now on."""
        self._watching = asyncio.create_task(self._wait())

    def end(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()

    def ended_it(self) -> bool:
        """Whether a cancellation is this watch's own, and nobody else's beside it."""
        return self._gone and self._answering is not None and self._answering.uncancel() == 0

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._answering is not None:
            self._gone = True
            self._answering.cancel()
