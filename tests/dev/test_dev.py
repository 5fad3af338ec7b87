from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Stands in for pytest, which takes seconds to start: it writes the report and ends as the suite's file says,
# with the counts of tests and of skipped tests, and the exit code.
FAKE_PYTEST = """#!/bin/sh
suite=unit
for argument in "$@"; do
    case "$argument" in
        --junitxml=*) report="${argument#--junitxml=}" ;;
        tests/e2e*) suite=e2e ;;
        tests/channels*) suite=channels ;;
    esac
done
read tests skipped code < "$(dirname "$0")/$suite"
echo "<testsuites><testsuite tests='$tests' skipped='$skipped'/></testsuites>" > "$report"
echo "== $tests of $suite =="
exit "$code"
"""
PASSED = "2 1 0"
FAILED = "2 0 1"
SKIPPED = "2 2 0"
NONE = "0 0 5"


def nothing(*_: object, **__: object) -> str:
    return ""


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the script as a module that works in a tree of its own and installs nothing."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    spec = importlib.util.spec_from_loader("dev_script", SourceFileLoader("dev_script", str(ROOT / "dev")))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, path in {"ROOT": "", "TOOLS": ".dev", "STAMPS": ".dev/stamps", "BIN": "bin"}.items():
        monkeypatch.setattr(module, name, tmp_path / path)
    for name in ("python", "widget", "web", "chromium", "mail_servers"):
        monkeypatch.setattr(module, name, nothing)
    monkeypatch.setattr(module, "environment", dict[str, str])
    (tmp_path / "tests/e2e").mkdir(parents=True)
    (tmp_path / "tests/channels").mkdir()
    (tmp_path / "tests/test_a.py").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text(FAKE_PYTEST)
    (tmp_path / "bin/python").chmod(0o755)
    return module


def outcome(dev: ModuleType, **suites: str) -> None:
    for suite, words in suites.items():
        (dev.BIN / suite).write_text(f"{words}\n")


def test_help_names_every_command() -> None:
    done = subprocess.run([ROOT / "dev", "--help"], capture_output=True, text=True, check=True)
    for command in ("setup", "up", "test", "check", "fix", "accept", "bench", "lock", "clean"):
        assert f"\n  {command} " in done.stdout


def test_an_unknown_command_is_refused() -> None:
    done = subprocess.run([ROOT / "dev", "fly"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "invalid choice: 'fly'" in done.stderr


class TestTest:
    def test_passes_when_all_suites_pass(
        self, dev: ModuleType, capfd: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        outcome(dev, unit=PASSED, channels=PASSED, e2e=PASSED)
        assert dev.test("all", []) == 0
        closing = [f"{suite}: == 2 of {suite} ==" for suite in ("unit", "channels", "e2e")]
        assert capfd.readouterr().out.splitlines()[-3:] == closing
        assert (tmp_path / ".dev/closing").read_text().splitlines() == closing

    @pytest.mark.parametrize("failing", ["unit", "channels", "e2e"])
    def test_fails_when_one_suite_fails(self, dev: ModuleType, failing: str) -> None:
        outcome(dev, **{"unit": PASSED, "channels": PASSED, "e2e": PASSED, failing: FAILED})
        assert dev.test("all", []) == 1

    @pytest.mark.parametrize("nothing_ran", [SKIPPED, NONE])
    def test_fails_when_no_test_ran(
        self, dev: ModuleType, capfd: pytest.CaptureFixture[str], nothing_ran: str
    ) -> None:
        outcome(dev, unit=PASSED, channels=PASSED, e2e=nothing_ran)
        assert dev.test("all", []) == 1
        assert "e2e: no test ran, which counts as failed" in capfd.readouterr().out

    def test_fails_when_a_run_leaves_no_report(self, dev: ModuleType) -> None:
        (dev.BIN / "python").write_text("#!/bin/sh\nexit 0\n")
        assert dev.test("unit", []) == 1

    def test_a_filter_may_empty_some_suites_but_not_all(self, dev: ModuleType) -> None:
        outcome(dev, unit=PASSED, channels=NONE, e2e=NONE)
        assert dev.test("all", ["-k", "a"]) == 0
        outcome(dev, unit=NONE, channels=NONE, e2e=NONE)
        assert dev.test("all", ["-k", "a"]) == 1

    def test_a_path_chooses_its_suite(self, dev: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
        outcome(dev, unit=PASSED, channels=PASSED, e2e=FAILED)
        assert dev.test("all", ["tests/test_a.py::test_it"]) == 0
        assert "e2e:" not in capfd.readouterr().out
        assert dev.test("all", ["tests/channels"]) == 0
        assert "unit:" not in capfd.readouterr().out
        assert dev.test("all", ["tests/e2e"]) == 1
        with pytest.raises(dev.DevError, match="belongs to the e2e tests"):
            dev.test("e2e", ["tests/test_a.py"])


class TestStamps:
    def test_a_stamp_holds_for_what_it_was_made_from(self, dev: ModuleType, tmp_path: Path) -> None:
        lock = tmp_path / "a.lock"
        lock.write_text("one")
        dev.stamp("a", dev.digest_of([lock]))
        assert dev.stamped("a", dev.digest_of([lock]))
        lock.write_text("two")
        assert not dev.stamped("a", dev.digest_of([lock]))

    def test_sources_leave_out_what_was_installed(self, dev: ModuleType, tmp_path: Path) -> None:
        (tmp_path / "web/node_modules").mkdir(parents=True)
        (tmp_path / "web/node_modules/a.js").touch()
        (tmp_path / "web/b.js").touch()
        assert dev.sources(tmp_path / "web") == [tmp_path / "web/b.js"]


class TestNode:
    def test_an_old_or_absent_node_is_passed_over(self, dev: ModuleType, tmp_path: Path) -> None:
        node = tmp_path / "node"
        node.write_text("#!/bin/sh\necho v20.20.2\n")
        node.chmod(0o755)
        assert dev.node_version(node) == (20, 20, 2)
        assert dev.node_version(node) < dev.NODE_NEEDED
        assert dev.node_version(tmp_path / "absent") < dev.NODE_NEEDED
