"""Which toolsets there are, for rooms below the catalogue that names them."""

from collections.abc import Collection, Mapping

_registered: list[Mapping[str, frozenset[str]]] = []


def register_toolsets(toolsets: Mapping[str, frozenset[str]]) -> None:
    """Make the toolsets known, once per process, before anything is served: names of operations by toolset."""
    _registered[:] = [toolsets]


def operations_of(names: Collection[str]) -> frozenset[str]:
    """The names of the operations in any of these toolsets. One that is gone, or was never, holds none."""
    known = _known()
    return frozenset[str]().union(*(known.get(name, frozenset()) for name in names))


def toolset_names() -> list[str]:
    """What the toolsets are called, in their order."""
    return list(_known())


def unknown_toolsets(names: Collection[str]) -> set[str]:
    """The names among these that are no toolsets."""
    return set(names) - _known().keys()


def _known() -> Mapping[str, frozenset[str]]:
    """Raises LookupError when none were registered: nobody is given more for a mistake in the wiring."""
    if not _registered:
        message = "No toolsets are registered."
        raise LookupError(message)
    return _registered[0]
