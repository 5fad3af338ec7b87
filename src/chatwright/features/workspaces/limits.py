"""Rate limits shared by every process, as token buckets in PostgreSQL, and a limit of open streams in each."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from chatwright.features.workspaces import store
from chatwright.kernel.errors import RateLimitExceeded
from chatwright.kernel.operation import RateClass
from chatwright.ports.database import Database

BLOCK_SECONDS = 1.0
"""How long a process may keep tokens it drew and did not use."""
BLOCK_SHARE = 20
"""A block is at most this part (1/20) of the burst, so that few tokens lie idle in a process."""
MOST_BLOCKS = 10_000


@dataclass(slots=True)
class _Block:
    """Tokens of one bucket that this process has drawn and not used yet."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One draw at a time, or calls at the same moment would each draw a block and lose all but one."""
    tokens: float = 0.0
    until: float = 0.0


class RateLimiter:
    """Takes tokens before calls. A block is paid for when drawn, so the limit is never exceeded."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._blocks: defaultdict[str, _Block] = defaultdict(_Block)

    async def take(self, bucket: str, rate: RateClass) -> None:
        """Take one token; raises RateLimitExceeded with the time until there is one."""
        block = self._blocks[bucket]
        async with block.lock:
            if block.tokens < 1 or block.until < time.monotonic():
                block.tokens = await self._draw(bucket, rate)
                block.until = time.monotonic() + BLOCK_SECONDS
            block.tokens -= 1

    async def _draw(self, bucket: str, rate: RateClass) -> float:
        self._forget_expired()
        per_second = rate.per_minute / 60
        wanted = float(max(1, rate.burst // BLOCK_SHARE))
        async with self._database.autocommit():
            taken = await store.TAKE_TOKENS.one(bucket, float(rate.burst), per_second, wanted)
        if taken.granted < 1:
            message = "Too many calls in a short time."
            raise RateLimitExceeded(message, retry_after_ms=round((1 - taken.tokens) / per_second * 1000) + 1)
        return taken.granted

    def _forget_expired(self) -> None:
        if len(self._blocks) < MOST_BLOCKS:
            return
        now = time.monotonic()
        for bucket in [
            b for b, block in self._blocks.items() if block.until < now and not block.lock.locked()
        ]:
            del self._blocks[bucket]


class OpenStreams:
    """Counts the streams that each reader holds open in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def check(self, reader: str) -> None:
        """Raise RateLimitExceeded when the reader has as many as it may have."""
        if self._open[reader] >= self._most:
            message = f"At most {self._most} streams may be open at once."
            raise RateLimitExceeded(message, hint="Close another one first.")

    async def counted(self, reader: str, frames: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """The frames, counted from the first to the last; none when others were quicker since the check."""
        if self._open[reader] >= self._most:
            return
        self._open[reader] += 1
        try:
            async for frame in frames:
                yield frame
        finally:
            self._open -= Counter([reader])
