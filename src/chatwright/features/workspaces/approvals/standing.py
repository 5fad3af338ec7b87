"""What a waiting call may do by now: of whoever asked for it, and of whoever changes it."""

from dataclasses import replace
from uuid import UUID

from chatwright.features.workspaces.approvals import store
from chatwright.features.workspaces.approvals.errors import EditBeyondAccess, RequesterGone
from chatwright.features.workspaces.approvals.store import Standing
from chatwright.features.workspaces.lineage import within_makers
from chatwright.features.workspaces.narrowing import both, operations_within
from chatwright.features.workspaces.rules import effective_scopes, narrowed_scopes, scopes_of_member
from chatwright.kernel.caller import Caller, PrincipalKind
from chatwright.kernel.operation import AnyOperation


async def as_of_now(requester: Caller, operation: AnyOperation) -> Caller:
    """The requester with no more than it had when it asked, and no more than it has now.

    Raises RequesterGone when its access has ended, or no longer reaches the operation.
    """
    if requester.kind not in {PrincipalKind.MEMBER, PrincipalKind.TOKEN, PrincipalKind.GRANT}:
        return requester
    standing = await _standing(requester)
    if standing is None:
        raise RequesterGone(f"The access of {requester.name}, who asked for this, has ended.")
    now = replace(
        requester,
        scopes=narrowed_scopes(requester.scopes, _scopes(standing)),
        inbox_ids=both(requester.inbox_ids, standing.inbox_ids),
        tag_ids=both(requester.tag_ids, standing.tag_ids),
        operations=both(requester.operations, operations_within(standing.toolsets, standing.tag_ids)),
        toolsets=None if standing.toolsets is None else frozenset(standing.toolsets),
        calls_per_minute=standing.calls_per_minute,
        supervised=requester.supervised or standing.supervised,
        expires_at=standing.expires_at if standing.scopes is not None else requester.expires_at,
    )
    now = await within_makers(now, standing.made_by)
    if not operation.open_to(now):
        raise RequesterGone(f"{requester.name}, who asked for this, may not do it any more.")
    return now


def within_approver(requester: Caller, approver: Caller, operation: AnyOperation) -> Caller:
    """The requester of a call that its approver changes: with no more than the two of them may do.

    Changed arguments are the approver's own words, so they reach no further than the approver, who is limited to
    neither inboxes nor tags. Raises EditBeyondAccess for an operation that the approver may not call.
    """
    if not operation.open_to(approver):
        raise EditBeyondAccess(
            f"{operation.title} is not open to the caller, who can let it happen but not change it.",
            details={"operation": operation.name, "scope": operation.scope},
        )
    return replace(
        requester,
        scopes=narrowed_scopes(requester.scopes, approver.scopes),
        operations=both(requester.operations, approver.operations),
        toolsets=both(requester.toolsets, approver.toolsets),
    )


async def _standing(requester: Caller) -> Standing | None:
    principal_id = UUID(requester.principal_id)
    match requester.kind:
        case PrincipalKind.TOKEN:
            return await store.TOKEN_STANDING.first(requester.workspace_id, principal_id)
        case PrincipalKind.GRANT:
            if await store.KNOWS_GRANT.one(requester.workspace_id, principal_id):
                return await store.GRANT_STANDING.first(requester.workspace_id, principal_id)
            return await _of_person(requester)
        case _:
            return await _of_person(requester)


async def _of_person(requester: Caller) -> Standing | None:
    """Of members, and of people whom an outside issuer vouched for: it keeps no grants here."""
    return await store.MEMBER_STANDING.first(requester.workspace_id, requester.person_id)


def _scopes(standing: Standing) -> frozenset[str]:
    of_role = None if standing.role is None else scopes_of_member(standing.role, agency=standing.agency)
    if standing.scopes is None:
        return of_role or frozenset()
    given = effective_scopes(standing.scopes, read_only=standing.read_only)
    return given if of_role is None else narrowed_scopes(given, of_role)
