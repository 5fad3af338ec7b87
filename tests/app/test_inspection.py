"""`chatwright mcp inspect`."""

import subprocess
import sys
from typing import Any

import pytest

from chatwright.catalogue import TOOLSETS
from chatwright.surfaces.mcp.costs import MOST_BY_DEFAULT, MOST_PER_TOOL
from tests.surfaces.cli.conftest import Done, run


def inspected(*arguments: str) -> Done:
    return run(("mcp", "inspect", *arguments), None, {"COLUMNS": "100"})


def inspected_json(*arguments: str) -> dict[str, Any]:
    done = inspected(*arguments, "--json")
    assert done.code == 0, done.err
    return done.json


def test_it_counts_what_a_client_is_shown() -> None:
    found = inspected_json()
    tools = {tool["name"]: tool for tool in found["tools"]}
    assert {"send_message", "search_tools", "run_write_tool"} <= tools.keys()
    assert found["tokens"] == sum(tool["tokens"] for tool in tools.values()) < MOST_BY_DEFAULT
    assert found["bytes"] == sum(tool["bytes"] for tool in tools.values())
    assert max(tool["tokens"] for tool in tools.values()) <= MOST_PER_TOOL
    assert found["toolsets"].keys() == TOOLSETS.keys()
    assert found["toolsets"]["default"]["tokens"] == found["tokens"]


def test_it_counts_what_was_chosen() -> None:
    found = inspected_json("--toolsets", "tags,segments", "--read-only", "--exclude", "count_segment")
    names = {tool["name"] for tool in found["tools"]}
    assert {"list_tags", "list_segments"} <= names
    assert not {"create_tag", "count_segment", "search_tools", "list_inboxes"} & names


def test_a_role_sees_only_what_it_may_use() -> None:
    found = inspected_json("--role", "analyst", "--toolsets", "all")
    names = {tool["name"] for tool in found["tools"]}
    assert "find_contacts" in names
    assert not {"send_message", "create_access_token"} & names
    assert found["toolsets"]["token"]["tools"] == 0


def test_people_get_tables() -> None:
    """Run as a program of its own: `mcp` is also the command that must start at once, with nothing of this imported."""
    command = [sys.executable, "-m", "chatwright.app.main", "mcp", "inspect"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"COLUMNS": "100"})
    lines = done.stdout.splitlines()
    (row,) = [line.split() for line in lines if line.startswith("send_message ")]
    assert row[1:4] == ["writes,", "reaches", "outside"]
    assert int(row[-1]) <= MOST_PER_TOOL
    assert any(line.startswith("marketer ") for line in lines)
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("argument", "code"), [("--toolsets", "UNKNOWN_TOOLSET"), ("--exclude", "UNKNOWN_TOOL")]
)
def test_a_name_there_is_not_is_refused(argument: str, code: str) -> None:
    done = inspected(argument, "nothing")
    assert done.code in {2, 4}
    assert done.err.startswith(f"{code}: ")
