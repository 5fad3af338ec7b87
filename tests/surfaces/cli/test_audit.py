"""The audit trail at the terminal."""

import json

from tests.conftest import Desk
from tests.surfaces.cli.conftest import Shell


async def test_a_whole_chain_is_intact(shell: Shell) -> None:
    done = await shell("audit", "verify", "--json")
    assert done.code == 0
    assert done.json["intact"] is True


async def test_a_broken_chain_ends_with_1_and_names_the_record(desk: Desk, shell: Shell) -> None:
    for name in ("a", "b", "c"):
        await shell("workspace", "update", "--name", name)
    records = (await shell("audit", "list", "--json")).json["items"]
    seq = records[1]["seq"]
    tampering = "update audit_records set body = replace(body, 'Tests', 'Nobody') where workspace_id = $1 and seq = $2"
    async with desk.product.database.transaction() as unit:
        await unit.connection.execute(tampering, desk.caller.workspace_id, seq)
    done = await shell("audit", "verify")
    assert done.code == 1
    assert done.err.startswith(f"AUDIT_CHAIN_BROKEN: At record {seq}: ")


async def test_an_export_is_a_record_a_line(shell: Shell) -> None:
    for name in ("a", "b"):
        await shell("workspace", "update", "--name", name)
    done = await shell("audit", "export")
    assert done.code == 0
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["operation"] for line in lines][-2:] == ["workspace.update"] * 2


async def test_an_export_that_is_refused_says_so(shell: Shell) -> None:
    made = await shell("token", "create", "--name", "x", "--scopes", "contacts:read", "--json")
    url = json.loads(shell.config.read_text())["profiles"]["local"]["url"]
    shell.know(url, made.json["token"])
    done = await shell("audit", "export")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("INSUFFICIENT_SCOPE: ")
