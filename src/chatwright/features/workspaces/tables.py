"""Tables of the workspaces room."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, TIMESTAMP, UUID

metadata = MetaData()
_now = text("now()")


def _moment(name: str, *, required: bool = False) -> "Column[object]":
    return Column(
        name, TIMESTAMP(timezone=True), nullable=not required, server_default=_now if required else None
    )


agencies = Table(
    "agencies",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("name", Text, nullable=False),
    _moment("created_at", required=True),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("agency_id", UUID, ForeignKey("agencies.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False, server_default="UTC"),
    Column("locale", Text, nullable=False, server_default="en"),
    _moment("created_at", required=True),
    Index("workspaces_agency", "agency_id", "id"),
)

agency_members = Table(
    "agency_members",
    metadata,
    Column("agency_id", UUID, ForeignKey("agencies.id"), primary_key=True),
    Column("user_id", UUID, ForeignKey("users.id"), primary_key=True),
    _moment("created_at", required=True),
)
"""People of the agency itself, who see and make its workspaces; a client's members are not among them."""

users = Table(
    "users",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    _moment("created_at", required=True),
)
"""People who sign in. The e-mail is kept in lower case."""

members = Table(
    "members",
    metadata,
    Column("workspace_id", UUID, ForeignKey("workspaces.id"), primary_key=True),
    Column("user_id", UUID, ForeignKey("users.id"), primary_key=True),
    Column("role", Text, nullable=False),
    _moment("created_at", required=True),
    Index("members_user", "user_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", BYTEA, primary_key=True),
    Column("user_id", UUID, ForeignKey("users.id"), nullable=False),
    Column("workspace_id", UUID, ForeignKey("workspaces.id"), nullable=False),
    Column("user_agent", Text, nullable=False, server_default=""),
    _moment("created_at", required=True),
    _moment("expires_at", required=True),
    Index("sessions_user", "user_id"),
    Index("sessions_expiry", "expires_at"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("token_hash", BYTEA, primary_key=True),
    Column("workspace_id", UUID, ForeignKey("workspaces.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("email", Text),
    Column("agency", Boolean, nullable=False, server_default="false"),
    _moment("created_at", required=True),
    _moment("expires_at", required=True),
    _moment("used_at"),
    Index("invitations_workspace", "workspace_id"),
)
"""One-time links: the first-run set-up link (role owner, no e-mail, into the agency too), the link for the
first owner of a further workspace, and invitations of members."""

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, ForeignKey("workspaces.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("token_hash", BYTEA, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("toolsets", ARRAY(Text)),
    Column("inbox_ids", ARRAY(UUID)),
    Column("tag_ids", ARRAY(UUID)),
    Column("calls_per_minute", Integer),
    Column("supervised", Boolean, nullable=False, server_default="false"),
    Column("created_by", Text, nullable=False),
    Column("maker_id", UUID),
    Column("made_by", ARRAY(UUID), nullable=False, server_default="{}"),
    _moment("created_at", required=True),
    _moment("expires_at"),
    _moment("last_used_at"),
    _moment("revoked_at"),
    Index("access_tokens_workspace", "workspace_id", "id"),
)
"""`maker_id` is the member behind a token, also at one remove; it never does more than they may do now. None for a
token that the server itself made at its set-up, and for those made with that. `made_by` are the tokens and grants
that a token comes from, the first one first: it ends with any of them."""

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("workspace_id", UUID, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", BYTEA, nullable=False),
)
"""The end of each workspace's chain. Its row lock orders the records, so it is taken last of all."""

audit_records = Table(
    "audit_records",
    metadata,
    Column("workspace_id", UUID, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
    Column("hash", BYTEA, nullable=False),
)
"""`body` is the record as canonical JSON; `hash` is SHA-256 of the hash before it, the number and the body."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("arguments_hash", BYTEA, nullable=False),
    Column("result", BYTEA, nullable=False),
    _moment("expires_at", required=True),
    Index("idempotency_keys_expiry", "expires_at"),
)

rate_buckets = Table(
    "rate_buckets",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("granted", Float, nullable=False),
    Column("per_second", Float, nullable=False, server_default="0"),
    _moment("updated_at", required=True),
    prefixes=["UNLOGGED"],
)
"""Token buckets shared by all processes. Unlogged: after a crash of the server everybody starts full."""
