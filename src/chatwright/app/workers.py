"""The work of this process: claimers of every ledger, and what is to be done every so often."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import structlog

from chatwright.app.wiring import Product
from chatwright.features.messaging.inboxes.credentials import renew_due
from chatwright.features.messaging.inboxes.health import end_spells
from chatwright.features.messaging.jobs import (
    FORGETTING,
    RELEASING,
    forget_buckets,
    sweep_files,
    wake_snoozed,
)
from chatwright.features.messaging.listeners.listening import LEASE_SECONDS, Listeners
from chatwright.features.workspaces import store as workspaces
from chatwright.features.workspaces.approvals.jobs import EXPIRY_SECONDS, expire_waiting, forget_old
from chatwright.features.workspaces.confirmations import store as confirmations
from chatwright.features.workspaces.oauth.server import forget_what_ended
from chatwright.infra.claimer import Claimer
from chatwright.infra.following import EventFollower
from chatwright.infra.periodic import Periodic, PeriodicRunner

RESTART_SECONDS = 1.0
TIDY_SECONDS = 600.0
SNOOZE_SECONDS = 5.0
"""How late a snoozed conversation may open."""
SPELL_SECONDS = 5.0
"""How late an inbox may go on after its provider's pause."""
RENEWAL_SECONDS = 60.0
"""How late credentials may be renewed; channels ask for it long before they end."""

SWEEP_SECONDS = 60.0
"""How long a file may stay that was taken back or belongs to nobody."""

_log = structlog.get_logger(__name__)


async def run_workers(product: Product) -> None:
    """Work until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for name, work in _workers(product):
            tasks.create_task(_kept_running(name, work), name=name)


def _workers(product: Product) -> Iterable[tuple[str, Callable[[], Awaitable[None]]]]:
    concurrency = product.settings.concurrency
    for ledger in product.ledgers:
        claimer = Claimer(product.database, product.signals, ledger, concurrency=concurrency)
        yield f"claimer:{ledger.table}", claimer.run
    for following in FOLLOWING:
        yield f"follower:{following.name}", EventFollower(product.database, product.signals, following).run
    for job in PERIODIC:
        yield f"periodic:{job.name}", PeriodicRunner(product.database, job).run
    yield "renewals", partial(_renew, product)
    yield "sweeping", partial(_sweep, product)
    lease = min(LEASE_SECONDS, float(product.settings.lease_seconds))
    yield "listeners", Listeners(product.database, lease_seconds=lease).run


async def _kept_running(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """One worker that trips, over a database that restarts for one, must not take the others down."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 - whatever it was.
            _log.exception("worker.restarted", worker=name)
            await asyncio.sleep(RESTART_SECONDS)


async def _renew(product: Product) -> None:
    """Renew what is about to end. It is no `Periodic`: each renewal is committed by itself."""
    while True:
        await renew_due(product.database)
        await asyncio.sleep(RENEWAL_SECONDS)


async def _sweep(product: Product) -> None:
    """Delete files that nobody wants any more. Every process may: a file that is gone already is no error."""
    while True:
        if not await sweep_files(product.database, product.storage):
            await asyncio.sleep(SWEEP_SECONDS)


async def _forget_results() -> None:
    await workspaces.FORGET_RESULTS.run()


async def _forget_sessions() -> None:
    await workspaces.FORGET_SESSIONS.run()


async def _forget_rates() -> None:
    await workspaces.FORGET_BUCKETS.run()


async def _forget_confirmations() -> None:
    await confirmations.FORGET_SPENT.run()


FOLLOWING = (FORGETTING, RELEASING)
PERIODIC = (
    Periodic("messaging.wake_snoozed", SNOOZE_SECONDS, wake_snoozed),
    Periodic("messaging.end_spells", SPELL_SECONDS, end_spells),
    Periodic("messaging.forget_buckets", TIDY_SECONDS, forget_buckets),
    Periodic("workspaces.forget_results", TIDY_SECONDS, _forget_results),
    Periodic("workspaces.forget_sessions", TIDY_SECONDS, _forget_sessions),
    Periodic("workspaces.forget_rates", TIDY_SECONDS, _forget_rates),
    Periodic("oauth.forget_what_ended", TIDY_SECONDS, forget_what_ended),
    Periodic("workspaces.forget_confirmations", TIDY_SECONDS, _forget_confirmations),
    Periodic("approvals.expire_waiting", EXPIRY_SECONDS, expire_waiting),
    Periodic("approvals.forget_old", TIDY_SECONDS, forget_old),
)
