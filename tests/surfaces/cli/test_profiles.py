"""Which servers a user talks to."""

import json
import stat

from tests.conftest import Desk
from tests.surfaces.cli.conftest import Shell, token_of


async def test_a_profile_from_adding_to_removing(desk: Desk, address: str, bare_shell: Shell) -> None:
    token = await token_of(desk)
    added = await bare_shell("profile", "add", "shop", "--url", f"{address}/", "--token", token)
    assert added.code == 0
    assert stat.S_IMODE(bare_shell.config.stat().st_mode) == 0o600
    assert token not in added.out
    assert (await bare_shell("workspace", "get", "--json")).json["name"] == "Test"

    await bare_shell("profile", "add", "other", "--url", "http://127.0.0.1:9", "--token", "cw_other")
    assert (await bare_shell("workspace", "get")).code == 0
    assert (await bare_shell("--profile", "other", "workspace", "get")).code == 7
    assert (await bare_shell("profile", "use", "other")).code == 0
    assert (await bare_shell("workspace", "get")).code == 7
    assert (await bare_shell("workspace", "get", CHATWRIGHT_PROFILE="shop")).code == 0

    listed = await bare_shell("profile", "list", "--json")
    assert [(item["name"], item["default"]) for item in listed.json["items"]] == [
        ("shop", False),
        ("other", True),
    ]
    assert token not in listed.out

    assert (await bare_shell("profile", "remove", "other")).code == 0
    assert (await bare_shell("workspace", "get")).code == 0


async def test_a_token_can_be_typed_unseen(bare_shell: Shell) -> None:
    done = await bare_shell("profile", "add", "shop", "--url", "https://chat.example", given="cw_secret\n")
    assert done.code == 0
    assert "cw_secret" not in done.out
    assert json.loads(bare_shell.config.read_text())["profiles"]["shop"]["token"] == "cw_secret"


async def test_the_environment_stands_for_a_profile(desk: Desk, address: str, bare_shell: Shell) -> None:
    token = await token_of(desk)
    done = await bare_shell("workspace", "get", CHATWRIGHT_URL=address, CHATWRIGHT_TOKEN=token)
    assert done.code == 0
    assert not bare_shell.config.exists()


async def test_an_unknown_profile_and_those_there_are(shell: Shell) -> None:
    for words in (
        ("--profile", "nix", "workspace", "get"),
        ("profile", "use", "nix"),
        ("profile", "remove", "nix"),
    ):
        done = await shell(*words)
        assert done.code == 2
        assert done.err.startswith("UNKNOWN_PROFILE: ")
        assert "local" in done.err


async def test_an_address_that_is_none(bare_shell: Shell) -> None:
    done = await bare_shell("profile", "add", "shop", "--url", "chat.example", "--token", "x")
    assert done.code == 2
    assert "--url" in done.err


async def test_a_file_that_holds_no_profiles(bare_shell: Shell) -> None:
    for content in ("{", "[]", '{"profiles": {"a": {}}}', '{"profiles": 1}'):
        bare_shell.config.write_text(content)
        done = await bare_shell("workspace", "get")
        assert done.code == 2, content
        assert done.err.startswith("BAD_PROFILES: "), content
