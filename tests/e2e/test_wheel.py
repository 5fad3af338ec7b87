"""The wheel with its own dependencies only: what a machine has that never saw this repository."""

import os
import subprocess
import sys
from pathlib import Path

import httpx2

from tests.e2e.programs import SERVING, free_port

ROOT = Path(__file__).resolve().parents[2]


def test_it_serves_the_pages(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "CHATWRIGHT_CONFIG": str(tmp_path / "profiles.json"),
        "UV_PROJECT_ENVIRONMENT": str(tmp_path / "venv"),
    }
    environment.pop("DATABASE_URL", None)
    # Without the development group: a package that only a tool of ours brings along is missed here.
    choice = ["--no-default-groups", "--no-editable", "--reinstall-package", "chatwright"]
    subprocess.run(
        [ROOT / ".dev/uv/bin/uv", "sync", "--frozen", "--quiet", "--python", sys.executable, *choice],
        cwd=ROOT,
        env=environment,
        check=True,
    )
    port = free_port()
    words = ["up", "--port", str(port), "--data", str(tmp_path / "data")]
    with subprocess.Popen(
        [tmp_path / "venv/bin/chatwright", *words],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout
            assert any(SERVING in line for line in running.stdout)
            for path in ("/demo", "/widget.js"):
                assert httpx2.get(f"http://127.0.0.1:{port}{path}").status_code == 200
        finally:
            running.terminate()
