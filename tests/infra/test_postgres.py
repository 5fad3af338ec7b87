"""The embedded server lives as long as somebody uses it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

JOIN = """
import sys
from pathlib import Path
from chatwright.infra.postgres import start_embedded
start_embedded(Path(sys.argv[1]))
"""
STAY = f"{JOIN}print('joined', flush=True); sys.stdin.read()"


def running(data: Path) -> bool:
    """Whether the server's process is there."""
    file = data / "postgres/postmaster.pid"
    return file.exists() and Path(f"/proc/{file.read_text().split()[0]}").exists()


def test_the_last_to_leave_stops_it_even_after_others_were_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STAY, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == b"joined\n"
        os.kill(one.pid, signal.SIGKILL)
    assert running(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", STAY, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as two:
        assert two.stdout is not None
        assert two.stdout.readline() == b"joined\n"
        subprocess.run([sys.executable, "-c", JOIN, tmp_path], check=True)
        assert running(tmp_path)
        two.communicate()
    assert not running(tmp_path)
