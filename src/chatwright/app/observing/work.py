"""What is told of the work on ledgers: each row that is worked is counted and, where traces are wanted, a span."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from opentelemetry.trace import StatusCode, Tracer, get_current_span

from chatwright.app.observing.numbers import Numbers
from chatwright.ports.ledger import Claim, LeaseLost, Ledger


def watched(ledger: Ledger, numbers: Numbers, tracer: Tracer | None) -> Ledger:
    """The same ledger with its work watched."""

    async def work(claim: Claim) -> None:
        started = time.perf_counter()
        outcome = "failed"
        try:
            await ledger.work(claim)
            outcome = "done"
        except LeaseLost:
            outcome = "lease_lost"
            raise
        except asyncio.CancelledError:
            outcome = "stopped"
            raise
        finally:
            numbers.work_ended(ledger.table, outcome, time.perf_counter() - started)

    return replace(ledger, work=work if tracer is None else _traced(ledger.table, work, tracer))


def _traced(
    table: str, work: Callable[[Claim], Awaitable[None]], tracer: Tracer
) -> Callable[[Claim], Awaitable[None]]:
    """A span of its own: what is sent may come hours after the call that wanted it."""

    async def work_in_span(claim: Claim) -> None:
        attributes = {"chatwright.row_id": str(claim.id), "chatwright.attempt": claim.attempts}
        with contextlib.ExitStack() as stack:
            stack.enter_context(
                tracer.start_as_current_span(
                    f"work {table}",
                    attributes=attributes,
                    record_exception=False,
                    set_status_on_exception=False,
                )
            )
            try:
                await work(claim)
            except Exception as error:
                get_current_span().set_attribute("error.type", type(error).__name__)
                get_current_span().set_status(StatusCode.ERROR)
                raise

    return work_in_span
