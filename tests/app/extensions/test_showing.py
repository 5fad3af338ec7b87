"""`chatwright extensions check`: what an author is told of their own tools."""

import importlib
import json
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from chatwright.app.extensions.offering import Offering
from chatwright.app.extensions.showing import check
from chatwright.app.inspection import inspect
from chatwright.kernel.errors import Conflict, NotFound

CODE = '''\
from typing import Literal
from chatwright.extension import Caller, Effect, Extension, Input, Output, OwnScope, operation

class Asked(Input):
    id: str
    {words}

@operation("{noun}.get", tool="get_{noun}", scope="{noun}:read", effect=Effect.READ, http="GET /{noun}/{{id}}")
async def get(caller: Caller, request: Asked) -> Output:
    """{summary}"""
    raise NotImplementedError

EXTENSION = Extension((get,), (OwnScope("{noun}:read", "See {noun}"),))
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A folder that packages are installed into; what was shown of them is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delenv("CHATWRIGHT_EXTENSIONS", raising=False)
    importlib.invalidate_caches()
    yield tmp_path
    Offering().register()


def install(site: Path, noun: str, *, words: str = '"""Its number."""', summary: str = "Show one.") -> None:
    (site / f"ext_{noun}.py").write_text(CODE.format(noun=noun, words=words, summary=summary))
    told = site / f"ext_{noun}-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ext-{noun}\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[chatwright.extensions]\n{noun} = ext_{noun}:EXTENSION\n")


def test_snapshots_are_written_and_then_held_against_the_code(site: Path) -> None:
    install(site, "parcels")
    folder = site / "snapshots"
    with pytest.raises(Conflict, match=r"parcels.get.json is stale"):
        check("parcels", folder, write=False)
    check("parcels", folder, write=True)
    (kept,) = folder.iterdir()
    assert json.loads(kept.read_text())["http"] == "GET /parcels/{id}"
    check("parcels", folder, write=False)
    kept.write_text(kept.read_text().replace("Its number.", "Her number."))
    (folder / "parcels.gone.json").write_text("{}")
    with pytest.raises(Conflict, match=r"parcels.get.json is stale; \S+parcels.gone.json is stale"):
        check("parcels", folder, write=False)
    check("parcels", folder, write=True)
    assert [path.name for path in folder.iterdir()] == ["parcels.get.json"]


def test_a_field_without_words_is_a_fault(site: Path) -> None:
    install(site, "boxes", words="")
    with pytest.raises(Conflict, match=r"Asked.id has no words"):
        check("boxes", None, write=False)


def test_a_tool_that_costs_too_much_is_a_fault_and_is_told_of_by_inspect(site: Path) -> None:
    install(site, "crates", summary="Show a crate " + "and another " * 250 + "too.")
    with pytest.raises(Conflict, match=r"get_crates costs \d+ tokens in a list, above 600"):
        check("crates", None, write=False)
    found = inspect("crates", "", read_only=False, role=None)
    assert found.shown.too_large == ["get_crates"]


def test_one_that_is_not_installed_is_not_found(site: Path) -> None:
    install(site, "drawers")
    with pytest.raises(NotFound) as caught:
        check("draws", None, write=False)
    assert caught.value.hint == "Installed are: drawers."
