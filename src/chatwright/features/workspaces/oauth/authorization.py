"""The authorization endpoint's side: reading a request, what there is to decide, and the person's decision."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

from chatwright.features.workspaces import audit
from chatwright.features.workspaces.audit import AuditOutcome
from chatwright.features.workspaces.credentials import digest, new_token
from chatwright.features.workspaces.inboxes import check_inboxes
from chatwright.features.workspaces.models import Membership
from chatwright.features.workspaces.oauth import store
from chatwright.features.workspaces.oauth.clients import Client, client_of_row, is_listed
from chatwright.features.workspaces.oauth.documents import Documents
from chatwright.features.workspaces.oauth.errors import ClientRefused, Refused, SentBack
from chatwright.features.workspaces.oauth.policy import OAuthPolicy
from chatwright.features.workspaces.oauth.rules import (
    METHOD,
    check_resources,
    host_of,
    is_challenge,
    is_document_url,
    is_local,
    redirect_allowed,
    wanted_scopes,
    with_reading,
)
from chatwright.features.workspaces.rules import narrowed_scopes, scopes_of_member
from chatwright.features.workspaces.store import MEMBERSHIPS
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import Unauthenticated
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import Database, emit

CODE_PREFIX: Final = "cwa_"
GIVING: Final = "grants.give"
"""What the audit trail calls a person's yes."""
REFUSING: Final = "grants.deny"
MANY: Final = frozenset({"resource"})
"""The only parameter that may be there more than once (RFC 6749, section 3.1; RFC 8707, section 2)."""
_LONGEST_ID: Final = 500

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that is in order."""

    client: Client
    redirect_uri: str
    state: str | None
    challenge: str
    scopes: frozenset[str]
    resource: str
    again: bool
    """Whether the client wants the person to be asked, also where they said yes before (`prompt=consent`)."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a person has to decide."""

    asked: Asked
    caller: Caller
    """The person, in the workspace it is about."""
    workspace_name: str
    offered: frozenset[str]
    """Of the scopes asked for, those that the person has there; of one that writes the reading half apart, too."""
    given: frozenset[str]
    """Those among them that they gave this client before."""
    memberships: list[Membership]
    """The workspaces to choose from."""
    grant: store.LiveGrant | None
    """What they allowed it so far."""

    @property
    def remembered(self) -> bool:
        """Whether there is nothing new to ask."""
        known = self.grant is not None and self.offered <= self.given and bool(self.offered)
        # Any program on the person's machine could come with the id of another, and wait there for its code.
        sure = self.asked.client.vouched_for or not is_local(self.asked.redirect_uri)
        return known and sure and not self.asked.again


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person allows."""

    scopes: frozenset[str]
    read_only: bool = False
    inbox_ids: tuple[UUID, ...] = ()
    """Only these; all when empty."""
    days: int | None = None
    """For how long; until they take it back when None."""


class Authorizations:
    """Decides who is sent back with a code."""

    def __init__(self, database: Database, documents: Documents, policy: OAuthPolicy) -> None:
        self._database = database
        self._documents = documents
        self._policy = policy

    async def find(self, client_id: str, *, reader: str | None = None) -> Client:
        """The client of an id; raises ClientRefused. A document is only fetched for a signed-in `reader`."""
        if not client_id or len(client_id) > _LONGEST_ID or not client_id.isprintable():
            raise ClientRefused("The request does not say which client it is from.")
        if is_document_url(client_id):
            return await self._find_document(client_id, reader)
        async with self._database.autocommit():
            row = await store.FIND_CLIENT.first(client_id)
        if row is None:
            raise ClientRefused("This server does not know the client.")
        return client_of_row(row)

    async def find_again(self, client_id: str) -> Client:
        """The client of an id that comes with what it was given here; raises ClientRefused.

        One that is known by a document needs it no more, and it may have been forgotten: it has no secret to prove,
        and its codes and tokens are its own by its id alone.
        """
        if not is_document_url(client_id):
            return await self.find(client_id)
        self._check_taken(client_id)
        return Client(client_id, host_of(client_id), redirect_uris=(), auth_method="none")

    async def _find_document(self, url: str, reader: str | None) -> Client:
        self._check_taken(url)
        listed = is_listed(url, self._policy.domains)
        return replace(await self._documents.find(url, reader=reader), listed=listed)

    def _check_taken(self, url: str) -> None:
        """Raise ClientRefused unless this server's settings let clients be known by a document from there."""
        listed = is_listed(url, self._policy.domains)
        if not self._policy.documents or (self._policy.domains and not listed):
            raise ClientRefused("This server does not take clients from there.")

    async def read(self, parameters: Parameters, *, reader: str | None) -> Asked:
        """Check a request: first whether the client and its address belong together, then the rest.

        Raises ClientRefused, or Refused, of what only the person may be told; SentBack for the rest.
        """
        told = dict(parameters)
        twice = {name for name, times in Counter(name for name, _ in parameters).items() if times > 1} - MANY
        if twice & {"client_id", "redirect_uri"}:
            raise Refused("invalid_request", "The request says twice who it is from.")
        client = await self.find(told.get("client_id", ""), reader=reader)
        redirect_uri = told.get("redirect_uri") or (
            client.redirect_uris[0] if len(client.redirect_uris) == 1 else ""
        )
        if not redirect_allowed(redirect_uri, client.redirect_uris):
            raise Refused(
                "invalid_request", f"{client.name} did not register the address it wants you sent to."
            )
        try:
            return self._read(client, redirect_uri, parameters, twice)
        except Refused as error:
            state = None if "state" in twice else told.get("state")
            raise SentBack(redirect_uri, state, error.error, error.message) from None

    def _read(self, client: Client, redirect_uri: str, parameters: Parameters, twice: set[str]) -> Asked:
        told = dict(parameters)
        if twice:
            raise Refused("invalid_request", f"More than once: {', '.join(sorted(twice))[:200]}.")
        for name in ("request", "request_uri"):
            if name in told:
                raise Refused(f"{name}_not_supported", "Requests stand in the address, not in an object.")
        if told.get("response_type") != "code":
            kind = "unsupported_response_type" if told.get("response_type") else "invalid_request"
            raise Refused(kind, "This server answers with response_type=code.")
        if told.get("response_mode", "query") != "query":
            raise Refused("invalid_request", "This server answers with response_mode=query.")
        challenge = told.get("code_challenge", "")
        if told.get("code_challenge_method") != METHOD or not is_challenge(challenge):
            raise Refused("invalid_request", "PKCE with code_challenge_method=S256 is needed.")
        return Asked(
            client=client,
            redirect_uri=redirect_uri,
            state=told.get("state"),
            challenge=challenge,
            scopes=wanted_scopes(told.get("scope"), client.scopes),
            resource=check_resources(
                [text for name, text in parameters if name == "resource"], self._policy.endpoint
            ),
            again="consent" in told.get("prompt", "").split(),
        )

    async def review(self, asked: Asked, person: Caller, workspace_id: UUID | None) -> Review:
        """What a signed-in person has to decide, in the workspace they chose, or the likeliest.

        That is the one where they use this client already, else the one they are in.
        """
        user_id = _user_of(person)
        async with self._database.autocommit():
            memberships = await MEMBERSHIPS.all(user_id)
            grants = {
                grant.workspace_id: grant for grant in await store.LIVE_GRANTS.all(user_id, asked.client.id)
            }
            if workspace_id is None:
                workspace_id = next(iter(grants)) if len(grants) == 1 else person.workspace_id
            own = asked.client.workspace_id
            if own is not None and own != workspace_id:
                raise Refused("unauthorized_client", "This client was made for another workspace.")
            standing = await store.STANDING.first(user_id, workspace_id)
        if standing is None:
            raise Refused("access_denied", "You are no member of such a workspace.")
        held = scopes_of_member(standing.role, agency=standing.agency)
        offered = narrowed_scopes(asked.scopes, held)
        grant = grants.get(standing.workspace_id)
        return Review(
            asked=asked,
            caller=replace(person, workspace_id=standing.workspace_id, scopes=held),
            workspace_name=standing.workspace_name,
            offered=offered,
            given=offered & with_reading(grant.scopes) if grant else frozenset(),
            memberships=memberships,
            grant=grant,
        )

    async def allow(self, review: Review, answer: Answer) -> str:
        """Keep what the person allows; returns where to send them. Raises SentBack when that is nothing."""
        asked, caller = review.asked, review.caller
        scopes = review.offered & answer.scopes
        if not scopes:
            raise SentBack(asked.redirect_uri, asked.state, "access_denied", "The person allowed nothing.")
        async with self._database.transaction():
            await check_inboxes(caller, answer.inbox_ids)
            grant_id: UUID = await store.GIVE.one(
                new_id(),
                caller.workspace_id,
                _user_of(caller),
                asked.client.id,
                asked.client.name,
                sorted(scopes),
                answer.read_only,
                sorted(answer.inbox_ids) or None,
                answer.days,
            )
            code = await self._issue(asked, grant_id, scopes)
            emit(Event("grant.given", caller.workspace_id, grant_id))
            facts = {
                "grant_id": str(grant_id),
                "scopes": len(scopes),
                "read_only": answer.read_only,
                "days": answer.days,
            }
            await audit.append(caller, GIVING, facts, AuditOutcome.DONE)
        return self.back(asked.redirect_uri, asked.state, code=code)

    async def go_on(self, review: Review) -> str:
        """Use what the person allowed before; returns where to send them."""
        asked, grant = review.asked, review.grant
        if grant is None:
            message = "there is nothing to go on with"
            raise LookupError(message)
        async with self._database.transaction():
            code = await self._issue(asked, grant.id, review.offered)
            facts = {"grant_id": str(grant.id), "scopes": len(review.offered), "remembered": True}
            await audit.append(review.caller, GIVING, facts, AuditOutcome.DONE)
        return self.back(asked.redirect_uri, asked.state, code=code)

    async def deny(self, review: Review) -> str:
        """Put down that the person said no; returns where to send them."""
        asked = review.asked
        async with self._database.transaction():
            await audit.append(review.caller, REFUSING, {"scopes": len(asked.scopes)}, AuditOutcome.DONE)
        return self.back(
            asked.redirect_uri, asked.state, error="access_denied", error_description="The person said no."
        )

    def back(self, redirect_uri: str, state: str | None, **answer: str) -> str:
        """The address that carries an answer to the client, with the issuer's name (RFC 9207)."""
        parts = urlsplit(redirect_uri)
        told = {**answer, **({} if state is None else {"state": state}), "iss": self._policy.issuer}
        query = "&".join(filter(None, (parts.query, urlencode(told))))
        return urlunsplit(parts._replace(query=query))

    async def _issue(self, asked: Asked, grant_id: UUID, scopes: Collection[str]) -> str:
        code = new_token(CODE_PREFIX)
        await store.INSERT_CODE.run(
            digest(code),
            grant_id,
            new_id(),
            asked.client.id,
            asked.redirect_uri,
            asked.challenge,
            sorted(scopes),
            asked.resource,
            float(self._policy.code_seconds),
        )
        await store.TOUCH_CLIENT.run(asked.client.id)
        return code


def _user_of(person: Caller) -> UUID:
    if person.person_id is None:
        message = "Only a person who is signed in allows a client anything."
        raise Unauthenticated(message)
    return person.person_id
