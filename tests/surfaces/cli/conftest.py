"""The command line as a person uses it, against the whole product behind a real port."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
from typer.testing import CliRunner

from chatwright.app.commands import build
from chatwright.app.listening import address_of, listen, serve_http
from chatwright.app.server import build_app
from chatwright.app.wiring import Product
from chatwright.features.workspaces.operations import create_token
from tests.conftest import Desk


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """A user's shell, with a configuration of its own."""

    config: Path

    def know(self, url: str, token: str | None, name: str = "local") -> None:
        """Write the profile file by hand."""
        entry = {"url": url, "token": token}
        self.config.write_text(json.dumps({"profiles": {name: entry}, "default": name}))

    async def __call__(self, *words: str, given: str | None = None, **environment: str) -> Done:
        """Run `chatwright WORDS` in a thread, so that the server in this loop can answer."""
        return await asyncio.to_thread(run, words, given, {**self._environment(), **environment})

    def _environment(self) -> Mapping[str, str]:
        return {"CHATWRIGHT_CONFIG": str(self.config), "COLUMNS": "100"}


def run(words: tuple[str, ...], given: str | None, environment: Mapping[str, str]) -> Done:
    result = CliRunner().invoke(
        build(words), words, input=given, env=environment, catch_exceptions=False, prog_name="chatwright"
    )
    return Done(result.exit_code, result.stdout, result.stderr)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def address(product: Product) -> AsyncGenerator[str]:
    """URL of this worker's product."""
    ready = asyncio.Event()
    with listen("127.0.0.1", 0) as listener:
        serving = asyncio.create_task(serve_http(build_app(product), listener, on_ready=ready.set))
        await ready.wait()
        yield address_of(listener)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def token_of(desk: Desk, **wanted: Any) -> str:
    made = await desk.call(create_token, name="Tests", **wanted)
    return made["token"]


@pytest_asyncio.fixture(loop_scope="session")
async def shell(desk: Desk, address: str, tmp_path: Path) -> Shell:
    """A shell whose default profile is the owner of the test's workspace."""
    shell = Shell(tmp_path / "profiles.json")
    shell.know(address, await token_of(desk))
    return shell


@pytest_asyncio.fixture(loop_scope="session")
async def bare_shell(tmp_path: Path) -> Shell:
    """A shell that knows no server."""
    return Shell(tmp_path / "profiles.json")
