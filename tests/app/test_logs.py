"""What the server says of itself."""

import io
import logging
import sys
from collections.abc import Generator

import pytest
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatwright.app.logs import QUIET, configure_logs
from chatwright.net.http import NotSent, Web
from tests.serving import serving

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
    before = structlog.get_config()
    configure_logs()
    yield stream
    structlog.configure(**before)
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


@pytest.mark.parametrize("stderr", [False], indirect=True)
async def test_addresses_that_we_call_are_not_told(stderr: io.StringIO) -> None:
    """Telegram has us put a bot's token into them."""
    web = Web(["127.0.0.1"])
    with pytest.raises(NotSent):
        await web.call("GET", f"http://127.0.0.1:9/bot{SECRET}/getMe")

    async def answer(_: Request) -> Response:
        return Response()

    async with serving([Route("/{path:path}", answer)]) as url:
        await web.call("GET", f"{url}/bot{SECRET}/getMe")
    await web.close()
    assert SECRET not in stderr.getvalue()


def _crash(token: str) -> None:
    raise ValueError(str(len(token)))
