"""Queries of the workspaces room."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from chatwright.features.workspaces.models import (
    AccessToken,
    Member,
    Membership,
    Role,
    Workspace,
)
from chatwright.ports.database import Statement, record, value


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A record of the chain as stored."""

    seq: int
    body: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of a chain."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a presented access token stands for."""

    id: UUID
    workspace_id: UUID
    name: str
    scopes: list[str]
    read_only: bool
    toolsets: list[str] | None
    inbox_ids: list[UUID] | None
    tag_ids: list[UUID] | None
    calls_per_minute: int | None
    supervised: bool
    expires_at: datetime | None
    untouched: bool
    """Whether the time of its last use is to be written anew."""
    maker_id: UUID | None
    """The member behind it; None for a token of the server itself."""
    maker_role: Role | None
    """What that member may do now."""
    maker_agency: bool
    made_by: list[UUID]
    """The tokens and grants that it comes from, the first one first."""


@dataclass(frozen=True, slots=True)
class MakerRow:
    """What a token or grant that made others may do now."""

    id: UUID
    kind: Literal["token", "grant"]
    scopes: list[str]
    read_only: bool
    toolsets: list[str] | None
    inbox_ids: list[UUID] | None
    tag_ids: list[UUID] | None
    calls_per_minute: int | None
    supervised: bool
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ended:
    """Access that ended with its maker."""

    id: UUID
    kind: Literal["token", "grant"]


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """What a session cookie stands for."""

    user_id: UUID
    workspace_id: UUID
    name: str
    role: Role
    agency: bool
    """Whether the person belongs to the agency of the workspace."""


@dataclass(frozen=True, slots=True)
class KnownMember:
    """A person in one of their workspaces."""

    user_id: UUID
    workspace_id: UUID
    name: str
    role: Role
    agency: bool
    """Whether the person belongs to the agency of the workspace."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in needs to know of a user."""

    id: UUID
    password_hash: str | None
    workspace_id: UUID | None


@dataclass(frozen=True, slots=True)
class InvitationGrant:
    """What an unused one-time link stands for."""

    workspace_id: UUID
    role: Role
    email: str | None
    agency: bool


@dataclass(frozen=True, slots=True)
class StoredResult:
    """The result kept under an idempotency key, sealed: it may hold a secret that is shown once."""

    arguments_hash: bytes
    result: bytes


@dataclass(frozen=True, slots=True)
class TakenTokens:
    """What a token bucket gave, or took back, and what is left in it."""

    bucket: str
    granted: float
    tokens: float


APPEND_AUDIT = Statement(
    "workspaces.append_audit",
    """
    with head as (
        insert into audit_heads as heads (workspace_id, seq, hash)
        values ($1, 1, sha256($3::bytea || int8send(1) || convert_to($2::text, 'UTF8')))
        on conflict (workspace_id) do update
        set seq = heads.seq + 1,
            hash = sha256(heads.hash || int8send(heads.seq + 1) || convert_to($2::text, 'UTF8'))
        returning seq, hash)
    insert into audit_records (workspace_id, seq, body, hash) select $1, seq, $2, hash from head
    """,
    value,
)
AUDIT_HEAD = Statement(
    "workspaces.audit_head", "select seq, hash from audit_heads where workspace_id = $1", AuditHead
)
AUDIT_AFTER = Statement(
    "workspaces.audit_after",
    "select seq, body, hash from audit_records where workspace_id = $1 and seq > $2 order by seq limit $3",
    AuditRow,
)
AUDIT_PAGE = Statement(
    "workspaces.audit_page",
    """
    select seq, body, hash from audit_records
    where workspace_id = $1 and seq < $2
      and ($4::text is null or body::jsonb ->> 'operation' = $4)
      and ($5::text is null or body::jsonb ->> 'outcome' = $5)
      and ($6::text is null or body::jsonb -> 'principal' ->> 'id' = $6)
    order by seq desc limit $3
    """,
    AuditRow,
)

TRY_LOCK = Statement("workspaces.try_lock", "select pg_try_advisory_xact_lock($1) as locked", value)
STORED_RESULT = Statement(
    "workspaces.stored_result",
    """
    select arguments_hash, result from idempotency_keys
    where principal = $1 and operation = $2 and key = $3 and expires_at > now()
    """,
    StoredResult,
)
KEEP_RESULT = Statement(
    "workspaces.keep_result",
    """
    insert into idempotency_keys (principal, operation, key, arguments_hash, result, expires_at)
    values ($1, $2, $3, $4, $5, now() + interval '24 hours')
    on conflict (principal, operation, key) do update
    set arguments_hash = excluded.arguments_hash, result = excluded.result, expires_at = excluded.expires_at
    """,
    value,
)
FORGET_RESULTS = Statement(
    "workspaces.forget_results", "delete from idempotency_keys where expires_at <= now()", value
)

TAKE_TOKENS = Statement(
    "workspaces.take_tokens",
    """
    insert into rate_buckets as b (bucket, tokens, granted, per_second, updated_at)
    select asked.bucket, asked.burst - asked.wanted, asked.wanted, asked.per_second, clock_timestamp()
    from unnest($1::text[], $2::float8[], $3::float8[], $4::float8[])
            as asked (bucket, burst, per_second, wanted),
         set_config('synchronous_commit', 'off', true)
    order by asked.bucket
    on conflict (bucket) do update set
        granted = least(floor(least(excluded.tokens + excluded.granted, b.tokens
            + excluded.per_second * extract(epoch from clock_timestamp() - b.updated_at))), excluded.granted),
        tokens = least(excluded.tokens + excluded.granted, b.tokens
            + excluded.per_second * extract(epoch from clock_timestamp() - b.updated_at))
            - least(floor(least(excluded.tokens + excluded.granted, b.tokens
            + excluded.per_second * extract(epoch from clock_timestamp() - b.updated_at))), excluded.granted),
        per_second = excluded.per_second,
        updated_at = clock_timestamp()
    returning bucket, granted, tokens
    """,
    TakenTokens,
)
"""For buckets, their bursts and rates, and how many tokens are wanted of each: less than none gives some back.

A bucket that forgets its last second in a crash is no harm; a disk flush for every draw would be. Rows are locked in
the order of their names."""

FORGET_BUCKETS = Statement(
    "workspaces.forget_buckets",
    "delete from rate_buckets where updated_at < now() - interval '1 day'",
    value,
)
"""They are full by then, as one that is not there is. Strangers can make them: by the addresses that they try."""

INSERT_AGENCY = Statement(
    "workspaces.insert_agency", "insert into agencies (id, name) values ($1, $2)", value
)
INSERT_WORKSPACE = Statement(
    "workspaces.insert_workspace",
    """
    insert into workspaces (id, agency_id, name, timezone, locale) values ($1, $2, $3, $4, $5)
    returning id, name, timezone, locale, created_at
    """,
    Workspace,
)
FIND_WORKSPACE = Statement(
    "workspaces.find_workspace",
    "select id, name, timezone, locale, created_at from workspaces where id = $1",
    Workspace,
)
UPDATE_WORKSPACE = Statement(
    "workspaces.update_workspace",
    """
    update workspaces set name = coalesce($2, name), timezone = coalesce($3, timezone), locale = coalesce($4, locale)
    where id = $1 returning id, name, timezone, locale, created_at
    """,
    Workspace,
)
ANY_WORKSPACE = Statement("workspaces.any_workspace", "select id from workspaces order by id limit 1", value)
FOUNDING_LOCK = Statement(
    "workspaces.founding_lock", "select pg_advisory_xact_lock(hashtext('workspaces.founding'))", value
)
NEEDS_SETUP_LINK = Statement(
    "workspaces.needs_setup_link",
    """
    select not exists (select from members) and not exists (
        select from invitations where role = 'owner' and email is null and used_at is null and expires_at > now())
    """,
    value,
)
AGENCY_OF = Statement("workspaces.agency_of", "select agency_id from workspaces where id = $1", value)
AGENCY_WORKSPACES = Statement(
    "workspaces.agency_workspaces",
    """
    select id, name, timezone, locale, created_at from workspaces
    where agency_id = (select agency_id from workspaces where id = $1) and id > $2 order by id limit $3
    """,
    Workspace,
)

_LIMITS = "toolsets, inbox_ids, tag_ids, calls_per_minute, supervised"
_GRANTED = f"id, name, prefix, scopes, read_only, {_LIMITS}, created_by, created_at, expires_at, last_used_at"
INSERT_TOKEN = Statement(
    "workspaces.insert_token",
    f"""
    insert into access_tokens
        (id, workspace_id, name, prefix, token_hash, scopes, read_only, created_by, expires_at, maker_id, made_by,
         {_LIMITS})
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) returning {_GRANTED}
    """,
    AccessToken,
)
LIST_TOKENS = Statement(
    "workspaces.list_tokens",
    f"""
    select {_GRANTED} from access_tokens
    where workspace_id = $1 and revoked_at is null and id > $2 order by id limit $3
    """,
    AccessToken,
)
REVOKE_TOKEN = Statement(
    "workspaces.revoke_token",
    f"""
    update access_tokens set revoked_at = now()
    where workspace_id = $1 and id = $2 and revoked_at is null returning {_GRANTED}
    """,
    AccessToken,
)


def makers_stand(table: str) -> str:
    """The condition that none of the tokens and grants that a row comes from has ended."""
    return " and ".join(
        f"""not exists (select from {makers} maker where maker.id = any({table}.made_by)
            and (maker.revoked_at is not null or maker.expires_at <= now()))"""
        for makers in ("access_tokens", "oauth_grants")
    )


_MADE_OTHERS = f"scopes, read_only, {_LIMITS}, expires_at"
MAKERS = Statement(
    "workspaces.makers",
    f"""
    select id, 'token' as kind, {_MADE_OTHERS} from access_tokens where workspace_id = $1 and id = any($2::uuid[])
    union all
    select id, 'grant' as kind, {_MADE_OTHERS} from oauth_grants where workspace_id = $1 and id = any($2::uuid[])
    """,
    MakerRow,
)
END_MADE_BY = Statement(
    "workspaces.end_made_by",
    """
    with tokens as (
        update access_tokens set revoked_at = now()
        where workspace_id = $1 and made_by && $2::uuid[] and revoked_at is null returning id
    ), grants as (
        update oauth_grants set revoked_at = now()
        where workspace_id = $1 and made_by && $2::uuid[] and revoked_at is null returning id
    )
    select id, 'token' as kind from tokens union all select id, 'grant' as kind from grants
    """,
    Ended,
)
TOKEN_GRANT = Statement(
    "workspaces.token_grant",
    f"""
    select id, token.workspace_id, name, scopes, read_only, {_LIMITS}, expires_at, maker_id, made_by,
           last_used_at is null or last_used_at < now() - interval '1 minute' as untouched,
           members.role as maker_role,
           exists (select from agency_members join workspaces using (agency_id)
                   where workspaces.id = token.workspace_id and agency_members.user_id = maker_id) as maker_agency
    from access_tokens token
    left join members on members.workspace_id = token.workspace_id and members.user_id = maker_id
    where token_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())
      and (maker_id is null or members.user_id is not null) and {makers_stand("token")}
    """,
    TokenGrant,
)
TOUCH_TOKEN = Statement(
    "workspaces.touch_token",
    """
    update access_tokens set last_used_at = now()
    where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
    """,
    value,
)

INSERT_USER = Statement(
    "workspaces.insert_user",
    """
    insert into users (id, email, name, password_hash) values ($1, $2, $3, $4)
    on conflict (email) do nothing returning id
    """,
    value,
)
CREDENTIALS = Statement(
    "workspaces.credentials",
    """
    select users.id, password_hash,
           (select workspace_id from members where user_id = users.id order by created_at limit 1) as workspace_id
    from users where email = $1
    """,
    Credentials,
)
JOIN_AGENCY = Statement(
    "workspaces.join_agency",
    """
    insert into agency_members (agency_id, user_id) select agency_id, $2 from workspaces where id = $1
    on conflict do nothing
    """,
    value,
)
MEMBERSHIPS = Statement(
    "workspaces.memberships",
    """
    select workspaces.id as workspace_id, workspaces.name, members.role
    from members join workspaces on workspaces.id = members.workspace_id
    where members.user_id = $1 order by members.created_at
    """,
    Membership,
)
ADD_MEMBER = Statement(
    "workspaces.add_member",
    """
    insert into members (workspace_id, user_id, role) values ($1, $2, $3)
    on conflict (workspace_id, user_id) do nothing
    """,
    value,
)
_MEMBER = "users.id, users.name, users.email, members.role, members.created_at as joined_at"
LIST_MEMBERS = Statement(
    "workspaces.list_members",
    f"""
    select {_MEMBER} from members join users on users.id = members.user_id
    where members.workspace_id = $1 and users.id > $2 order by users.id limit $3
    """,
    Member,
)
FIND_MEMBER = Statement(
    "workspaces.find_member",
    f"""
    select {_MEMBER} from members join users on users.id = members.user_id
    where members.workspace_id = $1 and users.id = $2
    """,
    Member,
)
NAMES_OF_MEMBERS = Statement(
    "workspaces.names_of_members",
    """
    select users.id, users.name from members join users on users.id = members.user_id
    where members.workspace_id = $1 and users.id = any($2::uuid[])
    """,
    record,
)
SET_ROLE = Statement(
    "workspaces.set_role", "update members set role = $3 where workspace_id = $1 and user_id = $2", value
)
REMOVE_MEMBER = Statement(
    "workspaces.remove_member", "delete from members where workspace_id = $1 and user_id = $2", value
)
LOCK_OWNERS = Statement(
    "workspaces.lock_owners",
    "select user_id from members where workspace_id = $1 and role = 'owner' order by user_id for update",
    value,
)

INSERT_INVITATION = Statement(
    "workspaces.insert_invitation",
    """
    insert into invitations (token_hash, workspace_id, role, email, agency, expires_at)
    values ($1, $2, $3, $4, $5, now() + make_interval(hours => $6))
    """,
    value,
)
USE_INVITATION = Statement(
    "workspaces.use_invitation",
    """
    update invitations set used_at = now()
    where token_hash = $1 and used_at is null and expires_at > now()
    returning workspace_id, role, email, agency
    """,
    InvitationGrant,
)
INSERT_SESSION = Statement(
    "workspaces.insert_session",
    """
    insert into sessions (token_hash, user_id, workspace_id, user_agent, expires_at)
    values ($1, $2, $3, $4, now() + make_interval(hours => $5)) returning expires_at
    """,
    value,
)
SESSION_GRANT = Statement(
    "workspaces.session_grant",
    """
    select users.id as user_id, sessions.workspace_id, users.name, members.role,
           exists (select from agency_members join workspaces using (agency_id)
                   where workspaces.id = sessions.workspace_id and agency_members.user_id = users.id) as agency
    from sessions join users on users.id = sessions.user_id
    join members on members.user_id = users.id and members.workspace_id = sessions.workspace_id
    where token_hash = $1 and expires_at > now()
    """,
    SessionGrant,
)
MEMBERS_BY_EMAIL = Statement(
    "workspaces.members_by_email",
    """
    select users.id as user_id, members.workspace_id, users.name, members.role,
           exists (select from agency_members join workspaces using (agency_id)
                   where workspaces.id = members.workspace_id and agency_members.user_id = users.id) as agency
    from users join members on members.user_id = users.id
    where users.email = $1 and ($2::uuid is null or members.workspace_id = $2) limit 2
    """,
    KnownMember,
)
"""In the workspace that was named; where none was, in those they work in."""
MOVE_SESSION = Statement(
    "workspaces.move_session",
    """
    update sessions set workspace_id = $2
    where token_hash = $1 and exists (
        select from members where members.user_id = sessions.user_id and members.workspace_id = $2)
    """,
    value,
)
END_SESSION = Statement("workspaces.end_session", "delete from sessions where token_hash = $1", value)
END_SESSIONS_OF = Statement(
    "workspaces.end_sessions_of", "delete from sessions where workspace_id = $1 and user_id = $2", value
)
FORGET_SESSIONS = Statement(
    "workspaces.forget_sessions", "delete from sessions where expires_at <= now()", value
)
