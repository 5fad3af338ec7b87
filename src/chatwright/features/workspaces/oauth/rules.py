"""Decisions of the authorization server, as pure functions. The numbers of the documents stand beside them."""

from collections.abc import Iterable

from chatwright.features.workspaces.oauth.store import PresentedGrant
from chatwright.features.workspaces.rules import SCOPES, effective_scopes, narrowed_scopes, scopes_of_member


def with_reading(scopes: Iterable[str]) -> frozenset[str]:
    """Scopes with what they include: who may write may read."""
    held = frozenset(scopes)
    return SCOPES & (held | {f"{scope.partition(':')[0]}:read" for scope in held})


def scopes_of(grant: PresentedGrant) -> frozenset[str]:
    """What a presented token may do: its scopes, within the grant's, within what its person may do now."""
    scopes = narrowed_scopes(grant.scopes, with_reading(grant.granted_scopes))
    scopes = effective_scopes(scopes, read_only=grant.read_only)
    if grant.role is None:
        return scopes
    return narrowed_scopes(scopes, scopes_of_member(grant.role, agency=grant.agency))
