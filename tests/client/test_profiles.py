"""The profile file."""

import json
import stat
from pathlib import Path

import pytest

from chatwright.client.profiles import (
    Profile,
    ProfileError,
    choose_profile,
    config_path,
    read_profiles,
    remove_profile,
    save_profile,
    use_profile,
)

SHOP = Profile("shop", "https://chat.example", "cw_shop")
LOCAL = Profile("local", "http://127.0.0.1:8800", "cw_local")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CHATWRIGHT_URL", "CHATWRIGHT_TOKEN", "CHATWRIGHT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "folder" / "profiles.json"
    monkeypatch.setenv("CHATWRIGHT_CONFIG", str(path))
    return path


def test_the_file_and_its_folder_are_for_this_user_only(file: Path) -> None:
    save_profile(LOCAL)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_others_could_read_is_closed_on_writing(file: Path) -> None:
    save_profile(LOCAL)
    file.chmod(0o644)
    save_profile(SHOP)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_its_format_is_what_others_write(file: Path) -> None:
    save_profile(LOCAL)
    assert json.loads(file.read_text()) == {
        "profiles": {"local": {"url": "http://127.0.0.1:8800", "token": "cw_local"}},
        "default": "local",
    }


def test_the_first_is_the_default_until_another_is_chosen() -> None:
    save_profile(LOCAL)
    save_profile(SHOP)
    assert choose_profile() == LOCAL
    use_profile("shop")
    assert choose_profile() == SHOP
    save_profile(LOCAL)
    assert choose_profile() == SHOP
    remove_profile("shop")
    assert choose_profile() == LOCAL
    remove_profile("local")
    assert read_profiles() == ({}, None)


def test_a_name_goes_before_the_environment_and_that_before_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_profile(LOCAL)
    save_profile(SHOP)
    monkeypatch.setenv("CHATWRIGHT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CHATWRIGHT_TOKEN", "cw_env")
    assert choose_profile()[1:] == ("http://127.0.0.1:1", "cw_env")
    monkeypatch.setenv("CHATWRIGHT_PROFILE", "shop")
    assert choose_profile() == SHOP
    assert choose_profile("local") == LOCAL


def test_without_any_profile() -> None:
    with pytest.raises(ProfileError) as caught:
        choose_profile()
    assert caught.value.code == "NO_PROFILE"


def test_where_the_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHATWRIGHT_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/somewhere")
    assert config_path() == Path("/somewhere/chatwright/profiles.json")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/ann")
    assert config_path() == Path("/home/ann/.config/chatwright/profiles.json")
