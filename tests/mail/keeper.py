"""Runs programs in a folder for as long as its standard input stays open: not even a killed test leaves them behind.

    python keeper.py FOLDER USER '[["program", "argument", ...], ...]'

Their words go to FOLDER/log; FOLDER goes with them in the end. USER is empty for whoever starts it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

GOODBYE_SECONDS = 5


def keep(folder: Path, user: str | None, commands: list[list[str]]) -> None:
    """Start them, wait for the end of the input, end them."""
    # Whoever interrupts the tests at a terminal interrupts this process too; only the input's end counts.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with (folder / "log").open("ab") as words:
        running = [_started(command, user, words.fileno()) for command in commands]
        sys.stdin.buffer.read()
        for program in running:
            _end(program)
    shutil.rmtree(folder, ignore_errors=True)


def _started(command: list[str], user: str | None, log: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        user=user,
        group=None if user is None else "nogroup",
        extra_groups=None if user is None else [],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        # Its helpers are in a group with it, and end with it.
        process_group=0,
    )


def _end(program: subprocess.Popen[bytes]) -> None:
    program.terminate()
    try:
        program.wait(GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()


if __name__ == "__main__":
    keep(Path(sys.argv[1]), sys.argv[2] or None, json.loads(sys.argv[3]))
