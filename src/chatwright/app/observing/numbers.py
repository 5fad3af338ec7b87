"""Numbers about this process for Prometheus: its calls, its work, and what stands in the database."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chatwright.infra.database import PoolDatabase, PoolUse
from chatwright.infra.signals import PostgresSignals
from chatwright.ports.calls import WatchedCall
from chatwright.ports.database import Statement
from chatwright.ports.ledger import OPEN_STATES

CALL_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds. There is a series for each and every operation, so not more of them than tell something."""
WORK_BUCKETS: Final = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 120)
PATIENCE_SECONDS: Final = 3.0
"""How long the database may take to say what stands in it; without its answer those numbers are left out."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Depth:
    ledger: str
    rows: int
    overdue: float


class Numbers:
    """Counts in this process. What it knows of the whole product it asks the database at each look."""

    def __init__(self, database: PoolDatabase, signals: PostgresSignals, ledgers: Iterable[str]) -> None:
        self._database = database
        self._depths = _depths_statement(ledgers)
        registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._calls = Counter(
            "chatwright_calls",
            "Calls of operations that have ended, by face, outcome and error code.",
            ["operation", "face", "outcome", "code"],
            registry=registry,
        )
        self._call_seconds = Histogram(
            "chatwright_call_seconds",
            "Time that calls of operations took in the pipeline.",
            ["operation"],
            buckets=CALL_BUCKETS,
            registry=registry,
        )
        self._work = Counter(
            "chatwright_work",
            "Rows of a ledger that this process has worked, by outcome.",
            ["ledger", "outcome"],
            registry=registry,
        )
        self._work_seconds = Histogram(
            "chatwright_work_seconds",
            "Time that working a row of a ledger took.",
            ["ledger"],
            buckets=WORK_BUCKETS,
            registry=registry,
        )
        Gauge(
            "chatwright_signals_connected",
            "1 while this process hears what others announce, else 0; work then waits for the poll.",
            registry=registry,
        ).set_function(lambda: signals.connected)
        self._registry = registry
        # Making a series known costs more than counting in it.
        self._known_calls: dict[tuple[str, ...], Counter] = {}
        self._known_seconds: dict[str, Histogram] = {}

    def call_ended(self, call: WatchedCall, seconds: float) -> None:
        """Count a call."""
        operation = call.operation.name
        key = (operation, call.caller.surface.value, call.outcome.value, call.code)
        if (counter := self._known_calls.get(key)) is None:
            counter = self._known_calls[key] = self._calls.labels(*key)
        if (histogram := self._known_seconds.get(operation)) is None:
            histogram = self._known_seconds[operation] = self._call_seconds.labels(operation)
        counter.inc()
        histogram.observe(seconds)

    def work_ended(self, ledger: str, outcome: str, seconds: float) -> None:
        """Count a row that was worked."""
        self._work.labels(ledger, outcome).inc()
        self._work_seconds.labels(ledger).observe(seconds)

    async def text(self) -> bytes:
        """All numbers as they are now."""
        standing = CollectorRegistry()
        standing.register(_Found([*_pool_metrics(self._database.use()), *await self._standing()]))
        return generate_latest(self._registry) + generate_latest(standing)

    async def _standing(self) -> list[Metric]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._database.autocommit():
                depths = {depth.ledger: depth for depth in await self._depths.all()}
                approvals = await _APPROVALS.one()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other numbers are wanted all the more.
            _log.warning("metrics.database", error=type(error).__name__)
            return []
        return [*_ledger_metrics(depths), approvals]


class _Found(Collector):
    """Numbers that were read already, as Prometheus' library collects them."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _pool_metrics(use: PoolUse) -> list[Metric]:
    words = (
        "Connections of this process to the database, by state: used or idle. `most` is how many it may have."
    )
    metric = GaugeMetricFamily("chatwright_database_connections", words, labels=["state"])
    for state, count in (("used", use.used), ("idle", use.idle), ("most", use.most)):
        metric.add_metric([state], count)
    return [metric]


def _ledger_metrics(depths: Mapping[str, _Depth]) -> list[Metric]:
    rows = GaugeMetricFamily(
        "chatwright_ledger_rows", "Rows of a ledger that are still to be worked.", labels=["ledger"]
    )
    overdue = GaugeMetricFamily(
        "chatwright_ledger_overdue_seconds",
        "For how long the row that has been due the longest has waited to be worked; 0 when none is due.",
        labels=["ledger"],
    )
    for name, depth in depths.items():
        rows.add_metric([name], depth.rows)
        overdue.add_metric([name], depth.overdue)
    return [rows, overdue]


def _approvals_metric(waiting: int) -> Metric:
    words = "Calls that wait for a person of their workspace."
    metric = GaugeMetricFamily("chatwright_approvals_waiting", words)
    metric.add_metric([], waiting)
    return metric


def _depths_statement(tables: Iterable[str]) -> Statement[_Depth]:
    """One statement over the partial indexes of open rows; what was worked long ago costs nothing."""
    each = " union all ".join(
        f"select '{table}' as ledger, count(*) as rows, "  # noqa: S608 - names of our own tables.
        "coalesce(extract(epoch from now() - min(due_at) filter (where due_at <= now())), 0)::float8 as overdue "
        f"from {table} where state in {OPEN_STATES}"
        for table in tables
    )
    return Statement("metrics.depths", each, _Depth)


_APPROVALS = Statement(
    "metrics.approvals",
    "select count(*) as waiting from approvals where status = 'waiting' and expires_at > now()",
    _approvals_metric,
)
