"""Scopes beside the product's own: those that extensions bring along."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class OwnScope:
    """A scope of an extension."""

    name: str
    """`noun:read` or `noun:write`; who holds the second holds the first."""
    words: str
    """What it lets a program do, for a person who is asked to allow it: `See orders and what was paid`."""
    roles: frozenset[Literal["agent", "analyst"]] = frozenset()
    """The roles that hold it beside owners and admins."""
    risky: bool | None = None
    """Whether the person is asked to look twice; left out, one that writes is."""

    @property
    def is_risky(self) -> bool:
        """Whether it is shown apart from what merely reads."""
        return self.name.endswith(":write") if self.risky is None else self.risky


_registered: dict[str, OwnScope] = {}


def register_scopes(scopes: Iterable[OwnScope]) -> None:
    """Make the scopes known, once per process, before anything is served."""
    _registered.clear()
    _registered.update({scope.name: scope for scope in scopes})


def own_scopes() -> Mapping[str, OwnScope]:
    """The scopes of this process's extensions, by name."""
    return _registered
