"""The benchmarks still measure what the product does: those that reach into its tables or its limits run."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = [
    f"{version}, {clients}"
    for version in ("2026-07-28", "2025-11-25")
    for clients in ("1 client", "32 clients")
]
MEASURES = {
    "tool-read": [f"tools/call read ({setting})" for setting in SETTINGS],
    "tool-list": [f"tools/list ({setting})" for setting in SETTINGS],
    "accepted": ["inbound events accepted"],
    "worked": ["inbound events worked"],
    "signed": ["signed webhooks accepted, worker saturated", "the same: 99th percentile of the answer"],
    "sends": ["messages sent (sandbox's WhatsApp)"],
}


def test_measures_run(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    command = [sys.executable, "-m", "benchmarks", *MEASURES, "--quick", "--json", str(found)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads(found.read_text())["results"]
    assert [result["name"] for result in results] == [name for names in MEASURES.values() for name in names]
    assert all(result["value"]["median"] > 0 and result["against"] for result in results)
