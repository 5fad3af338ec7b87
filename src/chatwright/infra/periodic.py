"""Things to do every so often, once in the whole cluster."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from chatwright.kernel.errors import ChatwrightError
from chatwright.ports.database import Database, Statement, value

_log = structlog.get_logger(__name__)

TAKE_TURN = Statement(
    "periodic.take_turn",
    """
    insert into periodic_runs as runs (name, ran_at) select $1, now()
    where pg_try_advisory_xact_lock(hashtext('periodic:' || $1))
    on conflict (name) do update set ran_at = now()
    where runs.ran_at <= now() - make_interval(secs => $2)
    returning name
    """,
    value,
)


@dataclass(frozen=True)
class Periodic:
    """A small job, run in a transaction of its own by whichever process gets the turn."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[None]]


class PeriodicRunner:
    """Gives every process a try; an advisory lock and the time of the last run pick one."""

    def __init__(self, database: Database, job: Periodic) -> None:
        self._database = database
        self._job = job

    async def run(self) -> None:
        """Try until cancelled."""
        while True:
            await self.run_once()
            await asyncio.sleep(self._job.every_seconds)

    async def run_once(self) -> bool:
        """Do the job if it is due and nobody else does it; returns whether it was done here."""
        try:
            async with self._database.transaction():
                if await TAKE_TURN.first(self._job.name, self._job.every_seconds * 0.9) is None:
                    return False
                await self._job.run()
        except ChatwrightError as error:
            _log.warning("periodic.failed", job=self._job.name, error=error.code)
            return False
        return True
