"""The verbs of the approval queue."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from pydantic import BaseModel

from chatwright.features.workspaces import audit
from chatwright.features.workspaces.approvals import store
from chatwright.features.workspaces.approvals.errors import (
    ApprovalDecided,
    ApprovalNotFound,
    EditBeyondAccess,
    OwnApproval,
    RequesterGone,
)
from chatwright.features.workspaces.approvals.models import (
    USUAL_HOURS,
    Approval,
    ApprovalPolicySetting,
    ApproveCall,
    ListApprovals,
    Principal,
    RefuseCall,
    SetApprovalPolicy,
    ShowApproval,
    ShowApprovalPolicy,
)
from chatwright.features.workspaces.approvals.standing import as_of_now, within_approver
from chatwright.features.workspaces.approvals.store import ApprovalRow
from chatwright.features.workspaces.approvals.waiting import WaitingCall, named, unsealed
from chatwright.features.workspaces.arguments import read_input, readable
from chatwright.features.workspaces.audit import AuditOutcome
from chatwright.features.workspaces.keys import key_of, principal_of, still_running
from chatwright.kernel.caller import OWN_SCOPE, Caller, PrincipalKind, Trust
from chatwright.kernel.errors import Forbidden
from chatwright.kernel.events import Event
from chatwright.kernel.operation import AnyOperation, Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.cipher import Cipher
from chatwright.ports.database import emit
from chatwright.ports.operations import operation_named
from chatwright.ports.policy import Supervision
from chatwright.ports.reach import reach_of_tags
from chatwright.ports.site import this_site

APPROVE_SECONDS = 120.0
"""As long as the longest of what can be approved."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of a call that was let through."""

    result: bytes
    shown: Mapping[str, Any]
    kept: bool = False
    """Whether it happened before, under its idempotency key."""


@operation(
    "approvals.list",
    tool="list_approvals",
    scope="approvals:read",
    effect=Effect.READ,
    http="GET /approvals",
)
async def list_approvals(caller: Caller, request: ListApprovals) -> Page[Approval]:
    """List the calls that wait for a person of the workspace, or waited for one, newest first."""
    caller.require_every_inbox()
    before = None if request.cursor is None else after_id(request.cursor)
    rows = await store.LIST_APPROVALS.all(caller.workspace_id, before, request.status, request.limit + 1)
    return page_of([_shown(caller, row) for row in rows], request.limit, lambda one: (str(one.id),))


@operation(
    "approvals.get",
    tool="get_approval",
    scope=OWN_SCOPE,
    effect=Effect.READ,
    http="GET /approvals/{approval_id}",
    errors=(ApprovalNotFound,),
)
async def get_approval(caller: Caller, request: ShowApproval) -> Approval:
    """Show what became of a call that needs approval, with its result for whoever asked for it.

    Everybody sees the calls they asked for themselves; those of others need the scope `approvals:read`.
    """
    row = await store.FIND_APPROVAL.first(caller.workspace_id, request.approval_id)
    if row is None or not _visible(caller, row):
        raise ApprovalNotFound
    return _shown(caller, row)


@operation(
    "approvals.approve",
    tool="approve_call",
    scope="approvals:write",
    effect=Effect.CHANGE,
    http="POST /approvals/{approval_id}/approve",
    errors=(ApprovalNotFound, ApprovalDecided, OwnApproval, EditBeyondAccess, RequesterGone),
    outward=True,
    asks=True,
    seconds=APPROVE_SECONDS,
)
async def approve_call(caller: Caller, request: ApproveCall) -> Approval:
    """Let a waiting call happen now, as the one who asked for it, with the arguments it had or with changed ones.

    It happens with what its requester may do by now; with changed arguments also with no more than the caller may do,
    who has to be able to make such a call. When it fails, nothing has changed and it still waits.
    """
    row = await _locked(caller, request.approval_id)
    called = operation_named(row.operation)
    if called is None:
        raise RequesterGone(f"There is no operation '{row.operation}' any more.")
    cipher = this_site().cipher
    waiting = unsealed(cipher, row)
    requester = await as_of_now(waiting.requester, called)
    if request.arguments:
        requester = within_approver(requester, caller, called)
    requester = replace(requester, rehearsing=caller.rehearsing)
    done = await _carried_out(cipher, replace(waiting, requester=requester), called, request.arguments or {})
    await audit.append(
        requester,
        called.name,
        audit.without_private(done.shown, called.private_fields),
        AuditOutcome.DONE,
        consent={"kind": "approved", "approval_id": str(row.id), "by": named(caller)},
    )
    edited = done.shown if request.arguments else None
    sealed = cipher.seal(done.result, f"approved:{row.id}")
    approved = await _decided(caller, row, "approved", shown=edited, result=sealed)
    if caller.rehearsing and not done.kept and called.open_to(caller):
        # A secret in it is worth nothing, for what it opens is undone.
        return approved.model_copy(update={"result": orjson.loads(done.result)})
    return approved


@operation(
    "approvals.refuse",
    tool="refuse_call",
    scope="approvals:write",
    effect=Effect.CHANGE,
    http="POST /approvals/{approval_id}/refuse",
    errors=(ApprovalNotFound, ApprovalDecided, OwnApproval),
)
async def refuse_call(caller: Caller, request: RefuseCall) -> Approval:
    """Turn a waiting call down. Whoever asked for it sees the reason."""
    row = await _locked(caller, request.approval_id)
    return await _decided(caller, row, "refused", reason=request.reason)


@operation(
    "workspace.get_approval_policy",
    tool="get_approval_policy",
    scope="workspace:read",
    effect=Effect.READ,
    http="GET /workspace/approval-policy",
)
async def get_approval_policy(caller: Caller, request: ShowApprovalPolicy) -> ApprovalPolicySetting:
    """Show which calls of programs a person of the workspace has to approve."""
    del request
    policy = await store.POLICY.first(caller.workspace_id)
    return policy or ApprovalPolicySetting(supervision=Supervision.NONE.value, hours=USUAL_HOURS)


@operation(
    "workspace.set_approval_policy",
    tool="set_approval_policy",
    scope="workspace:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PUT /workspace/approval-policy",
    asks=True,
)
async def set_approval_policy(caller: Caller, request: SetApprovalPolicy) -> ApprovalPolicySetting:
    """Say which calls of programs a person of the workspace has to approve. Only a signed-in member can."""
    caller.require_every_inbox()
    if caller.kind is not PrincipalKind.MEMBER:
        raise Forbidden(
            "What programs need approval for is not decided by a program.",
            hint="A member of the workspace sets this, signed in.",
        )
    policy = await store.SET_POLICY.one(caller.workspace_id, request.supervision, request.hours)
    data = {"supervision": policy.supervision}
    emit(Event("workspace.approval_policy_changed", caller.workspace_id, caller.workspace_id, data=data))
    return policy


async def _locked(caller: Caller, approval_id: object) -> ApprovalRow:
    """An approval that waits and that the caller may decide, locked against others who decide it too."""
    caller.require_every_inbox()
    row = await store.LOCK_APPROVAL.first(caller.workspace_id, approval_id)
    if row is None:
        raise ApprovalNotFound
    _check_may_decide(caller, row)
    if row.status == "expired":
        raise ApprovalDecided("This call has expired: nobody decided in time.")
    if row.status != "waiting":
        raise ApprovalDecided(f"This call was {row.status} already.", details={"status": row.status})
    return row


def _check_may_decide(caller: Caller, row: ApprovalRow) -> None:
    """Members decide, and programs that are neither supervised themselves nor of the requester's own person."""
    if principal_of(caller) == row.principal:
        raise OwnApproval("Nobody approves their own call.")
    if caller.kind is PrincipalKind.MEMBER:
        return
    of_a_person = caller.kind in {PrincipalKind.TOKEN, PrincipalKind.GRANT}
    if caller.supervised or not of_a_person or caller.trust is Trust.UNTRUSTED:
        raise OwnApproval("This decision is for a person, or a program that nobody supervises.")
    if caller.person_id == row.person_id:
        raise OwnApproval("A program of the person who asked does not decide; the person can, signed in.")


async def _carried_out(
    cipher: Cipher, waiting: WaitingCall, called: AnyOperation, changes: Mapping[str, Any]
) -> _Done:
    """Run the call in this transaction, once per idempotency key, which keeps the arguments it was asked with."""
    arguments = {**waiting.arguments, **changes}
    request = read_input(called, arguments)
    if waiting.requester.tag_ids is not None:
        await reach_of_tags().check(waiting.requester, called, request)
    shown = readable(called, request.model_dump(mode="json", exclude_unset=True))
    if waiting.key is None:
        return _Done((await called(waiting.requester, request)).model_dump_json().encode(), shown)
    key = key_of(waiting.requester, called, waiting.key)
    if not await key.alone():
        raise still_running()
    fingerprint = key.fingerprint(cipher, _asked(called, waiting))
    stored = await key.stored(cipher, fingerprint)
    if stored is not None:
        return _Done(orjson.dumps(stored), shown, kept=True)
    result = (await called(key.held_by(waiting.requester), request)).model_dump_json().encode()
    await key.keep(cipher, fingerprint, result)
    return _Done(result, shown)


def _asked(called: AnyOperation, waiting: WaitingCall) -> BaseModel:
    return read_input(called, waiting.arguments)


async def _decided(
    caller: Caller,
    row: ApprovalRow,
    status: str,
    *,
    reason: str | None = None,
    shown: Mapping[str, Any] | None = None,
    result: bytes | None = None,
) -> Approval:
    decided = await store.DECIDE.one(
        caller.workspace_id, row.id, status, named(caller), reason, shown is not None, shown, result
    )
    data = {"operation": row.operation, "status": status}
    emit(Event("approval.decided", caller.workspace_id, row.id, data=data))
    return _shown(caller, decided)


def _visible(caller: Caller, row: ApprovalRow) -> bool:
    others = list_approvals.open_to(caller) and caller.inbox_ids is None and caller.tag_ids is None
    return others or principal_of(caller) == row.principal


def _shown(caller: Caller, row: ApprovalRow) -> Approval:
    return Approval(
        id=row.id,
        operation=row.operation,
        status=row.status,
        requested_by=Principal(**row.requested_by),
        arguments=dict(row.shown),
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        decided_by=None if row.decided_by is None else Principal(**row.decided_by),
        reason=row.reason,
        edited=row.edited,
        result=_result(caller, row),
    )


def _result(caller: Caller, row: ApprovalRow) -> Any:  # noqa: ANN401 - whatever the operation answers.
    """What the call answered, for its requester alone: it may hold a secret that is shown once."""
    if row.result is None or principal_of(caller) != row.principal:
        return None
    return orjson.loads(this_site().cipher.open(row.result, f"approved:{row.id}"))
