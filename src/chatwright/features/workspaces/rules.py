"""Who may do what: scopes, roles and approval, as pure decisions."""

from collections.abc import Iterable
from typing import Any, Final

from chatwright.features.workspaces.models import Role
from chatwright.kernel.caller import Caller, PrincipalKind, Surface, Trust
from chatwright.kernel.operation import Operation
from chatwright.ports.policy import Decision, Supervision
from chatwright.ports.scopes import own_scopes

OWNERS_SCOPE: Final = "owners:write"
"""Giving and taking the owner's role. As a scope it goes into the tokens that owners make, and into no others."""

APPROVALS: Final = "approvals"
"""The noun of the approval queue."""

SCOPES: Final = frozenset(
    f"{noun}:{access}"
    for noun in ("contacts", "conversations", "inboxes", "workspace", "tokens", "approvals", "agency")
    for access in ("read", "write")
) | {"audit:read", OWNERS_SCOPE}
"""The product's own; `all_scopes` has those of extensions too."""

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
    "analyst": _READING - {"tokens:read", "audit:read", "approvals:read"},
}


def all_scopes() -> frozenset[str]:
    """Every scope there is in this process."""
    return SCOPES.union(own_scopes())


def effective_scopes(scopes: Iterable[str], *, read_only: bool) -> frozenset[str]:
    """The scopes a token really has: known ones only, and of a read-only token only the reading half."""
    known = all_scopes() & frozenset(scopes)
    if not read_only:
        return known
    return frozenset(f"{scope.partition(':')[0]}:read" for scope in known)


def scopes_of_member(role: Role, *, agency: bool) -> frozenset[str]:
    """What a member may do: by their role, and as one of the agency's people."""
    of_extensions = {
        scope.name for scope in own_scopes().values() if role in {"owner", "admin"} or role in scope.roles
    }
    return ROLE_SCOPES[role] | of_extensions | (AGENCY_SCOPES if agency else frozenset[str]())


def narrowed_scopes(scopes: Iterable[str], bounds: frozenset[str]) -> frozenset[str]:
    """Scopes within bounds; of one that writes, where the bounds only read, the reading half."""
    held = frozenset(scopes)
    return (held | {f"{scope.partition(':')[0]}:read" for scope in held}) & bounds


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """The names among these that are no scopes."""
    return sorted(set(scopes) - all_scopes())


def is_risky(operation: Operation[Any, Any]) -> bool:
    """Whether a call deserves a second look: it asks before it runs, or reaches outside."""
    return operation.asks or operation.outward


class DefaultPolicy:
    """Asks a person before a supervised caller, or untrusted text, does what is risky; and users of MCP clients."""

    def decide(self, caller: Caller, operation: Operation[Any, Any], supervision: Supervision) -> Decision:
        """Judge by who calls, through which face, by whose words, and by what the workspace wants."""
        if operation.noun == APPROVALS:
            # The queue's own verbs would wait in it for ever; they see themselves to who may decide.
            return self._confirmed(caller, operation)
        watched = supervision is not Supervision.NONE and is_risky(operation)
        watched |= supervision is Supervision.WRITES and operation.writes
        if watched and not _decides_in_person(caller):
            return Decision.ASK
        doubtful = caller.supervised or caller.trust is Trust.UNTRUSTED
        if doubtful and is_risky(operation):
            return Decision.ASK
        return self._confirmed(caller, operation)

    def _confirmed(self, caller: Caller, operation: Operation[Any, Any]) -> Decision:
        """Behind MCP is a model that speaks for a person; behind the other faces that person or their program."""
        return Decision.CONFIRM if caller.surface is Surface.MCP and operation.asks else Decision.ALLOW


def _decides_in_person(caller: Caller) -> bool:
    """Whether it is a member at their own screen."""
    return (
        caller.kind is PrincipalKind.MEMBER
        and caller.surface is Surface.WEB
        and caller.trust is Trust.TRUSTED
    )
