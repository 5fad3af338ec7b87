"""Fair comparison: the product and its floors take turns, round after round, so that a noisy minute hits all alike."""

import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.progress import say


@dataclass(frozen=True)
class Sample:
    """What one turn gave."""

    value: float
    cpu: float | None = None
    """Processor seconds of the server for one call."""
    database_cpu: float | None = None
    """Processor seconds of PostgreSQL for one call."""
    latencies: Sequence[float] = ()
    """Seconds until each answer."""


@dataclass(frozen=True)
class Side:
    """One of those that are compared; the first of a comparison is the product."""

    name: str
    turn: Callable[[], Awaitable[Sample]]


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, and the least and greatest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Spread":
        return cls(statistics.median(numbers), min(numbers), max(numbers))


@dataclass(frozen=True)
class Against:
    """The product beside one floor."""

    floor: str
    value: Spread
    ratio: Spread
    """The product's value over the floor's, of each round."""
    cpu: Spread | None
    """The same of the server's processor time for one call."""
    p99: Spread | None = None
    """The same of the 99th percentile of the time to an answer."""


@dataclass(frozen=True)
class Comparison:
    """One measured thing."""

    name: str
    unit: str
    more_is_better: bool
    value: Spread
    against: list[Against] = field(default_factory=list[Against])
    cpu_microseconds: float | None = None
    """The server's processor time for one call."""
    database_cpu_microseconds: float | None = None
    p50_milliseconds: float | None = None
    """Until an answer, in the middle of all."""
    p99_milliseconds: float | None = None
    note: str = ""


async def compare(
    name: str, unit: str, sides: Sequence[Side], *, rounds: int, more_is_better: bool = True
) -> Comparison:
    """Let the sides take turns; the first round warms everything up and does not count."""
    samples: list[list[Sample]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for side, kept in zip(sides, samples, strict=True):
            say(f"{name}: {side.name}, {f'round {number} of {rounds}' if number else 'warming up'}")
            sample = await side.turn()
            if number:
                kept.append(sample)
    product, *floors = samples
    return Comparison(
        name=name,
        unit=unit,
        more_is_better=more_is_better,
        value=Spread.of([sample.value for sample in product]),
        against=[_against(side.name, product, floor) for side, floor in zip(sides[1:], floors, strict=True)],
        cpu_microseconds=_median_microseconds([sample.cpu for sample in product]),
        database_cpu_microseconds=_median_microseconds([sample.database_cpu for sample in product]),
        p50_milliseconds=_milliseconds(product, 50),
        p99_milliseconds=_milliseconds(product, 99),
    )


def _against(name: str, product: Sequence[Sample], floor: Sequence[Sample]) -> Against:
    pairs = list(zip(product, floor, strict=True))
    cpu = [ours.cpu / theirs.cpu for ours, theirs in pairs if ours.cpu and theirs.cpu]
    slow = [(_percentile(ours, 99), _percentile(theirs, 99)) for ours, theirs in pairs]
    late = [ours / theirs for ours, theirs in slow if ours and theirs]
    return Against(
        floor=name,
        value=Spread.of([sample.value for sample in floor]),
        ratio=Spread.of([ours.value / theirs.value for ours, theirs in pairs]),
        cpu=Spread.of(cpu) if cpu else None,
        p99=Spread.of(late) if late else None,
    )


def _milliseconds(samples: Sequence[Sample], percent: int) -> float | None:
    known = [number for sample in samples if (number := _percentile(sample, percent)) is not None]
    return statistics.median(known) * 1e3 if known else None


def _percentile(sample: Sample, percent: int) -> float | None:
    if len(sample.latencies) < 2:
        return None
    return statistics.quantiles(sample.latencies, n=100)[percent - 1]


def _median_microseconds(seconds: Sequence[float | None]) -> float | None:
    known = [number for number in seconds if number is not None]
    return statistics.median(known) * 1e6 if known else None
