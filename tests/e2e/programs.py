"""The product's own programs on a data folder of their own: started, killed, started again."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import asyncpg

from chatwright.infra.postgres import start_embedded

CHATWRIGHT = Path(sys.executable).with_name("chatwright")
SERVING = "Chatwright is running."
WORKING = "workers.started"


@dataclass(frozen=True)
class Home:
    """A data folder and what programs on it find in their environment."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def environment(self) -> dict[str, str]:
        ours = {"CHATWRIGHT_CONFIG": str(self.folder / "profiles.json"), **self.settings}
        inherited = {name: text for name, text in os.environ.items() if not name.startswith("CHATWRIGHT_")}
        inherited.pop("DATABASE_URL", None)
        return {**inherited, **ours}

    def token(self) -> str:
        """The owner's token in the profile that a server leaves."""
        profiles = json.loads((self.folder / "profiles.json").read_text())
        return profiles["profiles"]["local"]["token"]

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection to the database of the programs, to look at what no face shows."""
        embedded = await asyncio.to_thread(start_embedded, self.data)
        return await asyncpg.connect(embedded.dsn)


class Program:
    """One `chatwright` process at a time. Its words go to files: a full pipe would stop it."""

    def __init__(self, home: Home, name: str, *words: str, sign: str) -> None:
        self._home = home
        self._name = name
        self._words = words
        self._sign = sign
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._starts += 1
        with self._log().open("wb") as log:
            self._process = _started(self._home, self._words, log)

    async def ready(self) -> None:
        """Wait for the sign that the process started last has begun its work."""
        while self._sign not in self._log().read_text():
            assert self._process is not None
            assert self._process.poll() is None, f"{self._name} ended:\n{self._log().read_text()}"
            await asyncio.sleep(0.02)

    async def up(self) -> "Program":
        """Start it and wait until it is ready."""
        self.start()
        await self.ready()
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def ask_to_stop(self) -> None:
        """Ask it to end, and do not wait for it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it has ended by itself; gives its exit code."""
        assert self._process is not None
        return self._process.wait(30)

    def words(self) -> str:
        """All that the process started last has said."""
        return self._log().read_text()

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(20)
            self._process = None

    def _log(self) -> Path:
        return self._home.folder / f"{self._name}-{self._starts}.log"


def web(home: Home, port: int, *, name: str = "serve") -> Program:
    """`chatwright serve`."""
    words = ("serve", "--port", str(port), "--data", str(home.data))
    return Program(home, name, *words, sign=SERVING)


def worker(home: Home, number: int) -> Program:
    """`chatwright work`."""
    return Program(home, f"work{number}", "work", "--data", str(home.data), sign=WORKING)


def free_port() -> int:
    """A port that nothing listens on just now; a server that is killed comes back on the same one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _started(home: Home, words: tuple[str, ...], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [CHATWRIGHT, *words],
        env=home.environment(),
        cwd=home.folder,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
