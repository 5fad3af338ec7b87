"""Proving who calls: access tokens, passwords, sessions and one-time links."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import AfterValidator, EmailStr, Field, SecretStr

from chatwright.features.workspaces import store
from chatwright.features.workspaces.errors import WorkspaceNotFound
from chatwright.features.workspaces.models import Membership, Name
from chatwright.features.workspaces.rules import effective_scopes, narrowed_scopes, scopes_of_member
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.errors import Conflict, InvalidInput, Unauthenticated
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Input
from chatwright.ports.database import Database
from chatwright.ports.toolsets import operations_of

TOKEN_PREFIX = "cw_"  # noqa: S105 - the public part of every token.
SHOWN_PREFIX = 9
CACHE_SECONDS = 0.8
"""How long a verified token is believed without asking the store: a revocation counts within a second."""
SESSION_HOURS = 24 * 14
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

Limit = TypeVar("Limit")


def new_token() -> str:
    """A fresh access token: the prefix and 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """How tokens and links are stored: they are random, so a plain SHA-256 keeps them."""
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class Presented:
    """How a call presents itself beside its credentials."""

    surface: Surface
    client: str = ""
    request_id: str = ""


class Authenticator:
    """Turns credentials into callers. When the store cannot be asked, nobody is let in (Unavailable)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: dict[bytes, tuple[store.TokenGrant, float]] = {}

    async def by_token(self, token: str, presented: Presented) -> Caller:
        """The caller behind an access token; raises Unauthenticated."""
        grant = await self._grant_of(token)
        return Caller(
            workspace_id=grant.workspace_id,
            kind=PrincipalKind.TOKEN,
            principal_id=str(grant.id),
            name=grant.name,
            scopes=_scopes_of(grant),
            surface=presented.surface,
            toolsets=_set_of(grant.toolsets),
            operations=None if grant.toolsets is None else operations_of(grant.toolsets),
            inbox_ids=_set_of(grant.inbox_ids),
            tag_ids=_set_of(grant.tag_ids),
            calls_per_minute=grant.calls_per_minute,
            supervised=grant.supervised,
            person_id=grant.maker_id,
            expires_at=grant.expires_at,
            client=presented.client,
            request_id=presented.request_id or new_id().hex,
        )

    async def by_session(self, cookie: str, presented: Presented) -> Caller:
        """The caller behind a session cookie; raises Unauthenticated."""
        async with self._database.autocommit():
            grant = await store.SESSION_GRANT.first(digest(cookie))
        if grant is None:
            message = "This session has ended."
            raise Unauthenticated(message, hint="Sign in again.")
        return Caller(
            workspace_id=grant.workspace_id,
            kind=PrincipalKind.MEMBER,
            principal_id=str(grant.user_id),
            name=grant.name,
            scopes=scopes_of_member(grant.role, agency=grant.agency),
            surface=presented.surface,
            person_id=grant.user_id,
            client=presented.client,
            request_id=presented.request_id or new_id().hex,
        )

    async def _grant_of(self, token: str) -> store.TokenGrant:
        key = digest(token)
        grant, believed_until = self._tokens.get(key, (None, 0.0))
        asked_at = time.monotonic()
        if grant is not None and asked_at < believed_until:
            return grant
        self._tokens.pop(key, None)
        async with self._database.autocommit():
            grant = await store.TOKEN_GRANT.first(key)
            if grant is None:
                message = "This access token is unknown, expired or revoked."
                raise Unauthenticated(
                    message, hint="Make a new one with: chatwright token create --name NAME"
                )
            if grant.untouched:
                await store.TOUCH_TOKEN.run(grant.id)
        if len(self._tokens) > 10_000:
            self._tokens.clear()
        self._tokens[key] = (grant, asked_at + CACHE_SECONDS)
        return grant


def _set_of(limits: Iterable[Limit] | None) -> frozenset[Limit] | None:
    return None if limits is None else frozenset(limits)


def _scopes_of(grant: store.TokenGrant) -> frozenset[str]:
    scopes = effective_scopes(grant.scopes, read_only=grant.read_only)
    if grant.maker_role is None:
        return scopes
    return narrowed_scopes(scopes, scopes_of_member(grant.maker_role, agency=grant.maker_agency))


class SignIn(Input):
    """Credentials of a person."""

    email: EmailStr
    """The address they joined with."""
    password: SecretStr
    """Their password."""


def _long_enough(password: SecretStr) -> SecretStr:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        message = f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
        raise ValueError(message)
    return password


NewPassword = Annotated[
    SecretStr,
    AfterValidator(_long_enough),
    Field(json_schema_extra={"minLength": SHORTEST_PASSWORD, "maxLength": LONGEST_PASSWORD}),
]
"""Judged by ourselves: pydantic would tell a person of the items of a password."""


class Join(Input):
    """What a person gives to use a one-time link."""

    link: str
    """The secret part of the link."""
    email: EmailStr
    """The address to sign in with from now on."""
    name: Name
    """Name people see."""
    password: NewPassword
    """A new password, 10 characters or more; of an account there is, its password."""


class Sessions:
    """Signing in and out."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hasher = PasswordHasher()
        self._dummy_hash = self._hasher.hash(secrets.token_urlsafe())

    async def sign_in(self, request: SignIn, user_agent: str) -> str:
        """Check a password; returns the new session's cookie value. Raises Unauthenticated."""
        async with self._database.transaction():
            found = await store.CREDENTIALS.first(request.email.lower())
        stored = found.password_hash if found and found.password_hash else self._dummy_hash
        valid = await asyncio.to_thread(self._verify, stored, request.password.get_secret_value())
        if not (valid and found and found.password_hash and found.workspace_id):
            message = "E-mail or password is wrong."
            raise Unauthenticated(message)
        async with self._database.transaction():
            return await self._open(found.id, found.workspace_id, user_agent)

    async def join(self, request: Join, user_agent: str) -> str:
        """Use a one-time link: make the person a member with the link's role, signed in.

        Who has an account already gives its password, and so joins a further workspace.
        """
        password = request.password.get_secret_value()
        password_hash = await asyncio.to_thread(self._hasher.hash, password)
        async with self._database.transaction():
            grant = await store.USE_INVITATION.first(digest(request.link))
            if grant is None:
                message = "This link was used already or has expired."
                raise InvalidInput(message)
            email = request.email.lower()
            if grant.email is not None and grant.email != email:
                message = "This link was made for another e-mail address."
                raise InvalidInput(message)
            user_id = await store.INSERT_USER.first(new_id(), email, request.name, password_hash)
            if user_id is None:
                user_id = await self._known(email, password)
            await store.ADD_MEMBER.run(grant.workspace_id, user_id, grant.role)
            if grant.agency:
                await store.JOIN_AGENCY.run(grant.workspace_id, user_id)
            return await self._open(user_id, grant.workspace_id, user_agent)

    async def enter(self, cookie: str, workspace_id: UUID) -> None:
        """Go on in another workspace of the person's own; raises WorkspaceNotFound."""
        async with self._database.transaction():
            if not await store.MOVE_SESSION.run(digest(cookie), workspace_id):
                raise WorkspaceNotFound("You are no member of such a workspace.")

    async def memberships(self, user_id: UUID) -> list[Membership]:
        """The workspaces that a person works in, the oldest first."""
        async with self._database.transaction():
            return await store.MEMBERSHIPS.all(user_id)

    async def sign_out(self, cookie: str) -> None:
        """End a session; an unknown one is no error."""
        async with self._database.transaction():
            await store.END_SESSION.run(digest(cookie))

    async def _known(self, email: str, password: str) -> UUID:
        found = await store.CREDENTIALS.one(email)
        if not await asyncio.to_thread(self._verify, found.password_hash or self._dummy_hash, password):
            message = "There is an account with this e-mail already, and this is not its password."
            raise Conflict(message)
        return found.id

    async def _open(self, user_id: UUID, workspace_id: UUID, user_agent: str) -> str:
        cookie = secrets.token_urlsafe(32)
        await store.INSERT_SESSION.run(digest(cookie), user_id, workspace_id, user_agent[:300], SESSION_HOURS)
        return cookie

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
