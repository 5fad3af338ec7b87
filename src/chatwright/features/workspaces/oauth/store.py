"""Queries of the authorization server."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatwright.features.workspaces.models import Role
from chatwright.ports.database import Statement, value


@dataclass(frozen=True, slots=True)
class PresentedGrant:
    """What a presented access token (`cwo_...`) stands for; `rules.scopes_of` says what it may do."""

    id: UUID
    """Of the grant."""
    workspace_id: UUID
    client_id: str
    client_name: str
    resource: str
    """What the token was made for: the MCP endpoint of this server, or of the server of that name before it."""
    scopes: list[str]
    """Of the token."""
    granted_scopes: list[str]
    """Of the grant, as it stands now."""
    read_only: bool
    toolsets: list[str] | None
    inbox_ids: list[UUID] | None
    tag_ids: list[UUID] | None
    calls_per_minute: int | None
    supervised: bool
    expires_at: datetime
    """When the token ends, or the grant before it."""
    untouched: bool
    """Whether the time of its last use is to be written anew."""
    user_id: UUID | None
    """The person behind it; None for a client of the server itself."""
    user_name: str | None
    role: Role | None
    """What that person may do now."""
    agency: bool


GRANT_OF_TOKEN = Statement(
    "oauth.grant_of_token",
    """
    select given.id, given.workspace_id, given.client_id, given.client_name, token.resource, token.scopes,
           given.scopes as granted_scopes, given.read_only, given.toolsets, given.inbox_ids, given.tag_ids,
           given.calls_per_minute, given.supervised, least(token.expires_at, given.expires_at) as expires_at,
           given.last_used_at is null or given.last_used_at < now() - interval '1 minute' as untouched,
           given.user_id, users.name as user_name, members.role,
           exists (select from agency_members join workspaces using (agency_id)
                   where workspaces.id = given.workspace_id and agency_members.user_id = given.user_id) as agency
    from oauth_tokens token
    join oauth_grants given on given.id = token.grant_id
    left join members on members.workspace_id = given.workspace_id and members.user_id = given.user_id
    left join users on users.id = members.user_id
    where token.token_hash = $1 and token.kind = 'access'
      and token.revoked_at is null and token.expires_at > now()
      and given.revoked_at is null and (given.expires_at is null or given.expires_at > now())
      and (given.user_id is null or members.user_id is not null)
    """,
    PresentedGrant,
)
"""By the SHA-256 of the token. No row: unknown, expired, revoked, or of somebody who is no member any more."""
TOUCH_GRANT = Statement(
    "oauth.touch_grant",
    """
    update oauth_grants set last_used_at = now()
    where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
    """,
    value,
)
