"""What the server says of itself."""

import io
import logging
import sys
from collections.abc import Generator

import pytest
import structlog

from chatwright.app.logs import QUIET, configure_logs

SECRET = "cw_planted"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Generator[io.StringIO]:
    """Standard error; its parameter says whether a person sits in front of it."""
    stream = _Terminal() if request.param else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    configure_logs()
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.mark.parametrize("stderr", [True, False], indirect=True, ids=["terminal", "file"])
def test_a_crash_is_told_without_the_values_of_variables(stderr: io.StringIO) -> None:
    """They hold tokens, passwords and what customers wrote."""
    try:
        _crash(*[SECRET])
    except ValueError:
        structlog.get_logger("ours").exception("operation.crashed")
        logging.getLogger("theirs").exception("crashed")
    said = stderr.getvalue()
    assert said.count("ValueError") >= 2
    assert SECRET not in said


def _crash(token: str) -> None:
    raise ValueError(str(len(token)))
