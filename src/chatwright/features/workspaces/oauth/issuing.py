"""The token endpoint's side: codes and refresh tokens become access tokens, and are taken back."""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatwright.features.workspaces import audit
from chatwright.features.workspaces.audit import AuditOutcome
from chatwright.features.workspaces.credentials import GRANT_PREFIX, digest, new_token
from chatwright.features.workspaces.lineage import end_made_by
from chatwright.features.workspaces.oauth import store
from chatwright.features.workspaces.oauth.clients import Client
from chatwright.features.workspaces.oauth.errors import Refused
from chatwright.features.workspaces.oauth.policy import OAuthPolicy
from chatwright.features.workspaces.oauth.rules import check_resources, fewer_scopes, proves
from chatwright.kernel.caller import Caller, PrincipalKind, Surface
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.cipher import Cipher
from chatwright.ports.database import Database, emit

REFRESH_PREFIX: Final = "cwr_"
ACCESS: Final = "access"
REFRESH: Final = "refresh"


@dataclass(frozen=True, slots=True)
class Visit:
    """From where a client calls, for the audit trail."""

    client: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens for a client."""

    access: str
    seconds: int
    scopes: Collection[str]
    refresh: str | None = None

    def as_answer(self) -> dict[str, object]:
        """RFC 6749, section 5.1."""
        answer: dict[str, object] = {
            "access_token": self.access,
            "token_type": "Bearer",
            "expires_in": self.seconds,
            "scope": " ".join(sorted(self.scopes)),
        }
        return answer if self.refresh is None else {**answer, "refresh_token": self.refresh}


class Issuing:
    """Issues and revokes tokens. Each call is one transaction, also where it ends in a refusal that must be kept."""

    def __init__(self, database: Database, cipher: Cipher, policy: OAuthPolicy) -> None:
        self._database = database
        self._cipher = cipher
        self._policy = policy

    async def exchange(
        self,
        client: Client,
        visit: Visit,
        *,
        code: str,
        verifier: str,
        redirect_uri: str | None,
        resources: Sequence[str],
    ) -> Issued:
        """Tokens for an authorization code. A second use takes back what came of the first (RFC 6749, 4.1.2)."""
        check_resources(resources, self._policy.endpoint)
        async with self._database.transaction():
            row = await store.LOCK_CODE.first(digest(code))
            if row is None or row.client_id != client.id:
                raise _bad_code()
            if not row.used:
                _check_code(row, verifier, redirect_uri)
                await store.USE_CODE.run(digest(code))
                await store.TOUCH_CLIENT.run(client.id)
                refresh = new_token(REFRESH_PREFIX)
                issued = Issued(new_token(GRANT_PREFIX), self._policy.access_seconds, row.scopes, refresh)
                await self._keep(issued, row, row.scopes)
                return issued
            await self._end_family(row, visit, "oauth.code_reused")
        raise _bad_code()

    async def refresh(
        self, client: Client, visit: Visit, *, token: str, scope: str | None, resources: Sequence[str]
    ) -> Issued:
        """The next tokens for a refresh token.

        Who comes again soon gets the same answer again, as the first may have been lost, or two threads asked at
        once; who comes later with a token that was exchanged has a copy, so all that came of it ends.
        """
        check_resources(resources, self._policy.endpoint)
        async with self._database.transaction():
            row = await store.LOCK_TOKEN.first(digest(token))
            if row is None or row.kind != REFRESH or row.client_id != client.id or not row.good:
                raise _bad_refresh()
            access, successor = self._successors(token)
            if row.used_seconds is None:
                scopes = fewer_scopes(scope, row.scopes)
                issued = Issued(access, self._policy.access_seconds, scopes, successor)
                await store.USE_TOKEN.run(digest(token))
                await store.TOUCH_CLIENT.run(client.id)
                await self._keep(issued, row, row.scopes)
                return issued
            if row.used_seconds <= self._policy.grace_seconds:
                return await self._again(access, successor, row.used_seconds)
            await self._end_family(row, visit, "oauth.refresh_reused")
        raise _bad_refresh()

    async def for_machine(
        self, client: Client, visit: Visit, *, scope: str | None, resources: Sequence[str]
    ) -> Issued:
        """A token for a client that acts on its own (RFC 6749, section 4.4).

        Each goes on record, as nobody signs in for it. What people's clients refresh does not: it hands on what the
        person's answer allowed, which is on record, and would bury it every hour.
        """
        resource = check_resources(resources, self._policy.endpoint)
        if not client.machine:
            raise Refused("unauthorized_client", "This client acts for people, not on its own.")
        async with self._database.transaction():
            grant = await store.GRANT_OF_MACHINE.first(client.workspace_id, client.id)
            if grant is None:
                raise Refused("unauthorized_client", "What this client was allowed has ended.")
            scopes = fewer_scopes(scope, grant.scopes)
            access = new_token(GRANT_PREFIX)
            await store.TOUCH_CLIENT.run(client.id)
            await store.INSERT_TOKEN.run(
                digest(access),
                ACCESS,
                grant.id,
                new_id(),
                client.id,
                sorted(scopes),
                resource,
                float(self._policy.access_seconds),
            )
            issuer = _caller_of(grant.workspace_id, grant.id, client.name, visit)
            told = {"grant_id": str(grant.id), "scopes": sorted(scopes)}
            await audit.append(issuer, "oauth.token", told, AuditOutcome.DONE)
        return Issued(access, self._policy.access_seconds, scopes)

    async def revoke(self, client: Client, visit: Visit, token: str) -> None:
        """Take a token back (RFC 7009): of a refresh token all its family. One that is not the client's is no error."""
        async with self._database.transaction():
            row = await store.LOCK_TOKEN.first(digest(token))
            if row is None or row.client_id != client.id:
                return
            if row.kind == REFRESH:
                await self._end_family(row, visit, "oauth.revoke", AuditOutcome.DONE)
            elif await store.REVOKE_TOKEN.run(digest(token)):
                await end_made_by(row.workspace_id, row.grant_id)
                await _put_down(row, visit, "oauth.revoke", AuditOutcome.DONE)

    async def introspect(self, client: Client, token: str) -> dict[str, object]:
        """What a token stands for (RFC 7662), for clients with a secret: of their own, or of their workspace."""
        if client.secret_hash is None:
            raise Refused("unauthorized_client", "Only clients with a secret may ask about tokens.")
        async with self._database.autocommit():
            row = await store.FIND_TOKEN.first(digest(token))
        theirs = row is not None and (row.client_id == client.id or row.workspace_id == client.workspace_id)
        if row is None or not theirs or not row.good or row.used_seconds is not None:
            return {"active": False}
        return {
            "active": True,
            "client_id": row.client_id,
            "scope": " ".join(sorted(row.scopes)),
            "sub": str(row.user_id or row.grant_id),
            "aud": row.resource,
            "iss": self._policy.issuer,
            "exp": int(row.expires_at.timestamp()),
            "token_type": "Bearer" if row.kind == ACCESS else "refresh_token",
        }

    async def _keep(
        self, issued: Issued, row: store.StoredCode | store.StoredToken, scopes: Collection[str]
    ) -> None:
        """Store new tokens of a family. A refresh token keeps all the scopes, whatever this access token has."""
        lasting = (
            (issued.access, ACCESS, issued.scopes, self._policy.access_seconds),
            (issued.refresh or "", REFRESH, scopes, self._policy.refresh_seconds),
        )
        await store.INSERT_TOKEN.many(
            (
                digest(token),
                kind,
                row.grant_id,
                row.family,
                row.client_id,
                sorted(held),
                row.resource,
                float(seconds),
            )
            for token, kind, held, seconds in lasting
        )

    async def _again(self, access: str, successor: str, used_seconds: float) -> Issued:
        row = await store.FIND_TOKEN.first(digest(access))
        if row is None or not row.good:
            raise _bad_refresh()
        seconds = max(1, self._policy.access_seconds - round(used_seconds))
        return Issued(access, seconds, row.scopes, successor)

    def _successors(self, token: str) -> tuple[str, str]:
        """The tokens that follow a refresh token.

        They are made of it and the server's key: every process makes the same ones, nobody else can, none is stored.
        """
        made = [self._cipher.sign(token.encode(), f"oauth {kind}") for kind in (ACCESS, REFRESH)]
        access, refresh = (base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in made)
        return GRANT_PREFIX + access, REFRESH_PREFIX + refresh

    async def _end_family(
        self,
        row: store.StoredCode | store.StoredToken,
        visit: Visit,
        what: str,
        outcome: AuditOutcome = AuditOutcome.REFUSED,
    ) -> None:
        if await store.REVOKE_FAMILY.run(row.family):
            emit(Event("grant.tokens_revoked", row.workspace_id, row.grant_id))
            await end_made_by(row.workspace_id, row.grant_id)
        await _put_down(row, visit, what, outcome)


def _check_code(row: store.StoredCode, verifier: str, redirect_uri: str | None) -> None:
    if not row.good or (redirect_uri is not None and redirect_uri != row.redirect_uri):
        raise _bad_code()
    if not proves(verifier, row.challenge):
        raise Refused("invalid_grant", "The code_verifier is not the one this code was asked for with.")


async def _put_down(
    row: store.StoredCode | store.StoredToken, visit: Visit, what: str, outcome: AuditOutcome
) -> None:
    code = None if outcome is AuditOutcome.DONE else "OAUTH_REFUSED"
    client = _caller_of(row.workspace_id, row.grant_id, row.client_name, visit)
    await audit.append(client, what, {"grant_id": str(row.grant_id)}, outcome, code)


def _caller_of(workspace_id: UUID, grant_id: UUID, name: str, visit: Visit) -> Caller:
    """A client at the token endpoint, as records name it."""
    return Caller(
        workspace_id=workspace_id,
        kind=PrincipalKind.GRANT,
        principal_id=str(grant_id),
        name=name,
        scopes=frozenset(),
        surface=Surface.HTTP,
        client=visit.client,
        request_id=visit.request_id,
    )


def _bad_code() -> Refused:
    return Refused("invalid_grant", "This code is unknown, used, expired, or was made for another request.")


def _bad_refresh() -> Refused:
    return Refused("invalid_grant", "This refresh token is unknown, used, expired or revoked.")
