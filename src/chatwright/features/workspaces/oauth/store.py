"""Queries of the authorization server."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatwright.features.workspaces.models import Role
from chatwright.features.workspaces.oauth.models import Grant, OAuthClient
from chatwright.features.workspaces.store import makers_stand
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
    made_by: list[UUID]
    """The tokens and grants that a machine's grant comes from, the first one first."""


GRANT_OF_TOKEN = Statement(
    "oauth.grant_of_token",
    f"""
    select given.id, given.workspace_id, given.client_id, given.client_name, token.resource, token.scopes,
           given.scopes as granted_scopes, given.read_only, given.toolsets, given.inbox_ids, given.tag_ids,
           given.calls_per_minute, given.supervised, least(token.expires_at, given.expires_at) as expires_at,
           given.last_used_at is null or given.last_used_at < now() - interval '1 minute' as untouched,
           given.made_by, given.user_id, users.name as user_name, members.role,
           exists (select from agency_members join workspaces using (agency_id)
                   where workspaces.id = given.workspace_id and agency_members.user_id = given.user_id) as agency
    from oauth_tokens token
    join oauth_grants given on given.id = token.grant_id
    left join members on members.workspace_id = given.workspace_id and members.user_id = given.user_id
    left join users on users.id = members.user_id
    where token.token_hash = $1 and token.kind = 'access'
      and token.revoked_at is null and token.expires_at > now()
      and given.revoked_at is null and (given.expires_at is null or given.expires_at > now())
      and (given.user_id is null or members.user_id is not null) and {makers_stand("given")}
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


@dataclass(frozen=True, slots=True)
class StoredClient:
    """A client with a row."""

    id: str
    workspace_id: UUID | None
    name: str
    secret_hash: bytes | None
    auth_method: str
    redirect_uris: list[str]
    scopes: list[str] | None
    machine: bool


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What is known of a client metadata document: its client, or why there is none."""

    client: dict[str, Any] | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person is in a workspace."""

    workspace_id: UUID
    workspace_name: str
    role: Role
    agency: bool


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """A grant that is good now."""

    id: UUID
    workspace_id: UUID
    scopes: list[str]
    read_only: bool
    inbox_ids: list[UUID] | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredCode:
    """An authorization code, used or not, with what it is good for."""

    grant_id: UUID
    workspace_id: UUID
    family: UUID
    client_id: str
    client_name: str
    redirect_uri: str
    challenge: str
    scopes: list[str]
    resource: str
    used: bool
    good: bool
    """Whether neither it nor its grant has ended."""


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An access or refresh token, with what it is good for."""

    kind: str
    grant_id: UUID
    workspace_id: UUID
    family: UUID
    client_id: str
    client_name: str
    scopes: list[str]
    resource: str
    user_id: UUID | None
    expires_at: datetime
    used_seconds: float | None
    """How long ago it was exchanged; None when it was not."""
    good: bool
    """Whether neither it nor its grant has ended, and its person is still a member."""


_CLIENT = "id, workspace_id, name, secret_hash, auth_method, redirect_uris, scopes, machine"
INSERT_CLIENT = Statement(
    "oauth.insert_client",
    f"""
    insert into oauth_clients ({_CLIENT}, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    returning id as client_id, name, machine, redirect_uris, created_by, created_at, last_used_at
    """,
    OAuthClient,
)
REGISTER_CLIENT = Statement(
    "oauth.register_client",
    f"""
    insert into oauth_clients ({_CLIENT}) values ($1, null, $2, $3, $4, $5, $6, false)
    returning extract(epoch from created_at)::bigint as issued_at
    """,
    value,
)
CROWD_OUT_CLIENTS = Statement(
    "oauth.crowd_out_clients",
    """
    delete from oauth_clients where id in (
        select id from oauth_clients where workspace_id is null and last_used_at is null
        order by created_at desc offset $1)
    """,
    value,
)
"""Of clients that registered and were never used, only the newest stay."""
FIND_CLIENT = Statement(
    "oauth.find_client",
    f"select {_CLIENT} from oauth_clients where id = $1 and revoked_at is null",
    StoredClient,
)
TOUCH_CLIENT = Statement(
    "oauth.touch_client",
    """
    update oauth_clients set last_used_at = now()
    where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
    """,
    value,
)
LIST_CLIENTS = Statement(
    "oauth.list_clients",
    """
    select id as client_id, name, machine, redirect_uris, created_by, created_at, last_used_at
    from oauth_clients where workspace_id = $1 and revoked_at is null and id > $2 order by id limit $3
    """,
    OAuthClient,
)
REVOKE_CLIENT = Statement(
    "oauth.revoke_client",
    "update oauth_clients set revoked_at = now() where workspace_id = $1 and id = $2 and revoked_at is null",
    value,
)
REVOKE_GRANTS_OF = Statement(
    "oauth.revoke_grants_of",
    """
    update oauth_grants set revoked_at = now()
    where workspace_id = $1 and client_id = $2 and revoked_at is null returning id
    """,
    value,
)

FIND_DOCUMENT = Statement(
    "oauth.find_document",
    "select client, problem from oauth_documents where url = $1 and expires_at > now()",
    StoredDocument,
)
KEEP_DOCUMENT = Statement(
    "oauth.keep_document",
    """
    insert into oauth_documents (url, client, problem, fetched_at, expires_at)
    values ($1, $2, $3, now(), now() + make_interval(secs => $4))
    on conflict (url) do update set client = excluded.client, problem = excluded.problem,
        fetched_at = excluded.fetched_at, expires_at = excluded.expires_at
    """,
    value,
)

STANDING = Statement(
    "oauth.standing",
    """
    select workspaces.id as workspace_id, workspaces.name as workspace_name, members.role,
           exists (select from agency_members where agency_members.agency_id = workspaces.agency_id
                   and agency_members.user_id = members.user_id) as agency
    from members join workspaces on workspaces.id = members.workspace_id
    where members.user_id = $1 and members.workspace_id = $2
    """,
    Standing,
)
LIVE_GRANTS = Statement(
    "oauth.live_grants",
    """
    select given.id, given.workspace_id, given.scopes, given.read_only, given.inbox_ids, given.expires_at
    from oauth_grants given join members using (workspace_id, user_id)
    where given.user_id = $1 and given.client_id = $2 and given.revoked_at is null
      and (given.expires_at is null or given.expires_at > now())
    """,
    LiveGrant,
)
GIVE = Statement(
    "oauth.give",
    """
    insert into oauth_grants as given
        (id, workspace_id, user_id, client_id, client_name, scopes, read_only, inbox_ids, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(days => $9::int))
    on conflict (workspace_id, user_id, client_id) where revoked_at is null do update set
        client_name = excluded.client_name, scopes = excluded.scopes, read_only = excluded.read_only,
        inbox_ids = excluded.inbox_ids, expires_at = excluded.expires_at, changed_at = now()
    returning id
    """,
    value,
)
"""A person's answer replaces the one before; toolsets, tags, rate and supervision, which it does not ask for, stay."""
_LIMITS = "toolsets, inbox_ids, tag_ids, calls_per_minute, supervised"
_GRANT = f"""
    given.id, given.client_id, given.client_name, given.user_id,
    (select name from users where users.id = given.user_id) as user_name,
    given.scopes, given.read_only, {_LIMITS}, given.created_at, given.changed_at, given.expires_at, given.last_used_at
"""
INSERT_GRANT = Statement(
    "oauth.insert_grant",
    f"""
    insert into oauth_grants as given
        (id, workspace_id, user_id, client_id, client_name, scopes, read_only, expires_at, made_by, {_LIMITS})
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) returning {_GRANT}
    """,
    Grant,
)
_LIVE = "given.workspace_id = $1 and given.revoked_at is null"
LIST_GRANTS = Statement(
    "oauth.list_grants",
    f"select {_GRANT} from oauth_grants given where {_LIVE} and given.id > $2 order by given.id limit $3",
    Grant,
)
_OWN = f"{_LIVE} and case when $2 then given.user_id is not distinct from $3 else given.id = $4 end"
LIST_CONNECTIONS = Statement(
    "oauth.list_connections",
    f"select {_GRANT} from oauth_grants given where {_OWN} and given.id > $5 order by given.id limit $6",
    Grant,
)
END_CONNECTION = Statement(
    "oauth.end_connection",
    f"update oauth_grants given set revoked_at = now() where {_OWN} and given.id = $5 returning {_GRANT}",
    Grant,
)
"""Of a person, all that they allowed; of a program, only what it was allowed itself."""
FIND_GRANT = Statement(
    "oauth.find_grant", f"select {_GRANT} from oauth_grants given where {_LIVE} and given.id = $2", Grant
)
LOCK_GRANT = Statement(
    "oauth.lock_grant",
    f"select {_GRANT} from oauth_grants given where {_LIVE} and given.id = $2 for update of given",
    Grant,
)
REVOKE_GRANT = Statement(
    "oauth.revoke_grant",
    f"update oauth_grants given set revoked_at = now() where {_LIVE} and given.id = $2 returning {_GRANT}",
    Grant,
)
NARROW_GRANT = Statement(
    "oauth.narrow_grant",
    f"""
    update oauth_grants given set scopes = $3, read_only = $4, expires_at = $5, toolsets = $6, inbox_ids = $7,
        tag_ids = $8, calls_per_minute = $9, supervised = $10, changed_at = now()
    where {_LIVE} and given.id = $2 returning {_GRANT}
    """,
    Grant,
)
GRANT_OF_MACHINE = Statement(
    "oauth.grant_of_machine",
    f"""
    select given.id, given.workspace_id, given.scopes, given.read_only, given.inbox_ids, given.expires_at
    from oauth_grants given left join members using (workspace_id, user_id)
    where given.workspace_id = $1 and given.client_id = $2 and given.revoked_at is null
      and (given.expires_at is null or given.expires_at > now())
      and (given.user_id is null or members.user_id is not null) and {makers_stand("given")}
    """,
    LiveGrant,
)

INSERT_CODE = Statement(
    "oauth.insert_code",
    """
    insert into oauth_codes
        (code_hash, grant_id, family, client_id, redirect_uri, challenge, scopes, resource, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9))
    """,
    value,
)
LOCK_CODE = Statement(
    "oauth.lock_code",
    """
    select code.grant_id, given.workspace_id, code.family, code.client_id, given.client_name, code.redirect_uri,
           code.challenge, code.scopes, code.resource, code.used_at is not null as used,
           code.expires_at > now() and given.revoked_at is null
               and (given.expires_at is null or given.expires_at > now()) as good
    from oauth_codes code join oauth_grants given on given.id = code.grant_id
    where code.code_hash = $1 for update of code
    """,
    StoredCode,
)
USE_CODE = Statement("oauth.use_code", "update oauth_codes set used_at = now() where code_hash = $1", value)

INSERT_TOKEN = Statement(
    "oauth.insert_token",
    """
    insert into oauth_tokens (token_hash, kind, grant_id, family, client_id, scopes, resource, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))
    """,
    value,
)
_ISSUED = f"""
    select token.kind, token.grant_id, given.workspace_id, token.family, token.client_id, given.client_name,
           token.scopes, token.resource, given.user_id, least(token.expires_at, given.expires_at) as expires_at,
           extract(epoch from clock_timestamp() - token.used_at)::float8 as used_seconds,
           token.revoked_at is null and token.expires_at > now() and given.revoked_at is null
               and (given.expires_at is null or given.expires_at > now())
               and (given.user_id is null or exists (
                   select from members where members.workspace_id = given.workspace_id
                   and members.user_id = given.user_id))
               and {makers_stand("given")} as good
    from oauth_tokens token join oauth_grants given on given.id = token.grant_id
    where token.token_hash = $1
"""
FIND_TOKEN = Statement("oauth.find_token", _ISSUED, StoredToken)
LOCK_TOKEN = Statement("oauth.lock_token", f"{_ISSUED} for update of token", StoredToken)
USE_TOKEN = Statement(
    "oauth.use_token", "update oauth_tokens set used_at = clock_timestamp() where token_hash = $1", value
)
REVOKE_TOKEN = Statement(
    "oauth.revoke_token",
    "update oauth_tokens set revoked_at = now() where token_hash = $1 and revoked_at is null",
    value,
)
REVOKE_FAMILY = Statement(
    "oauth.revoke_family",
    "update oauth_tokens set revoked_at = now() where family = $1 and revoked_at is null",
    value,
)

FORGET_CODES = Statement(
    "oauth.forget_codes", "delete from oauth_codes where expires_at < now() - interval '1 day'", value
)
FORGET_TOKENS = Statement(
    "oauth.forget_tokens", "delete from oauth_tokens where expires_at < now() - interval '1 day'", value
)
FORGET_DOCUMENTS = Statement(
    "oauth.forget_documents", "delete from oauth_documents where expires_at < now() - interval '1 day'", value
)
FORGET_CLIENTS = Statement(
    "oauth.forget_clients",
    """
    delete from oauth_clients client
    where workspace_id is null and (
        (last_used_at is null and created_at < now() - interval '1 day')
        or (last_used_at < now() - interval '90 days' and not exists (
            select from oauth_grants given where given.client_id = client.id and given.revoked_at is null)))
    """,
    value,
)
"""Clients that registered themselves and were not used for a day, or for 90 days and nobody allows them anything."""
