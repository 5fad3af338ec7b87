"""CSV as people have it: read from any spreadsheet, and written so that none takes a cell for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from chatwright.kernel.errors import InvalidInput

MAX_ROWS: Final = 100_000
_DELIMITERS: Final = (",", ";", "\t", "|")
_FORMULA: Final = ("=", "+", "-", "@")
"""A cell that begins with one of these may run as a formula when the file is opened; a quote before it does not."""
_NEGATIVE: Final = re.compile(r"-[0-9]+(\.[0-9]+)?")
"""Stays as it is, so that spreadsheets can count with it."""
_ENCODINGS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV file taken apart."""

    header: list[str]
    rows: list[list[str]]
    """The rows below the header, empty ones too, so that a row's number is its place in the file."""


def decoded(content: bytes) -> str:
    """The text of a file; raises InvalidInput when it is neither UTF-8 nor marked as UTF-16."""
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        message = "The file is not in UTF-8. Save it as 'CSV UTF-8' and try again."
        raise InvalidInput(message) from error


def read_sheet(text: str) -> Sheet:
    """Take a CSV text apart. Raises InvalidInput when it has no header, is too long, or is no CSV.

    The delimiter is the one that parts the header into the most columns: comma, semicolon, tab or bar.
    """
    plain = text.removeprefix("\ufeff").replace("\x00", "")
    delimiter = max(_DELIMITERS, key=lambda each: len(_first_row(plain, each)))
    try:
        rows = list(_reader(plain, delimiter))
    except csv.Error as error:
        message = "The file is no CSV: a quote is open too long, or a line is broken."
        raise InvalidInput(message) from error
    header = [cell.strip() for cell in rows[0]] if rows else []
    if not any(header):
        message = "The file has no header row with the names of its columns."
        raise InvalidInput(message)
    if len(rows) > MAX_ROWS + 1:
        message = f"The file has more than {MAX_ROWS} rows; split it."
        raise InvalidInput(message)
    return Sheet(header, [[_bare(cell) for cell in row] for row in rows[1:]])


def written(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as CSV in UTF-8, with a quote before what a spreadsheet would take for a formula."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_quoted(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _reader(text: str, delimiter: str) -> Iterable[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _first_row(text: str, delimiter: str) -> list[str]:
    try:
        return next(iter(_reader(text, delimiter)), list[str]())
    except csv.Error:
        return []


def _quoted(cell: str) -> str:
    risky = cell.lstrip("'").startswith(_FORMULA) and not _NEGATIVE.fullmatch(cell)
    return f"'{cell}" if risky else cell


def _bare(cell: str) -> str:
    """The cell without the quote that keeps it from being a formula."""
    stripped = cell.strip()
    guarded = stripped.startswith("'") and stripped.lstrip("'").startswith(_FORMULA)
    return stripped[1:] if guarded else stripped
