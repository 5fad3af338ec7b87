"""Files for imports at the terminal."""

from pathlib import Path

from tests.conftest import Desk
from tests.features.contacts.test_imports import everybody, work
from tests.surfaces.cli.conftest import Shell


async def test_a_file_is_uploaded_and_then_imported(shell: Shell, desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name\nAnna\nBình\n")
    uploaded = (await shell("imports", "upload", str(file), "--json")).json
    assert uploaded["size"] == file.stat().st_size
    started = await shell("imports", "start", "--storage-key", uploaded["storage_key"])
    assert started.code == 0
    await work(desk)
    assert [contact["name"] for contact in await everybody(desk)] == ["Bình", "Anna"]


async def test_a_file_that_is_not_there_is_named(shell: Shell) -> None:
    done = await shell("imports", "upload", "nothing.csv")
    assert done.code == 2
    assert "nothing.csv" in done.err


async def test_a_refusal_is_shown(shell: Shell, address: str, tmp_path: Path) -> None:
    made = await shell("token", "create", "--name", "x", "--scopes", "contacts:read", "--json")
    file = tmp_path / "people.csv"
    file.write_text("name\nAnna\n")
    shell.know(address, made.json["token"])
    done = await shell("imports", "upload", str(file))
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("INSUFFICIENT_SCOPE: ")
