"""The servers that are measured, as processes of their own: started, pinned, weighed, ended."""

import asyncio
import contextlib
import functools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
READY_SECONDS = 60.0


class Process:
    """A running program."""

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str], log: IO[bytes], port: int
    ) -> None:
        self._popen = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        self.port = port

    @property
    def pid(self) -> int:
        return self._popen.pid

    def cpu_seconds(self) -> float:
        """Processor time it has used so far."""
        return cpu_seconds(self.pid)

    def memory(self) -> int:
        """Resident memory in bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE

    def pin(self, cores: set[int]) -> None:
        """Keep all of its threads to some cores."""
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._popen.send_signal(number)

    def ended(self) -> bool:
        return self._popen.poll() is not None

    def end(self) -> None:
        self._popen.send_signal(signal.SIGTERM)
        self._popen.wait(30)


@asynccontextmanager
async def running(
    *command: str | Path, environment: Mapping[str, str], port: int = 0, pinned: set[int] | None = None
) -> AsyncGenerator[Process]:
    """Run a program, and when it has a port wait until it listens there."""
    with tempfile.TemporaryFile() as log:
        process = Process(command, environment, log, port)
        try:
            if port:
                await _listening(process)
            if pinned:
                process.pin(pinned)
            yield process
        except AssertionError:
            log.seek(0)
            sys.stderr.write(log.read().decode()[-3000:])
            raise
        finally:
            process.end()


async def _listening(process: Process) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while True:
        assert not process.ended(), "the server ended before it listened"
        assert time.monotonic() < give_up, "the server does not listen"
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            # Bytes come only when the application answers; the socket listens earlier.
            if await reader.read(1):
                writer.close()
                return
        await asyncio.sleep(0.05)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far, itself and the children it has seen end."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / _TICK


def family_cpu_seconds(pid: int) -> float:
    """The same with the children that are alive: all of a PostgreSQL server."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_seconds(pid) + sum(_cpu_if_alive(int(child)) for child in children)


def _cpu_if_alive(pid: int) -> float:
    try:
        return cpu_seconds(pid)
    except OSError:
        return 0.0


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@functools.cache
def cores() -> tuple[set[int] | None, set[int] | None]:
    """Cores for the server that is measured and for the load; None where there is only one core, or no choice.

    They stay as they were when first asked: later this process is kept to one of them itself.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None, None
    usable = sorted(os.sched_getaffinity(0))
    return ({usable[0]}, {usable[1]}) if len(usable) > 1 else (None, None)
