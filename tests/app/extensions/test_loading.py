"""Finding extensions where packages are installed."""

import importlib
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chatwright.app.commands import build
from chatwright.app.extensions.loading import BadExtension, Source, load, sources
from chatwright.app.extensions.showing import survey
from chatwright.kernel.errors import Misconfigured

GOOD = "from chatwright.extension import Extension\nEXTENSION = Extension()\n"
A_FUNCTION = "from chatwright.extension import Extension\ndef EXTENSION():\n    return Extension()\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages are installed into."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    importlib.invalidate_caches()
    monkeypatch.delenv("CHATWRIGHT_EXTENSIONS", raising=False)
    return tmp_path


def install(
    site: Path, package: str, code: str, *, name: str | None = None, target: str = "EXTENSION"
) -> None:
    module = package.replace("-", "_")
    (site / f"{module}.py").write_text(code)
    told = site / f"{module}-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[chatwright.extensions]\n{name or module} = {module}:{target}\n")


def test_it_is_an_object_or_a_function_that_gives_one(site: Path) -> None:
    install(site, "one-object", GOOD)
    install(site, "one-function", A_FUNCTION)
    assert [each.source for each in load(["all"])] == [
        Source("one_function", "one-function", "1.0"),
        Source("one_object", "one-object", "1.0"),
    ]


def test_the_setting_names_those_that_are_in(site: Path) -> None:
    install(site, "left-in", GOOD)
    install(site, "left-out", "raise RuntimeError('nobody imports this')\n")
    assert [each.source.name for each in load(["left_in"])] == ["left_in"]
    assert list(load(["none"])) == []
    assert [source.name for source in sources()] == ["left_in", "left_out"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [(["left_inn"], "names 'left_inn'"), (["all", "left_in"], "is all, none, or names")],
)
def test_a_setting_that_means_nothing_is_refused(site: Path, wanted: list[str], words: str) -> None:
    install(site, "left-in", GOOD)
    with pytest.raises(Misconfigured, match=words):
        list(load(wanted))


@pytest.mark.parametrize(
    ("package", "code", "target", "words"),
    [
        (
            "no-import",
            "raise RuntimeError('no licence')\n",
            "EXTENSION",
            "ended with RuntimeError: no licence",
        ),
        ("no-extension", "EXTENSION = 1\n", "EXTENSION", "is no chatwright.extension.Extension"),
        ("no-name", GOOD, "OTHER", "ended with AttributeError"),
        ("no-luck", "def EXTENSION():\n    raise OSError('disk')\n", "EXTENSION", "ended with OSError: disk"),
    ],
)
def test_what_is_no_extension_is_told_with_its_package(
    site: Path, package: str, code: str, target: str, words: str
) -> None:
    install(site, package, code, target=target)
    with pytest.raises(BadExtension) as caught:
        list(load(["all"]))
    assert caught.value.message.startswith(
        f"The extension {package.replace('-', '_')} ({package} 1.0) cannot be used: "
    )
    assert words in caught.value.message


def test_two_of_one_name_are_refused(site: Path) -> None:
    install(site, "first-one", GOOD, name="same")
    install(site, "second-one", GOOD, name="same")
    with pytest.raises(BadExtension, match="brings one that is called the same"):
        list(load(["all"]))


def test_a_survey_shows_broken_ones_beside_the_others(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "good-one", GOOD)
    install(site, "broken-two", "raise RuntimeError('no licence')\n")
    assert [(each.source.name, each.state) for each in survey()] == [
        ("broken_two", "broken"),
        ("good_one", "on"),
    ]
    assert "no licence" in survey()[0].problem
    monkeypatch.setenv("CHATWRIGHT_EXTENSIONS", "good_one")
    assert [(each.source.name, each.state) for each in survey()] == [
        ("broken_two", "off"),
        ("good_one", "on"),
    ]


def test_a_broken_one_takes_no_other_command_along(site: Path) -> None:
    install(site, "broken-three", "raise RuntimeError('no licence')\n")
    shown = CliRunner().invoke(build(["contacts"]), ["contacts", "--help"])
    assert shown.exit_code == 0
    shown = CliRunner().invoke(build(["extensions"]), ["extensions"])
    assert "no licence" in shown.output
