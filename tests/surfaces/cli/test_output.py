"""Results for people."""

from io import StringIO
from typing import cast

from rich.console import Console

from chatwright.kernel.ids import new_id
from chatwright.surfaces.cli.output import cell, fitting_columns, record_table
from tests.surfaces.cli.conftest import Shell


async def test_ids_are_whole_on_a_narrow_terminal(shell: Shell) -> None:
    made = await shell(
        "inboxes", "create", "--channel", "webchat", "--name", "A rather long name " * 8, "--json"
    )
    done = await shell("inboxes", "list", COLUMNS="60")
    assert made.json["id"] in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 60
    assert "Not shown: " in done.out


async def test_a_record_has_a_line_per_field(shell: Shell) -> None:
    done = await shell("token", "create", "--name", "n8n", "--scopes", "contacts:read")
    fields = dict(line.split(maxsplit=1) for line in done.out.splitlines() if len(line.split()) > 1)
    assert fields["token"].startswith("cw_")
    assert fields["access_token.name"].strip() == "n8n"
    assert fields["access_token.read_only"].strip() == "no"


async def test_an_empty_list_and_a_further_page(shell: Shell) -> None:
    assert (await shell("inboxes", "list")).out == "Nothing.\n"
    await shell("token", "create", "--name", "second")
    assert "There is more: --all, or --cursor " in (await shell("token", "list", "--limit", "1")).out


async def test_text_of_strangers_cannot_steer_the_terminal(shell: Shell) -> None:
    evil = "\x1b]0;owned\x07[bold]x[/bold]\u202e"
    await shell("token", "create", "--name", evil)
    done = await shell("token", "list", COLUMNS="300")
    assert "[bold]x[/bold]" in done.out
    assert not {"\x1b", "\x07", "\u202e"} & set(done.out)


def test_on_a_narrow_terminal_ids_of_other_things_go_first() -> None:
    row = {
        "id": str(new_id()),
        "inbox_id": str(new_id()),
        "state": "open",
        "last_text": "hi " * 40,
        "error": "",
    }
    assert fitting_columns([row], 100) == (["id", "state", "last_text"], ["inbox_id"])
    assert fitting_columns([row], 50) == (["id", "state"], ["inbox_id", "last_text"])
    assert fitting_columns([row], 10) == (["id"], ["inbox_id", "state", "last_text"])
    assert fitting_columns([row], 200) == (["id", "inbox_id", "state", "last_text"], [])


def test_cells() -> None:
    id_ = str(new_id())
    assert cell("2026-11-22T18:20:47.123456+00:00") == "2026-11-22 18:20:47Z"
    assert cell("2026-11-22T18:20:47+07:00") == "2026-11-22 18:20:47+07:00"
    assert cell("see 2026-11-22T18:20:47Z") == "see 2026-11-22T18:20:47Z"
    assert cell(["a", 1, id_]) == f"a, 1, {id_}"
    assert cell([{"a": None}]) == '[{"a": null}]'
    assert cell({"id": id_, "name": "Ann"}) == "Ann"
    assert cell({"type": "text", "text": "hi\x1b[2J"}) == "hi\N{REPLACEMENT CHARACTER}[2J"
    assert cell({"name": "<text 6>", "scopes": 1}) == '{"name": "<text 6>", "scopes": 1}'
    assert cell({"a": 1}) == '{"a": 1}'
    assert [cell(value) for value in (None, True, False, 0)] == ["", "yes", "no", "0"]


def test_listed_records_are_told_apart_by_number() -> None:
    record = {
        "inbox": {"id": "7"},
        "findings": [{"name": "token", "ok": True}, {"name": "webhook", "ok": False}],
    }
    console = Console(width=80, file=StringIO())
    console.print(record_table(record))
    shown = cast("StringIO", console.file).getvalue().splitlines()
    assert [line.split() for line in shown] == [
        ["inbox.id", "7"],
        ["findings.1.name", "token"],
        ["findings.1.ok", "yes"],
        ["findings.2.name", "webhook"],
        ["findings.2.ok", "no"],
    ]
