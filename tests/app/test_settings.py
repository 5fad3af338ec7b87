"""The master key: made on the embedded default, demanded and judged elsewhere."""

import base64
import stat
from pathlib import Path

import pytest

from chatwright.app.settings import load_settings
from chatwright.infra.cipher import MasterKeyCipher
from chatwright.kernel.errors import Misconfigured

GOOD = base64.b64encode(bytes(range(32))).decode()
SHARED = "postgresql://db.example/chatwright"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "CHATWRIGHT_KEY", "CHATWRIGHT_PUBLIC_URL", "CHATWRIGHT_POOL_SIZE"):
        monkeypatch.delenv(name, raising=False)


class TestEmbedded:
    def test_a_key_is_made_once_for_this_user_only(self, tmp_path: Path) -> None:
        first = load_settings(data=tmp_path, url="http://here/")
        again = load_settings(data=tmp_path, url="http://here/")
        assert first.key == again.key
        assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
        assert first.public_url == "http://here"


class TestShared:
    def test_a_shared_database_needs_a_shared_key(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", SHARED)
        with pytest.raises(Misconfigured, match="CHATWRIGHT_KEY must be set"):
            load_settings(data=tmp_path, url="http://here")
        monkeypatch.setenv("CHATWRIGHT_KEY", GOOD)
        assert load_settings(data=tmp_path, url="http://here").database_url == SHARED

    @pytest.mark.parametrize(
        "key",
        ["secret", "changeme!", base64.b64encode(b"\0" * 32).decode(), base64.b64encode(b"short").decode()],
    )
    def test_a_weak_key_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
        monkeypatch.setenv("CHATWRIGHT_KEY", key)
        with pytest.raises(Misconfigured):
            load_settings(data=tmp_path, url="http://here")

    def test_a_number_that_is_none_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CHATWRIGHT_POOL_SIZE", "many")
        with pytest.raises(Misconfigured, match="CHATWRIGHT_POOL_SIZE"):
            load_settings(data=tmp_path, url="http://here")


class TestCipher:
    def test_what_was_sealed_opens_only_in_its_place(self) -> None:
        cipher = MasterKeyCipher(bytes(range(32)))
        sealed = cipher.seal(b"secret", "row 1")
        assert b"secret" not in sealed
        assert cipher.open(sealed, "row 1") == b"secret"
        with pytest.raises(Misconfigured):
            cipher.open(sealed, "row 2")
        with pytest.raises(Misconfigured):
            MasterKeyCipher(bytes(range(1, 33))).open(sealed, "row 1")

    def test_every_purpose_signs_with_a_key_of_its_own(self) -> None:
        cipher = MasterKeyCipher(bytes(range(32)))
        assert cipher.sign(b"x", "a") != cipher.sign(b"x", "b")
