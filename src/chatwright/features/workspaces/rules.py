"""Who may do what: scopes, roles and approval, as pure decisions."""

from collections.abc import Iterable
from typing import Any, Final

from chatwright.features.workspaces.models import Role
from chatwright.kernel.caller import Caller, Trust
from chatwright.kernel.operation import Effect, Operation
from chatwright.ports.policy import Decision

OWNERS_SCOPE: Final = "owners:write"
"""Giving and taking the owner's role. As a scope it goes into the tokens that owners make, and into no others."""

SCOPES: Final = frozenset(
    f"{noun}:{access}"
    for noun in ("contacts", "conversations", "inboxes", "workspace", "tokens", "agency")
    for access in ("read", "write")
) | {"audit:read", OWNERS_SCOPE}

AGENCY_SCOPES: Final = frozenset({"agency:read", "agency:write"})
"""What people of the agency have beside their role: a client's owner must not see the other clients."""

_OF_A_WORKSPACE = SCOPES - AGENCY_SCOPES
_READING = frozenset(scope for scope in _OF_A_WORKSPACE if scope.endswith(":read"))

ROLE_SCOPES: Final[dict[Role, frozenset[str]]] = {
    "owner": _OF_A_WORKSPACE,
    "admin": _OF_A_WORKSPACE - {OWNERS_SCOPE},
    "agent": frozenset(
        {"contacts:write", "contacts:read", "conversations:write", "conversations:read"}
        | {"inboxes:read", "workspace:read"}
    ),
    "analyst": _READING - {"tokens:read", "audit:read"},
}


def effective_scopes(scopes: Iterable[str], *, read_only: bool) -> frozenset[str]:
    """The scopes a token really has: known ones only, and of a read-only token only the reading half."""
    known = SCOPES & frozenset(scopes)
    if not read_only:
        return known
    return frozenset(f"{scope.partition(':')[0]}:read" for scope in known)


def scopes_of_member(role: Role, *, agency: bool) -> frozenset[str]:
    """What a member may do: by their role, and as one of the agency's people."""
    return ROLE_SCOPES[role] | (AGENCY_SCOPES if agency else frozenset[str]())


def narrowed_scopes(scopes: Iterable[str], bounds: frozenset[str]) -> frozenset[str]:
    """Scopes within bounds; of one that writes, where the bounds only read, the reading half."""
    held = frozenset(scopes)
    return (held | {f"{scope.partition(':')[0]}:read" for scope in held}) & bounds


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """The names among these that are no scopes."""
    return sorted(set(scopes) - SCOPES)


class DefaultPolicy:
    """Asks a person before anything is destroyed, or sent outside, at the word of untrusted text."""

    def decide(self, caller: Caller, operation: Operation[Any, Any]) -> Decision:
        """Judge by the trust of the turn and the operation's effect."""
        risky = operation.effect is Effect.DESTROY or operation.outward
        return Decision.ASK if risky and caller.trust is Trust.UNTRUSTED else Decision.ALLOW
