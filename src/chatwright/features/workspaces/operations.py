"""The verbs of the workspaces room."""

import secrets
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import available_timezones

from chatwright.features.workspaces import audit, store
from chatwright.features.workspaces.credentials import SHOWN_PREFIX, digest, new_token
from chatwright.features.workspaces.errors import (
    InboxNotFound,
    LastOwner,
    MemberNotFound,
    TagNotFound,
    TokenNotFound,
    UnknownScope,
    UnknownToolset,
)
from chatwright.features.workspaces.lineage import end_made_by, lineage_of
from chatwright.features.workspaces.models import (
    AccessToken,
    AuditRecord,
    AuditTrail,
    AuditVerdict,
    CreatedToken,
    CreatedWorkspace,
    CreateToken,
    CreateWorkspace,
    ExportAudit,
    Invitation,
    InviteMember,
    ListAudit,
    ListMembers,
    ListTokens,
    ListWorkspaces,
    Member,
    Removed,
    RemoveMember,
    RevokedToken,
    RevokeToken,
    Role,
    SetMemberRole,
    ShowWorkspace,
    UpdateWorkspace,
    VerifyAudit,
    Workspace,
)
from chatwright.features.workspaces.narrowing import (
    earlier,
    fewer,
    narrowed_inboxes,
    narrowed_tags,
    narrowed_toolsets,
)
from chatwright.features.workspaces.rules import OWNERS_SCOPE, scopes_of_member, unknown_scopes
from chatwright.kernel.caller import Caller, PrincipalKind
from chatwright.kernel.errors import FieldProblem, InvalidInput, NotFound, OutsideGrant, ScopeMissing
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, RateClass, operation
from chatwright.kernel.paging import Page, after_id, decode_cursor, page_of
from chatwright.ports.database import emit

INVITATION_HOURS = 72
WORKSPACE_ONLY = False
"""Of an invitation: it leads into one workspace, not into the agency."""


@operation(
    "workspace.get", tool="get_workspace", scope="workspace:read", effect=Effect.READ, http="GET /workspace"
)
async def get_workspace(caller: Caller, request: ShowWorkspace) -> Workspace:
    """Show the workspace this token or session works in."""
    del request
    workspace = await store.FIND_WORKSPACE.first(caller.workspace_id)
    if workspace is None:
        message = "This workspace no longer exists."
        raise NotFound(message)
    return workspace


@operation(
    "workspace.update",
    tool="update_workspace",
    scope="workspace:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PATCH /workspace",
)
async def update_workspace(caller: Caller, request: UpdateWorkspace) -> Workspace:
    """Change the workspace's name, time zone or language."""
    caller.require_every_inbox()
    _check_timezone(request.timezone)
    workspace = await store.UPDATE_WORKSPACE.one(
        caller.workspace_id, request.name, request.timezone, request.locale
    )
    emit(Event("workspace.updated", caller.workspace_id, caller.workspace_id))
    return workspace


@operation(
    "workspace.create",
    tool="create_workspace",
    scope="agency:write",
    effect=Effect.ADD,
    http="POST /workspaces",
)
async def create_workspace(caller: Caller, request: CreateWorkspace) -> CreatedWorkspace:
    """Create another workspace of the agency, for a client or a brand.

    Contacts and conversations are never shared between workspaces. A person who creates one becomes an owner of
    it; the one-time link makes somebody else one.
    """
    _check_timezone(request.timezone)
    caller.require_every_inbox()
    agency_id = await store.AGENCY_OF.one(caller.workspace_id)
    workspace = await store.INSERT_WORKSPACE.one(new_id(), agency_id, request.name, request.timezone, "en")
    if caller.kind is PrincipalKind.MEMBER:
        await store.ADD_MEMBER.run(workspace.id, UUID(caller.principal_id), "owner")
    link = secrets.token_urlsafe(32)
    await store.INSERT_INVITATION.run(
        digest(link), workspace.id, "owner", None, WORKSPACE_ONLY, INVITATION_HOURS
    )
    emit(Event("workspace.created", caller.workspace_id, workspace.id))
    return CreatedWorkspace(
        workspace=workspace, owner_path=f"/join#{link}", expires_in_hours=INVITATION_HOURS
    )


@operation(
    "workspace.list",
    tool="list_workspaces",
    scope="agency:read",
    effect=Effect.READ,
    http="GET /workspaces",
)
async def list_workspaces(caller: Caller, request: ListWorkspaces) -> Page[Workspace]:
    """List the workspaces of this agency."""
    caller.require_every_inbox()
    rows = await store.AGENCY_WORKSPACES.all(caller.workspace_id, after_id(request.cursor), request.limit + 1)
    return page_of(rows, request.limit, _by_id)


@operation(
    "members.list", tool="list_members", scope="workspace:read", effect=Effect.READ, http="GET /members"
)
async def list_members(caller: Caller, request: ListMembers) -> Page[Member]:
    """List the people who work in this workspace, with their roles."""
    rows = await store.LIST_MEMBERS.all(caller.workspace_id, after_id(request.cursor), request.limit + 1)
    return page_of(rows, request.limit, _by_id)


@operation(
    "members.invite",
    tool="invite_member",
    scope="workspace:write",
    effect=Effect.ADD,
    http="POST /members/invitations",
    errors=(OutsideGrant,),
    asks=True,
)
async def invite_member(caller: Caller, request: InviteMember) -> Invitation:
    """Make a one-time link with which a person joins this workspace, with no role that may do more than the caller.

    The link is shown once and works for 72 hours. Give it to the person yourself: no mail is sent.
    """
    _check_may_change(caller, request.role)
    _check_may_let_in(caller, request.role)
    link = secrets.token_urlsafe(32)
    await store.INSERT_INVITATION.run(
        digest(link),
        caller.workspace_id,
        request.role,
        request.email.lower(),
        WORKSPACE_ONLY,
        INVITATION_HOURS,
    )
    return Invitation(path=f"/join#{link}", expires_in_hours=INVITATION_HOURS)


@operation(
    "members.set_role",
    tool="set_member_role",
    scope="workspace:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PUT /members/{member_id}/role",
    errors=(MemberNotFound, LastOwner),
)
async def set_member_role(caller: Caller, request: SetMemberRole) -> Member:
    """Give a member another role. The last owner keeps theirs."""
    owners = await store.LOCK_OWNERS.all(caller.workspace_id)
    member = await _member(caller, request.member_id)
    _check_may_change(caller, member.role, request.role)
    if owners == [member.id] and request.role != "owner":
        message = f"{member.name} is the only owner."
        raise LastOwner(message)
    await store.SET_ROLE.run(caller.workspace_id, member.id, request.role)
    emit(Event("member.role_changed", caller.workspace_id, member.id, data={"role": request.role}))
    return await _member(caller, member.id)


@operation(
    "members.remove",
    tool="remove_member",
    scope="workspace:write",
    effect=Effect.DESTROY,
    idempotent=True,
    http="DELETE /members/{member_id}",
    errors=(MemberNotFound, LastOwner),
)
async def remove_member(caller: Caller, request: RemoveMember) -> Removed:
    """Remove a member from this workspace and end their sessions in it."""
    owners = await store.LOCK_OWNERS.all(caller.workspace_id)
    member = await _member(caller, request.member_id)
    _check_may_change(caller, member.role)
    if owners == [member.id]:
        message = f"{member.name} is the only owner."
        raise LastOwner(message)
    await store.REMOVE_MEMBER.run(caller.workspace_id, member.id)
    await store.END_SESSIONS_OF.run(caller.workspace_id, member.id)
    emit(Event("member.removed", caller.workspace_id, member.id))
    return Removed(id=member.id, name=member.name)


@operation(
    "token.create",
    tool="create_access_token",
    scope="tokens:write",
    effect=Effect.ADD,
    http="POST /tokens",
    errors=(UnknownScope, UnknownToolset, InboxNotFound, TagNotFound, OutsideGrant),
)
async def create_token(caller: Caller, request: CreateToken) -> CreatedToken:
    """Create an access token for a program. Its secret is shown once, now.

    A token never gets more than its maker has: scopes, toolsets, inboxes, tags, rate, supervision and expiry are
    narrowed to the maker's, also when those are narrowed later. Made with a token or an OAuth grant, it shares that
    one's rate and ends with it.
    """
    scopes = sorted(caller.scopes) if request.scopes is None else sorted(set(request.scopes))
    if unknown := unknown_scopes(scopes):
        message = f"There is no scope called {', '.join(unknown)}."
        raise UnknownScope(message, fields=[FieldProblem(path="scopes", message=message)])
    for scope in scopes:
        if not caller.may(scope):
            raise ScopeMissing(scope)
    if request.expires_at is not None and request.expires_at <= datetime.now(UTC):
        message = "The expiry lies in the past."
        raise InvalidInput(message, fields=[FieldProblem(path="expires_at", message=message)])
    token = new_token()
    row = await store.INSERT_TOKEN.one(
        new_id(),
        caller.workspace_id,
        request.name,
        token[:SHOWN_PREFIX],
        digest(token),
        scopes,
        request.read_only,
        caller.name,
        earlier(caller.expires_at, request.expires_at),
        caller.person_id,
        lineage_of(caller),
        narrowed_toolsets(caller, request.toolsets),
        await narrowed_inboxes(caller, request.inbox_ids),
        await narrowed_tags(caller, request.tag_ids),
        fewer(caller.calls_per_minute, request.calls_per_minute),
        caller.supervised or request.supervised,
    )
    emit(Event("token.created", caller.workspace_id, row.id))
    return CreatedToken(token=token, access_token=row)


@operation(
    "token.list", tool="list_access_tokens", scope="tokens:read", effect=Effect.READ, http="GET /tokens"
)
async def list_tokens(caller: Caller, request: ListTokens) -> Page[AccessToken]:
    """List the access tokens that were not revoked, without their secrets."""
    rows = await store.LIST_TOKENS.all(caller.workspace_id, after_id(request.cursor), request.limit + 1)
    return page_of(rows, request.limit, _by_id)


@operation(
    "token.revoke",
    tool="revoke_access_token",
    scope="tokens:write",
    effect=Effect.DESTROY,
    http="DELETE /tokens/{token_id}",
    errors=(TokenNotFound,),
)
async def revoke_token(caller: Caller, request: RevokeToken) -> RevokedToken:
    """Revoke an access token, and all that was made with it. It is refused everywhere within a second."""
    caller.require_every_inbox()
    row = await store.REVOKE_TOKEN.first(caller.workspace_id, request.token_id)
    if row is None:
        message = "There is no such token, or it was revoked already."
        raise TokenNotFound(message)
    emit(Event("token.revoked", caller.workspace_id, row.id))
    ended = await end_made_by(caller.workspace_id, row.id)
    return RevokedToken(**row.model_dump(), ended_with_it=ended)


@operation("audit.list", tool="list_audit_records", scope="audit:read", effect=Effect.READ, http="GET /audit")
async def list_audit(caller: Caller, request: ListAudit) -> Page[AuditRecord]:
    """List audit records, newest first: who did what, through which face, and how it ended."""
    caller.require_every_inbox()
    before = 2**62
    if request.cursor is not None:
        (before,) = decode_cursor(request.cursor, int)
    rows = await store.AUDIT_PAGE.all(
        caller.workspace_id,
        before,
        request.limit + 1,
        request.operation,
        request.outcome,
        request.principal_id,
    )
    records = [AuditRecord(**audit.as_line(row)) for row in rows]
    return page_of(records, request.limit, lambda record: (record.seq,))


@operation(
    "audit.verify",
    tool="verify_audit",
    scope="audit:read",
    effect=Effect.READ,
    http="GET /audit/verification",
)
async def verify_audit(caller: Caller, request: VerifyAudit) -> AuditVerdict:
    """Check the audit chain of this workspace and name the first record that was edited, deleted or moved."""
    del request
    caller.require_every_inbox()
    verdict = await audit.verify(caller.workspace_id)
    return AuditVerdict(
        intact=verdict.broken_at is None,
        records=verdict.records,
        broken_at=verdict.broken_at,
        reason=verdict.reason,
    )


@operation(
    "audit.export",
    tool="export_audit",
    scope="audit:read",
    effect=Effect.READ,
    http="GET /audit/export",
    surfaces=frozenset(),
    rate=RateClass(per_minute=30, burst=10),
    asks=True,
)
async def export_audit(caller: Caller, request: ExportAudit) -> AuditTrail:
    """Say whose trail the caller may have; the face that was asked for it streams the records."""
    del request
    caller.require_every_inbox()
    return AuditTrail(workspace_id=caller.workspace_id)


async def _member(caller: Caller, member_id: UUID) -> Member:
    member = await store.FIND_MEMBER.first(caller.workspace_id, member_id)
    if member is None:
        message = "There is no such member in this workspace."
        raise MemberNotFound(message)
    return member


def _check_may_change(caller: Caller, *roles: Role) -> None:
    """Only an owner, or a program of one, touches owners; nobody limited to some inboxes touches members at all."""
    caller.require_every_inbox()
    if "owner" in roles:
        caller.require(OWNERS_SCOPE)


def _check_may_let_in(caller: Caller, role: Role) -> None:
    """Whoever has the link can be the member, so it must not lead to more than its maker has."""
    if caller.operations is not None or caller.tag_ids is not None:
        message = "A member has none of the limits of this access."
        raise OutsideGrant(message)
    for scope in sorted(scopes_of_member(role, agency=WORKSPACE_ONLY)):
        caller.require(scope)


def _check_timezone(timezone: str | None) -> None:
    if timezone is not None and timezone not in available_timezones():
        message = f"'{timezone}' is not an IANA time zone."
        raise InvalidInput(message, fields=[FieldProblem(path="timezone", message=message)])


def _by_id(row: Workspace | Member | AccessToken) -> tuple[str]:
    return (str(row.id),)
