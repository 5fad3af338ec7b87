"""Numbers about what this face answers, in the text format of Prometheus."""

from collections.abc import Awaitable, Callable

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """Counts requests. Each app has a registry of its own, so that two in one process do not mix.

    `beside` gives the other numbers of the process, in the same format.
    """

    def __init__(self, beside: Callable[[], Awaitable[bytes]]) -> None:
        self._beside = beside
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "chatwright_http_requests",
            "Requests answered, by method, route and status.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "chatwright_http_request_seconds",
            "Time from a request to the beginning of its answer.",
            ["route"],
            registry=self._registry,
        )
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        """What was counted before: finding a time series by its labels takes longer than counting."""
        self._streams = Gauge(
            "chatwright_http_streams",
            "Streams that are open just now: of events, and of MCP.",
            ["route"],
            registry=self._registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        counted = self._counted.get((method, route, status))
        if counted is None:
            counted = self._requests.labels(method, route, str(status)), self._seconds.labels(route)
            self._counted[method, route, status] = counted
        requests, time = counted
        requests.inc()
        time.observe(seconds)

    def streaming(self, route: str, change: int) -> None:
        """Count a stream that was opened (1) or has ended (-1)."""
        self._streams.labels(route).inc(change)

    async def text(self) -> bytes:
        """All numbers as they are now."""
        return generate_latest(self._registry) + await self._beside()
