"""The sandbox's time: as long as real time, shorter on request, and forward at once when a test says so."""

import asyncio
from datetime import UTC, datetime, timedelta


class Clock:
    """Two kinds of spans can be shortened apart from each other: what somebody waits for, and what expires.

    `waits` divides retry ladders and delays, `lifetimes` divides windows, media URLs and tokens; 1 is real time.
    """

    def __init__(self, *, waits: float = 1.0, lifetimes: float = 1.0) -> None:
        self.waits = waits
        self.lifetimes = lifetimes
        self._ahead = timedelta()
        self._advanced = asyncio.Event()

    def now(self) -> datetime:
        """The moment that windows and expiries are measured by."""
        return self.stamp() + self._ahead

    def stamp(self) -> datetime:
        """The moment that goes on the wire: never ahead of the clock of those who read it."""
        return datetime.now(UTC)

    def after(self, seconds: float) -> datetime:
        """When something that lives so long from now on ends."""
        return self.now() + timedelta(seconds=seconds / self.lifetimes)

    def since(self, seconds: float) -> datetime:
        """When something that lives so long and ends now began."""
        return self.now() - timedelta(seconds=seconds / self.lifetimes)

    async def wait(self, seconds: float) -> None:
        """Wait so long, as far as the clock is not moved on meanwhile."""
        end = self.now() + timedelta(seconds=seconds / self.waits)
        while (left := (end - self.now()).total_seconds()) > 0:
            try:
                await asyncio.wait_for(self._advanced.wait(), left)
            except TimeoutError:
                return

    def advance(self, seconds: float) -> None:
        """Move on: whoever waits or lives that long is done."""
        self._ahead += timedelta(seconds=seconds)
        self._advanced.set()
        self._advanced = asyncio.Event()
