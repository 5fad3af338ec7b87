"""The results as a table for people."""

from collections.abc import Sequence

from benchmarks.rounds import Against, Comparison, Spread

HEAD = ("measure", "product", "CPU", "p50 / p99", "floor", "", "ratio", "CPU ratio", "p99 ratio")
Line = tuple[str, ...]


def table(results: Sequence[Comparison]) -> str:
    """One line for each floor; a ratio is the median of all rounds, with the least and the greatest."""
    lines: list[Line] = [HEAD]
    for result in results:
        first, *others = [_columns(result, floor) for floor in result.against] or [
            ("", result.note, "", "", "")
        ]
        ours = f"{_number(result.value.median)} {result.unit}"
        cpu = f"{_number(result.cpu_microseconds)} µs" if result.cpu_microseconds else ""
        lines.append((result.name, ours, cpu, _latency(result), *first))
        lines += [("", "", "", "", *columns) for columns in others]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _columns(result: Comparison, floor: Against) -> Line:
    value = f"{_number(floor.value.median)} {result.unit}"
    ratio = f"{_ratio(floor.ratio.median)} ({_range(floor.ratio)})"
    cpu = f"{_ratio(floor.cpu.median)} ({_range(floor.cpu)})" if floor.cpu else ""
    late = f"{_ratio(floor.p99.median)} ({_range(floor.p99)})" if floor.p99 else ""
    return value, floor.floor, ratio, cpu, late


def _latency(result: Comparison) -> str:
    if result.p50_milliseconds is None or result.p99_milliseconds is None:
        return ""
    return f"{result.p50_milliseconds:.1f} / {result.p99_milliseconds:.1f} ms"


def _range(spread: Spread) -> str:
    return f"{_ratio(spread.low)}-{_ratio(spread.high)}"


def _ratio(number: float) -> str:
    return f"{number:.2f}x" if number < 10 else f"{number:.0f}x"


def _number(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.2f}"
