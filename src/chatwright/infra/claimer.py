"""The one claimer that serves every ledger: lease due rows in order per lane, work, settle."""

import asyncio
import contextlib
import heapq
import math
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import structlog

from chatwright.kernel.errors import ChatwrightError, Unavailable
from chatwright.kernel.ids import new_id
from chatwright.ports.database import Database, Statement, Unit, record, value
from chatwright.ports.ledger import OPEN_STATES, LeaseLost, Ledger
from chatwright.ports.signals import Signals

POLL_SECONDS = 1.0
"""How long a due row can go unseen when its wake-up call was lost."""
FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 600.0
MOMENT_SECONDS = 0.02
"""How exactly a row that was put back is looked for again."""

_log = structlog.get_logger(__name__)


class Claimer:
    """Works one ledger in this process until cancelled."""

    def __init__(self, database: Database, signals: Signals, ledger: Ledger, *, concurrency: int = 8) -> None:
        self._database = database
        self._signals = signals
        self._ledger = ledger
        self._concurrency = concurrency * ledger.at_once
        self._claim = _claim_statement(ledger.table)
        self._moments = Moments()

    async def run(self) -> None:
        """Claim rows and work them, each in a task of its own.

        It looks for more at news, at the poll, when a row is due again that was put back here, and when half of
        the tasks are free: a claim for every row that is done would cost more than the wait, and one slow row
        must not hold up the others.
        """
        with self._signals.follow(self._ledger.topic) as follower:
            async with asyncio.TaskGroup() as tasks:
                news = tasks.create_task(follower.next(POLL_SECONDS))
                working: set[asyncio.Task[Any]] = set()
                heard = True
                while True:
                    if self._moments.passed() or heard or len(working) * 2 <= self._concurrency:
                        claims = await self._try_claim(self._concurrency - len(working))
                        working |= {tasks.create_task(self._work(claim)) for claim in claims}
                    done, _ = await asyncio.wait(
                        {news, *working}, timeout=self._moments.wait(), return_when=asyncio.FIRST_COMPLETED
                    )
                    working -= done
                    heard = news in done
                    if heard:
                        news = tasks.create_task(follower.next(POLL_SECONDS))

    async def run_once(self) -> int:
        """Claim one batch and work it to its end; returns how many rows it had."""
        claims = await self._claim_due(self._concurrency)
        await asyncio.gather(*(self._work(claim) for claim in claims))
        return len(claims)

    async def _try_claim(self, most: int) -> list["LeasedRow"]:
        if most == 0:
            return []
        try:
            return await self._claim_due(most)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the work under way.
            _log.warning("claimer.paused", ledger=self._ledger.table, exc_info=error)
            await asyncio.sleep(POLL_SECONDS)
            return []

    async def _claim_due(self, most: int) -> list["LeasedRow"]:
        owner = new_id()
        async with self._database.autocommit():
            rows = await self._claim.all(owner, self._ledger.lease_seconds, most)
        return [LeasedRow(self._database, self._ledger, owner, row, self._moments.remember) for row in rows]

    async def _work(self, claim: "LeasedRow") -> None:
        try:
            await self._ledger.work(claim)
        except LeaseLost:
            _log.warning("claimer.lease_lost", ledger=self._ledger.table, id=str(claim.id))
        except Exception as error:  # noqa: BLE001 - one bad row must not stop the others.
            _log.warning(
                "claimer.failed",
                ledger=self._ledger.table,
                id=str(claim.id),
                exc_info=error,
                attempt=claim.attempts,
            )
            await self._put_back(claim, error)

    async def _put_back(self, claim: "LeasedRow", error: Exception) -> None:
        # An error of 500 or above is our own: somebody may mend it, which nobody can do for a bad row.
        hopeless = isinstance(error, ChatwrightError) and not error.retryable and error.http_status < 500
        words = _storable(f"{type(error).__name__}: {error}")
        try:
            if hopeless or claim.attempts >= self._ledger.max_attempts:
                async with claim.settling("failed", error=words):
                    if self._ledger.given_up is not None:
                        await self._ledger.given_up(claim)
                    return
            async with claim.settling("queued", again_in=backoff(claim.attempts), error=words):
                return
        except Exception as second:  # noqa: BLE001 - the row comes back when its lease ends.
            _log.warning("claimer.not_put_back", ledger=self._ledger.table, id=str(claim.id), exc_info=second)


def _storable(words: str) -> str:
    """Text as a column takes it: what no UTF-8 or PostgreSQL knows becomes a question mark."""
    return words.replace("\0", "?").encode(errors="replace").decode()


def backoff(attempts: int) -> float:
    """Seconds before the next attempt: doubling, capped, with jitter so that many rows spread out."""
    longest = min(FIRST_BACKOFF_SECONDS * 2 ** (attempts - 1), LONGEST_BACKOFF_SECONDS)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret.


class Moments:
    """When rows that were put back in this process are due again: nobody else would tell it in time."""

    def __init__(self) -> None:
        self._due: list[float] = []
        self._known: set[float] = set()

    def remember(self, seconds: float) -> None:
        """Something is due in so many seconds; never, if they are without end. Close moments are one."""
        if not math.isfinite(seconds):
            return
        moment = math.ceil((time.monotonic() + seconds) / MOMENT_SECONDS) * MOMENT_SECONDS
        if moment not in self._known:
            self._known.add(moment)
            heapq.heappush(self._due, moment)

    def passed(self) -> bool:
        """Whether a moment has come since this was last asked."""
        now, come = time.monotonic(), False
        while self._due and self._due[0] <= now:
            self._known.discard(heapq.heappop(self._due))
            come = True
        return come

    def wait(self) -> float | None:
        """Seconds until the next moment; None when none is known."""
        return max(0.0, self._due[0] - time.monotonic()) if self._due else None


class LeasedRow:
    """A claimed row; see `ports.ledger.Claim`."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        owner: UUID,
        row: Mapping[str, Any],
        expect: Callable[[float], None],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._owner = owner
        self._expect = expect
        self.row = row

    @property
    def id(self) -> UUID:
        return self.row["id"]

    @property
    def attempts(self) -> int:
        return self.row["attempts"]

    @asynccontextmanager
    async def settling(
        self, state: str = "done", *, again_in: float | None = None, error: str | None = None
    ) -> AsyncGenerator[Unit]:
        """End the claim in one transaction, fenced by the lease."""
        settle = _settle_statement(self._ledger.table)
        async with self._database.transaction() as unit:
            yield unit
            if await settle.first(self.id, self._owner, state, again_in or 0.0, error) is None:
                raise LeaseLost
        if again_in:
            self._expect(again_in)

    @asynccontextmanager
    async def holding(self) -> AsyncGenerator[Unit]:
        """Commit something in the middle of the work, fenced by the lease, which starts anew."""
        hold = _hold_statement(self._ledger.table)
        async with self._database.transaction() as unit:
            yield unit
            if await hold.first(self.id, self._owner, self._ledger.lease_seconds) is None:
                raise LeaseLost

    def expect(self, seconds: float) -> None:
        self._expect(seconds)

    @asynccontextmanager
    async def keeping(self) -> AsyncGenerator[None]:
        """Renew the lease well before it ends, again and again."""
        renewing = asyncio.create_task(self._renew(), name=f"lease:{self.id}")
        try:
            yield
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing

    async def _renew(self) -> None:
        hold = _hold_statement(self._ledger.table)
        while True:
            await asyncio.sleep(self._ledger.lease_seconds / 3)
            with contextlib.suppress(Unavailable):
                async with self._database.autocommit():
                    await hold.first(self.id, self._owner, self._ledger.lease_seconds)


def _claim_statement(table: str) -> Statement[dict[str, Any]]:
    """A row is due when it is open and no earlier row of its lane is.

    Nobody waits for the disk to have a claim: whatever is committed under it comes later in the same log, and
    a claim that a crash of the server forgets is made again.
    """
    return Statement(
        f"{table}.claim",
        f"""
        update {table} set state = 'leased', lease_owner = $1, attempts = attempts + 1,
               due_at = clock_timestamp() + make_interval(secs => $2)
        from set_config('synchronous_commit', 'off', true)
        where id in (
            select id from {table} due
            where state in {OPEN_STATES} and due_at <= now()
              and not exists (
                  select 1 from {table} earlier
                  where earlier.lane = due.lane and earlier.position < due.position
                    and earlier.state in {OPEN_STATES})
            order by due_at limit $3 for update skip locked)
        returning {table}.*
        """,
        record,
    )


def _settle_statement(table: str) -> Statement[UUID]:
    return Statement(
        f"{table}.settle",
        f"""
        update {table} set state = $3, error = $5, lease_owner = null,
               due_at = coalesce(now() + make_interval(secs => nullif($4::float8, 'infinity')), 'infinity')
        where id = $1 and lease_owner = $2 returning id
        """,
        value,
    )


def _hold_statement(table: str) -> Statement[UUID]:
    return Statement(
        f"{table}.hold",
        f"""
        update {table} set due_at = clock_timestamp() + make_interval(secs => $3)
        where id = $1 and lease_owner = $2 returning id
        """,
        value,
    )
