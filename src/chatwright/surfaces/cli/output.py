"""Results for people: tables and records that fit the terminal and never cut an id."""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chatwright.surfaces.cli.plain import plain

Record = Mapping[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
PIPED_WIDTH = 160
WIDEST_TEXT = 24
"""What a column of text may ask for before it wraps."""
GAP = 2


def print_json(value: object) -> None:
    """Print a result as it came, for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_result(value: Record) -> None:
    """Print a page as a table, anything else as a record."""
    console = Console(width=None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", PIPED_WIDTH)))
    items = value.get("items")
    if isinstance(items, list) and "next_cursor" in value:
        print_page(console, cast("list[Record]", items), value["next_cursor"])
    else:
        console.print(record_table(value))


def print_page(console: Console, items: Sequence[Record], next_cursor: object) -> None:
    """Print items as a table; what did not fit, and whether there is more, is said below it."""
    if not items:
        console.print("Nothing.")
        return
    rows = [{name: cell(value) for name, value in item.items()} for item in items]
    columns, left_out = fitting_columns(rows, console.width)
    console.print(_page_table(rows, columns))
    if left_out:
        console.print(Text(f"Not shown: {', '.join(left_out)}. See them with --json."))
    if next_cursor is not None:
        console.print(Text(f"There is more: --all, or --cursor {next_cursor}"))


def fitting_columns(rows: Sequence[Mapping[str, str]], width: int) -> tuple[list[str], list[str]]:
    """The columns to show, in their order, and those there is no room for. Empty ones go silently.

    First come, first served, but ids of other things come last: they are long, and say little to people.
    """
    widths = _needed_widths(rows)
    shown: set[str] = set()
    for name in sorted(widths, key=lambda name: name.endswith("_id")):
        if not shown or widths[name] + GAP <= width:
            width -= widths[name] + GAP
            shown.add(name)
    return [name for name in widths if name in shown], [name for name in widths if name not in shown]


def record_table(value: Record) -> Table:
    """One line per field; those of nested records carry dotted names, those of listed ones a number too."""
    table = Table.grid(padding=(0, GAP))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, inner in _flat(value):
        table.add_row(Text(name), Text(cell(inner)))
    return table


def cell(value: object) -> str:
    """A value as text of one cell."""
    match value:
        case None | bool():
            return {None: "", True: "yes", False: "no"}[value]
        case str():
            moment = _MOMENT.fullmatch(value)
            return _moment(moment) if moment else plain(value)
        case list() if all(isinstance(item, str | int | float) for item in cast("list[Any]", value)):
            return ", ".join(cell(item) for item in cast("list[Any]", value))
        case {"id": str(), "name": str(words)} | {"type": "text", "text": str(words)}:
            return plain(words)
        case _:
            return plain(json.dumps(value, ensure_ascii=False))


def _page_table(rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for name in columns:
        whole = any(_UUID.search(row.get(name, "")) for row in rows)
        table.add_column(Text(name), no_wrap=whole, overflow="fold", header_style="bold")
    for row in rows:
        table.add_row(*(Text(row.get(name, "")) for name in columns))
    return table


def _needed_widths(rows: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """How much room each column asks for, without those that are empty."""
    widths: dict[str, int] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        cells = [row.get(name, "") for row in rows]
        longest = max(cell_len(text) for text in cells)
        whole = any(_UUID.search(text) for text in cells)
        if longest:
            widths[name] = max(len(name), longest if whole else min(longest, WIDEST_TEXT))
    return widths


def _flat(value: Record, prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, inner in value.items():
        nested = _nested(inner)
        for key, record in nested.items():
            yield from _flat(record, f"{prefix}{name}{key}.")
        if not nested:
            yield prefix + name, inner


def _nested(value: object) -> Mapping[str, Record]:
    """The records within a value, by what their names are followed by."""
    match value:
        case dict() if value:
            return {"": cast("Record", value)}
        case list() if value and all(isinstance(item, dict) for item in cast("list[object]", value)):
            listed = cast("list[Record]", value)
            return {f".{number}": record for number, record in enumerate(listed, start=1)}
        case _:
            return {}


def _moment(found: re.Match[str]) -> str:
    """Timestamps lose their fraction of a second; UTC is written as Z."""
    day, time, zone = found.groups()
    return f"{day} {time}{'Z' if zone == '+00:00' else zone}"
