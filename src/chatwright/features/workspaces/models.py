"""What goes in and out of the workspaces room."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import EmailStr, Field

from chatwright.kernel.moments import Moment
from chatwright.kernel.operation import OUTSIDE, Input, Output
from chatwright.kernel.paging import PageRequest

Role = Literal["owner", "admin", "agent", "analyst"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
TimeZone = Annotated[str, Field(max_length=64)]

Words = Annotated[str, Field(max_length=100)]
Scopes = Annotated[list[Words], Field(max_length=100)]
Toolsets = Annotated[list[Words], Field(min_length=1, max_length=100)]
Ids = Annotated[list[UUID], Field(min_length=1, max_length=1000)]
"""Of what access is limited to."""
CallsPerMinute = Annotated[int, Field(ge=1, le=12_000)]


class Workspace(Output):
    """One business's space: its contacts, conversations and inboxes."""

    id: UUID
    """Id of the workspace."""
    name: str
    """Name people see."""
    timezone: str
    """IANA time zone, e.g. `Asia/Ho_Chi_Minh`."""
    locale: str
    """Language tag, e.g. `en` or `vi`."""
    created_at: datetime
    """When it was made."""


class ShowWorkspace(Input):
    """The caller's own workspace; nothing to choose."""


class UpdateWorkspace(Input):
    """Changes to the workspace; what is left out stays."""

    name: Name | None = None
    """New name."""
    timezone: TimeZone | None = None
    """New IANA time zone."""
    locale: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)] | None = None
    """New language tag."""


class CreateWorkspace(Input):
    """A further workspace of the same agency."""

    name: Name
    """Name people see."""
    timezone: TimeZone = "UTC"
    """IANA time zone."""


class CreatedWorkspace(Output):
    """A new workspace and the way into it."""

    workspace: Workspace
    """The workspace."""
    owner_path: str
    """Path of a one-time link, below this server's address, that makes whoever uses it an owner; shown once."""
    expires_in_hours: int
    """How long the link works."""


class ListWorkspaces(PageRequest):
    """The workspaces of the caller's agency."""


class Membership(Output):
    """A workspace that a person works in."""

    workspace_id: UUID
    """Id of the workspace."""
    name: str
    """Its name."""
    role: Role
    """What the person may do there."""


class EnterWorkspace(Input):
    """A workspace to go on in."""

    workspace_id: UUID
    """Id of the workspace."""


class Member(Output):
    """A person who works in the workspace."""

    id: UUID
    """Id of the person."""
    name: str
    """Name people see."""
    email: str
    """The address they sign in with."""
    role: Role
    """What they may do."""
    joined_at: datetime
    """When they joined."""


class ListMembers(PageRequest):
    """The members of the workspace."""


class InviteMember(Input):
    """An invitation by link."""

    email: EmailStr
    """Address of the person to invite."""
    role: Role = "agent"
    """Role they get on joining."""


class Invitation(Output):
    """A one-time link; it is shown once and not kept."""

    path: str
    """Path of the page where the person sets a name and password, below this server's address."""
    expires_in_hours: int
    """How long the link works."""


class SetMemberRole(Input):
    """A new role for a member."""

    member_id: UUID
    """Id of the member."""
    role: Role
    """The new role."""


class RemoveMember(Input):
    """A member to remove."""

    member_id: UUID
    """Id of the member."""


class Removed(Output):
    """Something is no longer there."""

    id: UUID
    """Id of what was removed."""
    name: Annotated[str | None, OUTSIDE] = None
    """What it was called, where it had a name."""


class AccessToken(Output):
    """An access token, without the secret part."""

    id: UUID
    """Id of the token."""
    name: str
    """What it is for."""
    prefix: str
    """Its first characters, to recognise it by."""
    scopes: list[str]
    """What it may do."""
    read_only: bool
    """Whether it may only read, whatever its scopes say."""
    toolsets: list[str] | None
    """Toolsets it is limited to; all that its scopes reach when absent."""
    inbox_ids: list[UUID] | None
    """Inboxes it is limited to; all when absent."""
    tag_ids: list[UUID] | None
    """Tags it is limited to: it sees contacts that carry one of them, and what belongs to those; all when absent."""
    calls_per_minute: int | None
    """A rate of its own; the usual one when absent."""
    supervised: bool
    """Whether a person has to approve its risky calls."""
    created_by: str
    """Who made it."""
    created_at: datetime
    """When it was made."""
    expires_at: datetime | None
    """When it stops working."""
    last_used_at: datetime | None
    """When it was last used, to the minute."""


class RevokedToken(AccessToken):
    """A token that was revoked."""

    ended_with_it: int
    """How many tokens and grants that it had made ended with it."""


class CreateToken(Input):
    """A new access token."""

    name: Name
    """What it is for."""
    scopes: Scopes | None = None
    """Scopes such as `contacts:read`; everything the caller may do when absent."""
    read_only: bool = False
    """Whether it may only read."""
    toolsets: Toolsets | None = None
    """Limit it to these toolsets: a room such as `contacts`, or a job such as `agent`."""
    inbox_ids: Ids | None = None
    """Limit it to these inboxes."""
    tag_ids: Ids | None = None
    """Limit it to contacts that carry one of these tags, and to what belongs to those."""
    calls_per_minute: CallsPerMinute | None = None
    """Limit it to so many calls a minute, of which a tenth may come at once."""
    supervised: bool = False
    """Whether a person has to approve its risky calls."""
    expires_at: Moment | None = None
    """When it stops working; never when absent."""


class CreatedToken(Output):
    """A new token with its secret, which is shown only now."""

    token: str
    """The secret to present as a bearer token."""
    access_token: AccessToken
    """What the token may do."""


class ListTokens(PageRequest):
    """The tokens that still work."""


class RevokeToken(Input):
    """A token to revoke."""

    token_id: UUID
    """Id of the token."""


class AuditRecord(Output):
    """One record of the audit trail."""

    seq: int
    """Number in the workspace's chain, from 1."""
    at: datetime
    """When the call ended."""
    principal: dict[str, str]
    """Who called: `kind`, `id` and `name`."""
    surface: str
    """Through which face."""
    client: str
    """With which program."""
    trust: str
    """Whether the call came from our own people's words or from untrusted text."""
    operation: str
    """What was called."""
    arguments: Any
    """Shape of the arguments: ids and numbers as they were, text as its length."""
    outcome: Literal["done", "replayed", "refused", "failed", "asked"]
    """How it ended."""
    error: str | None
    """Code of the error, if any."""
    request_id: str
    """Id of the call in the logs."""
    consent: dict[str, Any] | None = None
    """Who let it happen, where somebody had to: `kind` is `confirmed` or `approved`, with `approval_id` and `by`."""
    hash: str
    """Hash of the chain up to here, in hex."""


class ListAudit(PageRequest):
    """Which audit records to show, newest first."""

    operation: Annotated[str, Field(max_length=100)] | None = None
    """Only calls of this operation."""
    outcome: Literal["done", "replayed", "refused", "failed", "asked"] | None = None
    """Only calls that ended like this."""
    principal_id: Annotated[str, Field(max_length=100)] | None = None
    """Only calls of this principal."""


class ExportAudit(Input):
    """The whole audit trail."""


class AuditTrail(Output):
    """An audit trail that may be written out."""

    workspace_id: UUID
    """Whose it is."""


class VerifyAudit(Input):
    """Check the caller's own workspace; nothing to choose."""


class AuditVerdict(Output):
    """What checking the audit chain found."""

    intact: bool
    """Whether no record was edited, deleted or moved."""
    records: int
    """How many records were found in order."""
    broken_at: int | None
    """Number of the first record at fault."""
    reason: str | None
    """What is wrong with it."""
