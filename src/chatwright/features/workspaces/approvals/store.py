"""Queries of the approval queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatwright.features.workspaces.approvals.models import ApprovalPolicySetting, Status
from chatwright.features.workspaces.models import Role
from chatwright.features.workspaces.store import makers_stand
from chatwright.ports.database import Statement, value


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """An approval as stored."""

    id: UUID
    workspace_id: UUID
    operation: str
    principal: str
    requested_by: Mapping[str, str]
    person_id: UUID | None
    shown: Mapping[str, Any]
    sealed: bytes | None
    status: Status
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: Mapping[str, str] | None
    reason: str | None
    edited: bool
    result: bytes | None


@dataclass(frozen=True, slots=True)
class Place:
    """A call's place in the queue."""

    id: UUID
    expires_at: datetime
    fresh: bool
    """Whether it was not there before."""


@dataclass(frozen=True, slots=True)
class Expired:
    """A call that nobody decided in time."""

    id: UUID
    workspace_id: UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """What a principal may do now."""

    scopes: list[str] | None
    """Those it was given; None for a member, whose role says."""
    read_only: bool
    toolsets: list[str] | None
    inbox_ids: list[UUID] | None
    tag_ids: list[UUID] | None
    calls_per_minute: int | None
    supervised: bool
    expires_at: datetime | None
    role: Role | None
    """Of the member behind it; None for the server's own."""
    agency: bool
    made_by: list[UUID]
    """The tokens and grants that it comes from, the first one first."""


_ROW = """
    id, workspace_id, operation, principal, requested_by, person_id, shown, sealed,
    case when status = 'waiting' and expires_at <= now() then 'expired' else status end as status,
    created_at, expires_at, decided_at, decided_by, reason, edited, result
"""
ENQUEUE = Statement(
    "approvals.enqueue",
    """
    insert into approvals
        (id, workspace_id, operation, principal, requested_by, person_id, shown, sealed, digest, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(
        hours => coalesce((select hours from approval_policies where workspace_id = $2), $10)))
    on conflict (workspace_id, digest) where status = 'waiting' do update set digest = excluded.digest
    returning id, expires_at, id = $1 as fresh
    """,
    Place,
)
COUNT_WAITING: Statement[int] = Statement(
    "approvals.count_waiting",
    "select count(*) from approvals where workspace_id = $1 and principal = $2 and status = 'waiting'",
    value,
)
FIND_APPROVAL = Statement(
    "approvals.find", f"select {_ROW} from approvals where workspace_id = $1 and id = $2", ApprovalRow
)
LOCK_APPROVAL = Statement(
    "approvals.lock",
    f"select {_ROW} from approvals where workspace_id = $1 and id = $2 for update",
    ApprovalRow,
)
LIST_APPROVALS = Statement(
    "approvals.list",
    f"""
    select {_ROW} from approvals
    where workspace_id = $1 and ($2::uuid is null or id < $2)
      and ($3::text is null
           or case when status = 'waiting' and expires_at <= now() then 'expired' else status end = $3)
    order by id desc limit $4
    """,
    ApprovalRow,
)
DECIDE = Statement(
    "approvals.decide",
    f"""
    update approvals
    set status = $3, decided_at = now(), decided_by = $4, reason = $5, edited = $6, shown = coalesce($7, shown),
        result = $8, sealed = null
    where workspace_id = $1 and id = $2 returning {_ROW}
    """,
    ApprovalRow,
)
EXPIRE = Statement(
    "approvals.expire",
    """
    update approvals set status = 'expired', decided_at = expires_at, sealed = null
    where id in (select id from approvals where status = 'waiting' and expires_at <= now()
                 order by id limit 500 for update skip locked)
    returning id, workspace_id
    """,
    Expired,
)
EXPIRE_SAME = Statement(
    "approvals.expire_same",
    """
    update approvals set status = 'expired', decided_at = expires_at, sealed = null
    where workspace_id = $1 and digest = $2 and status = 'waiting' and expires_at <= now()
    returning id, workspace_id
    """,
    Expired,
)
FORGET_OLD = Statement(
    "approvals.forget_old",
    "delete from approvals where status <> 'waiting' and decided_at <= now() - make_interval(days => $1)",
    value,
)

POLICY = Statement(
    "approvals.policy",
    "select supervision, hours from approval_policies where workspace_id = $1",
    ApprovalPolicySetting,
)
SET_POLICY = Statement(
    "approvals.set_policy",
    """
    insert into approval_policies (workspace_id, supervision, hours) values ($1, $2, $3)
    on conflict (workspace_id) do update set supervision = excluded.supervision, hours = excluded.hours
    returning supervision, hours
    """,
    ApprovalPolicySetting,
)

_BEHIND = """
    members.role,
    exists (select from agency_members join workspaces using (agency_id)
            where workspaces.id = $1 and agency_members.user_id = members.user_id) as agency
"""
_LIMITS = "toolsets, inbox_ids, tag_ids, calls_per_minute, supervised"
TOKEN_STANDING = Statement(
    "approvals.token_standing",
    f"""
    select scopes, read_only, {_LIMITS}, expires_at, made_by, {_BEHIND}
    from access_tokens token
    left join members on members.workspace_id = token.workspace_id and members.user_id = maker_id
    where token.workspace_id = $1 and token.id = $2
      and revoked_at is null and (expires_at is null or expires_at > now())
      and (maker_id is null or members.user_id is not null) and {makers_stand("token")}
    """,
    Standing,
)
GRANT_STANDING = Statement(
    "approvals.grant_standing",
    f"""
    select scopes, read_only, {_LIMITS}, expires_at, made_by, {_BEHIND}
    from oauth_grants given
    left join members on members.workspace_id = given.workspace_id and members.user_id = given.user_id
    where given.workspace_id = $1 and given.id = $2
      and revoked_at is null and (expires_at is null or expires_at > now())
      and (given.user_id is null or members.user_id is not null) and {makers_stand("given")}
    """,
    Standing,
)
KNOWS_GRANT = Statement(
    "approvals.knows_grant",
    "select exists (select from oauth_grants where workspace_id = $1 and id = $2) as known",
    value,
)
"""Whether a grant was ever given here; those of an outside issuer were not."""
MEMBER_STANDING = Statement(
    "approvals.member_standing",
    f"""
    select null::text[] as scopes, false as read_only, null::text[] as toolsets, null::uuid[] as inbox_ids,
           null::uuid[] as tag_ids, null::int as calls_per_minute, false as supervised,
           null::timestamptz as expires_at, '{{}}'::uuid[] as made_by, {_BEHIND}
    from members where members.workspace_id = $1 and members.user_id = $2
    """,
    Standing,
)
