"""`python -m chatwright.app.generated --check|--write`: the files that are written from the code.

They are committed, so that a change of what the product shows is a change that somebody read.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Final

from chatwright.app.extensions.snapshots import as_text, snapshots
from chatwright.app.reference import errors_page, operations_page, resources_page, settings_page
from chatwright.catalogue import CATALOGUE
from chatwright.surfaces.http.document import document

ROOT: Final = Path(__file__).parents[3]
SNAPSHOTS: Final = Path("snapshots/operations")


@cache
def generated_files() -> dict[Path, str]:
    """Every generated file with what it has to say, by its path in the repository; the same all process long."""
    reference = Path("docs/reference")
    return {
        Path("openapi.json"): as_text(document(CATALOGUE)),
        reference / "operations.md": operations_page(CATALOGUE),
        reference / "errors.md": errors_page(),
        reference / "resources.md": resources_page(),
        reference / "settings.md": settings_page(),
        **snapshots(CATALOGUE, SNAPSHOTS),
    }


def stale_files(root: Path = ROOT) -> list[Path]:
    """Generated files that do not say what the code says, and snapshots of operations that are gone."""
    files = generated_files()
    changed = [path for path, text in files.items() if _read(root / path) != text]
    return sorted([*changed, *(path for path in _snapshots(root) if path not in files)])


def write(root: Path = ROOT) -> list[Path]:
    """Bring every generated file up to date; returns those that changed."""
    files, stale = generated_files(), stale_files(root)
    for path in stale:
        if path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(files[path])
        else:
            (root / path).unlink()
    return stale


def _snapshots(root: Path) -> list[Path]:
    return [path.relative_to(root) for path in (root / SNAPSHOTS).glob("*.json")]


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def main(words: list[str]) -> int:
    """Check or write, and say which files it is about."""
    match words:
        case ["--check"]:
            stale = stale_files()
            for path in stale:
                sys.stdout.write(f"stale: {path}\n")
            if stale:
                sys.stdout.write(
                    "The code says something else. Write them anew with ./dev accept, and read the diff.\n"
                )
            return 1 if stale else 0
        case ["--write"]:
            for path in write():
                sys.stdout.write(f"wrote: {path}\n")
            return 0
        case _:
            sys.stderr.write("Say --check or --write.\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
