"""One line on stderr that says what is going on."""

import sys


def say(text: str) -> None:
    """Replace the line on a terminal; elsewhere say nothing, so that logs stay short."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def done() -> None:
    """Take the line away."""
    say("")
