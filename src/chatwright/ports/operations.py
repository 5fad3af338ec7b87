"""Every operation by its name, for rooms below the catalogue that lists them."""

from collections.abc import Collection, Iterable

from chatwright.kernel.operation import AnyOperation

_registered: dict[str, AnyOperation] = {}


def register_operations(operations: Iterable[AnyOperation]) -> None:
    """Make the operations known, once per process, before anything is served."""
    _registered.clear()
    _registered.update({operation.name: operation for operation in operations})


def known_operations() -> Collection[AnyOperation]:
    """All of them."""
    return _registered.values()


def operation_named(name: str) -> AnyOperation | None:
    """The operation of this name; None when there is none (any more)."""
    return _registered.get(name)
