"""Tables of the authorization server. They point at people and workspaces, so they are among that room's."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP, UUID

from chatwright.features.workspaces.tables import metadata

__all__ = ["metadata"]

_now = text("now()")


def _moment(name: str, *, required: bool = False) -> "Column[object]":
    return Column(
        name, TIMESTAMP(timezone=True), nullable=not required, server_default=_now if required else None
    )


oauth_clients = Table(
    "oauth_clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", UUID, ForeignKey("workspaces.id")),
    Column("name", Text, nullable=False),
    Column("secret_hash", BYTEA),
    Column("auth_method", Text, nullable=False),
    Column("redirect_uris", ARRAY(Text), nullable=False),
    Column("scopes", ARRAY(Text)),
    Column("machine", Boolean, nullable=False, server_default="false"),
    Column("created_by", Text, nullable=False, server_default=""),
    _moment("created_at", required=True),
    _moment("last_used_at"),
    _moment("revoked_at"),
    Index("oauth_clients_workspace", "workspace_id", "id"),
    Index("oauth_clients_age", "created_at", postgresql_where=text("workspace_id is null")),
)
"""Clients that registered themselves (without a workspace) and those that a member made (`machine` when they act on
their own). A client known by its metadata document has no row: its id is the document's address."""

oauth_documents = Table(
    "oauth_documents",
    metadata,
    Column("url", Text, primary_key=True),
    Column("client", JSONB),
    Column("problem", Text),
    _moment("fetched_at", required=True),
    _moment("expires_at", required=True),
    Index("oauth_documents_expiry", "expires_at"),
)
"""Client metadata documents as they were fetched: what one says of its client, or why it is none."""

oauth_grants = Table(
    "oauth_grants",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("workspace_id", UUID, ForeignKey("workspaces.id"), nullable=False),
    Column("user_id", UUID, ForeignKey("users.id")),
    Column("client_id", Text, nullable=False),
    Column("client_name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("read_only", Boolean, nullable=False, server_default="false"),
    Column("toolsets", ARRAY(Text)),
    Column("inbox_ids", ARRAY(UUID)),
    Column("tag_ids", ARRAY(UUID)),
    Column("calls_per_minute", Integer),
    Column("supervised", Boolean, nullable=False, server_default="false"),
    Column("made_by", ARRAY(UUID), nullable=False, server_default="{}"),
    _moment("created_at", required=True),
    _moment("changed_at", required=True),
    _moment("expires_at"),
    _moment("last_used_at"),
    _moment("revoked_at"),
    Index("oauth_grants_workspace", "workspace_id", "id"),
    Index("oauth_grants_client", "client_id"),
    Index(
        "oauth_grants_live",
        "workspace_id",
        "user_id",
        "client_id",
        unique=True,
        postgresql_where=text("revoked_at is null"),
    ),
)
"""What a person allowed a client in a workspace, one live row for the three. `user_id` is the person whose role
bounds it; None for a client that the server's own token made. Its columns of limits are those of access tokens, and so
is `made_by`, which grants of machines have."""

oauth_codes = Table(
    "oauth_codes",
    metadata,
    Column("code_hash", BYTEA, primary_key=True),
    Column("grant_id", UUID, ForeignKey("oauth_grants.id", ondelete="CASCADE"), nullable=False),
    Column("family", UUID, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("resource", Text, nullable=False),
    _moment("expires_at", required=True),
    _moment("used_at"),
    Index("oauth_codes_expiry", "expires_at"),
    Index("oauth_codes_grant", "grant_id"),
)
"""Authorization codes. `family` names the tokens that come of one, before there are any."""

oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    Column("token_hash", BYTEA, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("grant_id", UUID, ForeignKey("oauth_grants.id", ondelete="CASCADE"), nullable=False),
    Column("family", UUID, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("resource", Text, nullable=False),
    _moment("created_at", required=True),
    _moment("expires_at", required=True),
    _moment("used_at"),
    _moment("revoked_at"),
    Index("oauth_tokens_family", "family"),
    Index("oauth_tokens_grant", "grant_id"),
    Index("oauth_tokens_expiry", "expires_at"),
)
"""Access tokens and refresh tokens. `used_at` is when a refresh token was exchanged for the next one."""
