"""Errors at the terminal: `CODE: message` on stderr, and an exit code per class of error."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

import typer

from chatwright.client.errors import CallFailed
from chatwright.kernel.errors import ChatwrightError, Problem
from chatwright.surfaces.cli.plain import plain

EXIT_CODES: Final[dict[int, int]] = {
    400: 2,
    401: 3,
    403: 3,
    404: 4,
    405: 4,
    409: 5,
    413: 2,
    415: 2,
    422: 2,
    429: 6,
    502: 7,
    503: 7,
    504: 7,
}
"""By HTTP status: 2 wrong input, 3 not allowed, 4 not found, 5 conflict, 6 too fast, 7 unavailable; else 1."""


@contextmanager
def failures_shown() -> Generator[None]:
    """End the command with the error's exit code when one is raised inside."""
    try:
        yield
    except CallFailed as error:
        raise fail(error.status, error.problem) from error
    except ChatwrightError as error:
        raise fail(error.http_status, error.problem()) from error


def fail(status: int, problem: Problem) -> typer.Exit:
    """Show the problem; returns what to raise to end the command."""
    sys.stderr.write(plain("\n".join(_lines(problem))) + "\n")
    return typer.Exit(EXIT_CODES.get(status, 1))


def _lines(problem: Problem) -> Iterator[str]:
    yield f"{problem.code}: {problem.message}"
    for field in problem.fields:
        if field.message.rstrip(".") in problem.message:
            continue
        yield f"  {field.path or 'request'}: {field.message}"
    for name, fact in (problem.details or {}).items():
        yield f"  {name}: {fact}"
    if problem.hint:
        yield f"  hint: {problem.hint}"
    if problem.retry_after_ms is not None:
        yield f"  try again in {problem.retry_after_ms / 1000:g} s"
    if problem.request_id is not None:
        yield f"  request id: {problem.request_id}"
