"""Rate limits shared by every process, as token buckets in PostgreSQL, and a limit of open streams in each.

A process draws tokens of a bucket in blocks and gives back what it does not use. A block is paid for when drawn, so
no limit is exceeded. It is as large as the calls of the next moment need, and none is large where calls are few, so
next to nothing lies idle in one process while another one has to refuse.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from typing import Final

import structlog

from chatwright.features.workspaces import store
from chatwright.features.workspaces.keys import principal_of
from chatwright.kernel.caller import Caller, Maker
from chatwright.kernel.errors import RateLimitExceeded, Unavailable
from chatwright.kernel.operation import AnyOperation, RateClass
from chatwright.ports.database import Database

PRINCIPAL_RATE: Final = RateClass(per_minute=12_000, burst=1_200)
"""What one principal may call in all, whatever the operations."""
WORKSPACE_RATE: Final = RateClass(per_minute=60_000, burst=6_000)
"""What all principals of a workspace may call together."""
REFUSED_RATE: Final = RateClass(per_minute=60, burst=30)
"""Refused calls of one principal that are put on record; more of them would only fill the trail."""
BURST_SECONDS: Final = 6
"""A caller's own rate allows as many calls at once as come in so long."""

AHEAD_SECONDS: Final = 0.2
"""A block is for the calls of so long a time, at the pace of the last one."""
LARGEST_SHARE: Final = 20
"""A block is at most this part (1/20) of the burst."""
SMALL_SHARE: Final = 400
"""A block of this part (1/400) of the burst may be kept longer: four processes then hold back 1% of it."""
KEPT_SECONDS: Final = 0.25
SMALL_KEPT_SECONDS: Final = 3.0
EMPTY_SHARE: Final = 0.005
EMPTY_SECONDS: Final = 0.05
"""An empty bucket is not asked again for so long, or before that part of its burst has come in, so that refusing
costs little."""

_log = structlog.get_logger(__name__)


def limits_of(caller: Caller, operation: AnyOperation) -> dict[str, RateClass]:
    """The buckets that a call takes a token of: its principal's, that one's for the operation, its workspace's."""
    return {
        **limits_of_principal(caller),
        f"{principal_of(caller)}:{operation.name}": operation.rate,
        f"{caller.workspace_id}": WORKSPACE_RATE,
    }


def limits_of_principal(caller: Caller) -> dict[str, RateClass]:
    """A principal's own bucket, and those of whatever it comes from with a rate: who makes access shares its rate."""
    shared = {
        f"{caller.workspace_id}:{maker.kind}:{maker.principal_id}": rate_of(maker)
        for maker in caller.made_by
        if maker.calls_per_minute is not None
    }
    return {**shared, principal_of(caller): rate_of(caller)}


def rate_of(principal: Caller | Maker) -> RateClass:
    """What a principal may call in all: its own rate, or the usual one."""
    own = principal.calls_per_minute
    if own is None:
        return PRINCIPAL_RATE
    return RateClass(per_minute=own, burst=max(1, own * BURST_SECONDS // 60))


@dataclass(slots=True)
class _Block:
    """Tokens of one bucket that this process has drawn and not used yet."""

    rate: RateClass
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One draw at a time, or calls at the same moment would each draw a block."""
    tokens: float = 0.0
    drawn: float = 0.0
    """How many there were after the last draw."""
    drawn_at: float = 0.0
    until: float = 0.0
    """When what is left is given back."""
    empty_until: float = 0.0
    """Before this the bucket has no token for anybody."""

    def has_one(self, now: float) -> bool:
        return self.tokens >= 1 and now < self.until

    @property
    def _small(self) -> int:
        return max(1, self.rate.burst // SMALL_SHARE)

    def wanted(self, now: float) -> int:
        """How many tokens the next moment needs, judged by how fast the last ones went."""
        pace = (self.drawn - self.tokens) / max(now - self.drawn_at, 0.001)
        most = max(self._small, self.rate.burst // LARGEST_SHARE)
        return min(max(self._small, math.ceil(pace * AHEAD_SECONDS)), most)

    def fill(self, granted: float, left: float, now: float) -> None:
        """Take what a draw gave, which may be less than nothing, and `left` in the bucket."""
        self.tokens += granted
        self.drawn, self.drawn_at = self.tokens, now
        kept = SMALL_KEPT_SECONDS if self.tokens <= self._small else KEPT_SECONDS
        self.until = now + kept
        if self.tokens < 1:
            per_second = self.rate.per_minute / 60
            least = min(EMPTY_SECONDS, EMPTY_SHARE * self.rate.burst / per_second)
            self.empty_until = now + max((1 - left) / per_second, least)


class RateLimiter:
    """Takes tokens before calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._blocks: dict[str, _Block] = {}
        self._sweeping: asyncio.Task[None] | None = None

    async def take(self, bucket: str, rate: RateClass) -> None:
        """Take one token; raises RateLimitExceeded with the time until there is one."""
        await self.take_all({bucket: rate})

    async def take_all(self, limits: Mapping[str, RateClass]) -> None:
        """Take one token of each bucket, or of none; raises RateLimitExceeded with the time until there are."""
        while True:
            blocks = {bucket: self._block(bucket, rate) for bucket, rate in limits.items()}
            now = time.monotonic()
            lacking = {name: block for name, block in sorted(blocks.items()) if not block.has_one(now)}
            if not lacking:
                break
            _check_not_empty(lacking.values(), now)
            await self._draw(lacking)
        for block in blocks.values():
            block.tokens -= 1

    async def close(self) -> None:
        """Give back what is held."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        await self._give_back(math.inf)

    def _block(self, bucket: str, rate: RateClass) -> _Block:
        block = self._blocks.get(bucket)
        if block is None:
            block = self._blocks[bucket] = _Block(rate)
        block.rate = rate
        return block

    async def _draw(self, lacking: Mapping[str, _Block]) -> None:
        """Fill the blocks that others have not filled meanwhile, in one round trip."""
        async with _alone_with(lacking.values()):
            now = time.monotonic()
            await self._settle(
                {
                    name: block.wanted(now) - block.tokens
                    for name, block in lacking.items()
                    if self._blocks.get(name) is block and not block.has_one(now) and block.empty_until <= now
                }
            )
        if self._sweeping is None or self._sweeping.done():
            # In a context of its own: it outlives the call that happened to begin it.
            self._sweeping = asyncio.create_task(self._sweep(), name="rate-limits", context=Context())

    async def _settle(self, wanted: Mapping[str, float]) -> None:
        """Draw tokens, or give some back where fewer than none are wanted; the caller holds the locks."""
        if not wanted:
            return
        names = sorted(wanted)
        rates = [self._blocks[name].rate for name in names]
        async with self._database.autocommit():
            taken = await store.TAKE_TOKENS.all(
                names,
                [float(rate.burst) for rate in rates],
                [rate.per_minute / 60 for rate in rates],
                [wanted[name] for name in names],
            )
        now = time.monotonic()
        for each in taken:
            self._blocks[each.bucket].fill(each.granted, each.tokens, now)

    async def _sweep(self) -> None:
        """Give back what is kept too long, until nothing is held any more."""
        while self._blocks:
            await asyncio.sleep(KEPT_SECONDS)
            await self._give_back(time.monotonic())

    async def _give_back(self, now: float) -> None:
        idle = {
            name: block
            for name, block in sorted(self._blocks.items())
            if block.until <= now and block.empty_until <= now and not block.lock.locked()
        }
        held = {name: -block.tokens for name, block in idle.items() if block.tokens > 0}
        async with _alone_with(idle.values()):
            try:
                await self._settle(held)
            except Unavailable:
                _log.warning("limits.not_given_back", buckets=len(held))
            for name in idle:
                del self._blocks[name]


@asynccontextmanager
async def _alone_with(blocks: Iterable[_Block]) -> AsyncGenerator[None]:
    """Hold the locks of some blocks, which come in the order of their names."""
    async with AsyncExitStack() as stack:
        for block in blocks:
            await stack.enter_async_context(block.lock)
        yield


def _check_not_empty(blocks: Iterable[_Block], now: float) -> None:
    """Raise RateLimitExceeded where a bucket is known to have no token."""
    waits = list(_waits(blocks, now))
    if waits:
        message = "Too many calls in a short time."
        raise RateLimitExceeded(message, retry_after_ms=math.ceil(max(waits) * 1000))


def _waits(blocks: Iterable[_Block], now: float) -> Iterator[float]:
    for block in blocks:
        if block.empty_until > now and not block.has_one(now):
            yield block.empty_until - now


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
