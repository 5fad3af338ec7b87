"""Finding the packages that extend the product, by their entry points."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from typing import Final

from chatwright.app.settings import ALL, EXTENSIONS_VARIABLE, NONE
from chatwright.extension import Extension
from chatwright.kernel.errors import ChatwrightError, Misconfigured

GROUP: Final = "chatwright.extensions"


@dataclass(frozen=True)
class Source:
    """Where an extension comes from."""

    name: str
    """Of its entry point."""
    package: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} ({self.package} {self.version})"


@dataclass(frozen=True)
class Installed:
    """An extension, and where it comes from."""

    source: Source
    extension: Extension


class BadExtension(Misconfigured):
    """An extension that cannot be had as it is."""

    def __init__(self, source: Source, problem: str) -> None:
        super().__init__(
            f"The extension {source} cannot be used: {problem}",
            hint=f"Mend it, remove the package {source.package}, or name the others in {EXTENSIONS_VARIABLE}.",
        )


def sources() -> list[Source]:
    """Every extension that is installed, by name."""
    return [source_of(point) for point in _points()]


def load(wanted: Sequence[str]) -> Iterator[Installed]:
    """Import the wanted ones, each when it is asked for: `all`, `none`, or names of entry points.

    Raises Misconfigured for a name that is not installed or is there twice, BadExtension for one that is no extension.
    """
    points = _points()
    _check_wanted(wanted, points)
    for point in points:
        if is_wanted(point.name, wanted):
            source = source_of(point)
            yield Installed(source, _extension_of(point, source))


def is_wanted(name: str, wanted: Iterable[str]) -> bool:
    """Whether the setting has this extension in."""
    return bool({ALL, name} & set(wanted))


def source_of(point: EntryPoint) -> Source:
    """Where an entry point comes from."""
    package = point.dist
    return Source(point.name, package.name if package else "?", package.version if package else "?")


def _points() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda point: point.name)


def _check_wanted(wanted: Sequence[str], points: Sequence[EntryPoint]) -> None:
    names = [point.name for point in points]
    if {ALL, NONE} & set(wanted) and len(wanted) > 1:
        raise Misconfigured(f"{EXTENSIONS_VARIABLE} is all, none, or names of extensions by commas.")
    missing = sorted(set(wanted) - {ALL, NONE, *names})
    if missing:
        raise Misconfigured(
            f"{EXTENSIONS_VARIABLE} names '{missing[0]}', and no installed package brings an extension of that name.",
            hint=f"Installed are: {', '.join(names) or 'none'}.",
        )
    for one, other in pairwise(points):
        if one.name == other.name and is_wanted(one.name, wanted):
            raise BadExtension(
                source_of(other), f"{source_of(one).package} brings one that is called the same."
            )


def _extension_of(point: EntryPoint, source: Source) -> Extension:
    try:
        found: object = point.load()
        if callable(found):
            found = found()
    except ChatwrightError as error:
        raise BadExtension(source, error.message) from error
    except Exception as error:
        # Whatever a stranger's import does wrong is told to who installed it, and to nobody else.
        problem = f"{point.value} ended with {type(error).__name__}: {error}"
        raise BadExtension(source, problem) from error
    if not isinstance(found, Extension):
        problem = f"{point.value} is no chatwright.extension.Extension, nor a function that gives one."
        raise BadExtension(source, problem)
    return found
