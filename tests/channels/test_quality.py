"""Every channel says how far it has come, in the same words."""

import tomllib
from pathlib import Path

import pytest

from chatwright.app.plugins import channels
from chatwright.infra.cipher import MasterKeyCipher
from chatwright.net.http import Web

RULES = {
    "contract",
    "settings_explained",
    "copies_count_once",
    "unknown_is_kept",
    "sent_once",
    "sources_named",
    "sandbox",
    "status_timeline",
    "attachments",
    "verified_identity",
    "forgeries_refused",
    "secrets_only_written",
    "refusals_mapped",
    "live_check",
    "every_kind_read",
}
NAMES = [
    channel.name for channel in channels(MasterKeyCipher(bytes(range(32))), "http://server.example", Web())
]


@pytest.mark.parametrize("name", NAMES)
class TestQuality:
    def test_every_rule_is_answered(self, repository: Path, name: str) -> None:
        answers = tomllib.loads((self.folder(repository, name) / "quality.toml").read_text())["rules"]
        assert set(answers) == RULES
        assert {
            rule: answer
            for rule, answer in answers.items()
            if answer not in {"done", "todo"} and not answer.startswith("exempt: ")
        } == {}

    def test_it_is_explained(self, repository: Path, name: str) -> None:
        assert (self.folder(repository, name) / "README.md").read_text().startswith("# ")

    def test_it_keeps_the_contract(self, repository: Path, name: str) -> None:
        tests = (repository / "tests/channels" / name).glob("test_*.py")
        assert any("(ChannelContract)" in file.read_text() for file in tests)

    def folder(self, repository: Path, name: str) -> Path:
        return repository / "src/chatwright/channels" / name
