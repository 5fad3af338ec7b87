"""Proving who calls: access tokens, passwords, sessions and one-time links."""

import asyncio
import secrets
import time
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from pydantic import AfterValidator, EmailStr, Field, SecretStr

from chatwright.features.workspaces import store
from chatwright.features.workspaces.credentials import GRANT_PREFIX, TOKEN_PREFIX, digest
from chatwright.features.workspaces.errors import WorkspaceNotFound
from chatwright.features.workspaces.lineage import within_makers
from chatwright.features.workspaces.models import Membership, Name
from chatwright.features.workspaces.narrowing import operations_within
from chatwright.features.workspaces.oauth import store as oauth
from chatwright.features.workspaces.oauth.rules import scopes_of
from chatwright.features.workspaces.rules import effective_scopes, narrowed_scopes, scopes_of_member
from chatwright.features.workspaces.subjects import Subject
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.errors import Conflict, InvalidInput, Unauthenticated
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Input
from chatwright.ports.database import Database, emit

CACHE_SECONDS = 0.8
"""How long a verified token is believed without asking the store: a revocation counts within a second."""
MOST_KNOWN = 10_000
SESSION_HOURS = 24 * 14
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

Limit = TypeVar("Limit")


class Issuer(Protocol):
    """A server that is not ours and says who people are."""

    async def verify(self, token: str) -> Subject:
        """What a token stands for; raises Unauthenticated, or Unavailable when that cannot be told."""
        ...


class Presented(NamedTuple):
    """How a call presents itself beside its credentials."""

    surface: Surface
    client: str = ""
    request_id: str = ""
    resource: str = ""
    """What the caller wants to use, as tokens of OAuth grants name it: they are good for nothing else."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that was verified."""

    caller: Caller
    resource: str | None
    """What it was made for; None for anything."""
    believed_until: float


class Authenticator:
    """Turns credentials into callers. When the store cannot be asked, nobody is let in (Unavailable).

    With an outside issuer, tokens of grants are that one's alone; those that members made (`cw_`) stay good.
    """

    def __init__(self, database: Database, issuer: Issuer | None = None) -> None:
        self._database = database
        self._issuer = issuer
        self._known: dict[bytes, _Known] = {}

    async def by_token(self, token: str, presented: Presented) -> Caller:
        """The caller behind an access token; raises Unauthenticated."""
        known = await self._verified(token)
        if known.resource is not None and not _covers(known.resource, presented.resource):
            message = "This access token was made for something else than this."
            raise Unauthenticated(message, hint="Tokens of OAuth grants work at the MCP endpoint they name.")
        return _presented(known.caller, presented)

    async def by_session(self, cookie: str, presented: Presented) -> Caller:
        """The caller behind a session cookie; raises Unauthenticated."""
        async with self._database.autocommit():
            grant = await store.SESSION_GRANT.first(digest(cookie))
        if grant is None:
            message = "This session has ended."
            raise Unauthenticated(message, hint="Sign in again.")
        caller = Caller(
            workspace_id=grant.workspace_id,
            kind=PrincipalKind.MEMBER,
            principal_id=str(grant.user_id),
            name=grant.name,
            scopes=scopes_of_member(grant.role, agency=grant.agency),
            surface=presented.surface,
            person_id=grant.user_id,
        )
        return _presented(caller, presented)

    async def _verified(self, token: str) -> _Known:
        key = digest(token)
        known = self._known.get(key)
        asked_at = time.monotonic()
        if known is not None and asked_at < known.believed_until:
            return known
        self._known.pop(key, None)
        caller, resource = await self._ask(token)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        known = self._known[key] = _Known(caller, resource, asked_at + CACHE_SECONDS)
        return known

    async def _ask(self, token: str) -> tuple[Caller, str | None]:
        """Who is behind a token, and what it was made for."""
        if token.startswith(TOKEN_PREFIX):
            return await self._by_made_token(token), None
        if self._issuer is not None:
            return await self._by_outside_token(self._issuer, token), None
        if token.startswith(GRANT_PREFIX):
            return await self._by_granted_token(token)
        raise _nobody()

    async def _by_made_token(self, token: str) -> Caller:
        async with self._database.autocommit():
            grant = await store.TOKEN_GRANT.first(digest(token))
            if grant is None:
                raise _nobody(hint="Make a new one with: chatwright token create --name NAME")
            if grant.untouched:
                await store.TOUCH_TOKEN.run(grant.id)
            caller = Caller(
                kind=PrincipalKind.TOKEN,
                name=grant.name,
                scopes=_scopes_of(grant),
                person_id=grant.maker_id,
                **_limits(grant),
            )
            return await within_makers(caller, grant.made_by)

    async def _by_granted_token(self, token: str) -> tuple[Caller, str]:
        async with self._database.autocommit():
            grant = await oauth.GRANT_OF_TOKEN.first(digest(token))
            if grant is None:
                raise _nobody(hint="Get a new one by the refresh token, or ask the person for access again.")
            if grant.untouched:
                await oauth.TOUCH_GRANT.run(grant.id)
            caller = Caller(
                kind=PrincipalKind.GRANT,
                name=grant.client_name
                if grant.user_name is None
                else f"{grant.user_name} by {grant.client_name}",
                scopes=scopes_of(grant),
                person_id=grant.user_id,
                **_limits(grant),
            )
            return await within_makers(caller, grant.made_by), grant.resource

    async def _by_outside_token(self, issuer: Issuer, token: str) -> Caller:
        subject = await issuer.verify(token)
        async with self._database.autocommit():
            found = await store.MEMBERS_BY_EMAIL.all(subject.email.lower(), subject.workspace_id)
        if len(found) != 1:
            message = "The person behind this access token is not known here, or their workspace is not."
            raise Unauthenticated(message)
        (member,) = found
        return Caller(
            workspace_id=member.workspace_id,
            kind=PrincipalKind.GRANT,
            principal_id=str(subject.id),
            name=member.name,
            scopes=narrowed_scopes(
                effective_scopes(subject.scopes, read_only=False),
                scopes_of_member(member.role, agency=member.agency),
            ),
            surface=Surface.MCP,
            person_id=member.user_id,
            expires_at=subject.expires_at,
        )


class _Limited(Protocol):
    """A row of what tokens and grants have in common."""

    @property
    def id(self) -> UUID: ...
    @property
    def workspace_id(self) -> UUID: ...
    @property
    def toolsets(self) -> list[str] | None: ...
    @property
    def inbox_ids(self) -> list[UUID] | None: ...
    @property
    def tag_ids(self) -> list[UUID] | None: ...
    @property
    def calls_per_minute(self) -> int | None: ...
    @property
    def supervised(self) -> bool: ...
    @property
    def expires_at(self) -> datetime | None: ...


def _limits(grant: _Limited) -> dict[str, Any]:
    """What tokens and grants have in common, as fields of their caller."""
    return {
        "workspace_id": grant.workspace_id,
        "principal_id": str(grant.id),
        "surface": Surface.MCP,
        "toolsets": _set_of(grant.toolsets),
        "operations": operations_within(grant.toolsets, grant.tag_ids),
        "inbox_ids": _set_of(grant.inbox_ids),
        "tag_ids": _set_of(grant.tag_ids),
        "calls_per_minute": grant.calls_per_minute,
        "supervised": grant.supervised,
        "expires_at": grant.expires_at,
    }


def _presented(caller: Caller, presented: Presented) -> Caller:
    """A known caller in this very call."""
    return caller.in_call(presented.surface, presented.client, presented.request_id or new_id().hex)


def _nobody(*, hint: str | None = None) -> Unauthenticated:
    return Unauthenticated("This access token is unknown, expired or revoked.", hint=hint)


def _covers(resource: str, wanted: str) -> bool:
    """Whether a token for a resource is good for what is wanted: that, or any path below it, which is the same."""
    return bool(wanted) and (resource == wanted or resource.startswith(f"{wanted}/"))


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

    def __init__(self, database: Database, hasher: PasswordHasher | None = None) -> None:
        """A guess at a password costs what `hasher` says; else 64 MiB, passed over three times (RFC 9106)."""
        self._database = database
        self._hasher = hasher or PasswordHasher()
        self._dummy_hash = _hash_of_no_password(self._hasher)

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
            emit(Event("member.joined", grant.workspace_id, user_id, data={"role": grant.role}))
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


def _hash_of_no_password(hasher: PasswordHasher) -> str:
    """To check a password against where there is none: that costs what any check does, but making it nothing."""
    salt, found = (
        b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (hasher.salt_len, hasher.hash_len)
    )
    parameters = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={RFC_9106_LOW_MEMORY.version}${parameters}${salt}${found}"
