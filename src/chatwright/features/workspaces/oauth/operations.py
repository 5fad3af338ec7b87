"""The verbs about grants, and about clients that members make."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from chatwright.features.workspaces.credentials import digest
from chatwright.features.workspaces.errors import (
    InboxNotFound,
    TagNotFound,
    UnknownScope,
    UnknownToolset,
)
from chatwright.features.workspaces.inboxes import check_inboxes
from chatwright.features.workspaces.lineage import end_made_by, lineage_of
from chatwright.features.workspaces.narrowing import (
    check_tags,
    earlier,
    fewer,
    narrowed_inboxes,
    narrowed_tags,
    narrowed_toolsets,
)
from chatwright.features.workspaces.oauth import store
from chatwright.features.workspaces.oauth.clients import new_secret
from chatwright.features.workspaces.oauth.errors import ClientNotFound, GrantNotFound
from chatwright.features.workspaces.oauth.models import (
    CreatedOAuthClient,
    CreateOAuthClient,
    DeletedOAuthClient,
    DeleteOAuthClient,
    EndConnection,
    GetGrant,
    Grant,
    ListConnections,
    ListGrants,
    ListOAuthClients,
    NarrowGrant,
    OAuthClient,
    RevokedGrant,
    RevokeGrant,
)
from chatwright.features.workspaces.oauth.rules import redirect_problem, with_reading
from chatwright.features.workspaces.rules import unknown_scopes
from chatwright.kernel.caller import OWN_SCOPE, OWN_WRITE_SCOPE, Caller, PrincipalKind, Surface
from chatwright.kernel.errors import FieldProblem, InvalidInput, OutsideGrant, ScopeMissing
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.database import emit
from chatwright.ports.toolsets import operations_of, unknown_toolsets

_FOR_PEOPLE = frozenset({Surface.HTTP, Surface.CLI, Surface.WEB})


@operation("grants.list", tool="list_grants", scope="tokens:read", effect=Effect.READ, http="GET /grants")
async def list_grants(caller: Caller, request: ListGrants) -> Page[Grant]:
    """List what people of this workspace allowed other programs by OAuth, and when each was last used."""
    caller.require_every_inbox()
    rows = await store.LIST_GRANTS.all(caller.workspace_id, after_id(request.cursor), request.limit + 1)
    return page_of(rows, request.limit, lambda grant: (str(grant.id),))


@operation(
    "grants.get",
    tool="get_grant",
    scope="tokens:read",
    effect=Effect.READ,
    http="GET /grants/{grant_id}",
    errors=(GrantNotFound,),
)
async def get_grant(caller: Caller, request: GetGrant) -> Grant:
    """Show what a program was allowed, by whom, and its limits."""
    caller.require_every_inbox()
    return _there(await store.FIND_GRANT.first(caller.workspace_id, request.grant_id))


@operation(
    "grants.revoke",
    tool="revoke_grant",
    scope="tokens:write",
    effect=Effect.DESTROY,
    http="DELETE /grants/{grant_id}",
    errors=(GrantNotFound,),
)
async def revoke_grant(caller: Caller, request: RevokeGrant) -> RevokedGrant:
    """Take back what a program was allowed. Its tokens, and those it made, are refused everywhere within a second."""
    caller.require_every_inbox()
    grant = _there(await store.REVOKE_GRANT.first(caller.workspace_id, request.grant_id))
    return await _revoked(caller, grant)


@operation(
    "grants.narrow",
    tool="narrow_grant",
    scope="tokens:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PATCH /grants/{grant_id}",
    errors=(GrantNotFound, OutsideGrant, UnknownScope, UnknownToolset, InboxNotFound, TagNotFound),
)
async def narrow_grant(caller: Caller, request: NarrowGrant) -> Grant:
    """Limit a grant: to scopes, toolsets, inboxes, tags, reading, a rate, an end, or a person's approval.

    Nothing can be made wider here: for more, the program asks the person again.
    """
    caller.require_every_inbox()
    grant = _there(await store.LOCK_GRANT.first(caller.workspace_id, request.grant_id))
    await _check_limits(caller, request)
    _check_narrower(grant, request)
    changed = await store.NARROW_GRANT.one(
        caller.workspace_id,
        grant.id,
        grant.scopes if request.scopes is None else sorted(set(request.scopes)),
        grant.read_only or bool(request.read_only),
        earlier(grant.expires_at, request.expires_at),
        grant.toolsets if request.toolsets is None else sorted(set(request.toolsets)),
        grant.inbox_ids if request.inbox_ids is None else sorted(set(request.inbox_ids)),
        grant.tag_ids if request.tag_ids is None else sorted(set(request.tag_ids)),
        fewer(grant.calls_per_minute, request.calls_per_minute),
        grant.supervised or bool(request.supervised),
    )
    emit(Event("grant.narrowed", caller.workspace_id, grant.id))
    return changed


@operation(
    "connections.list",
    tool="list_connections",
    scope=OWN_SCOPE,
    effect=Effect.READ,
    http="GET /connections",
    surfaces=_FOR_PEOPLE,
)
async def list_connections(caller: Caller, request: ListConnections) -> Page[Grant]:
    """List the programs that you allowed something in this workspace. A program sees only what it was allowed itself.

    What other people allowed is in the list of grants, for which `tokens:read` is needed.
    """
    rows = await store.LIST_CONNECTIONS.all(
        *_owner(caller, "tokens:read"), after_id(request.cursor), request.limit + 1
    )
    return page_of(rows, request.limit, lambda grant: (str(grant.id),))


@operation(
    "connections.end",
    tool="end_connection",
    scope=OWN_WRITE_SCOPE,
    effect=Effect.DESTROY,
    http="DELETE /connections/{grant_id}",
    errors=(GrantNotFound,),
    surfaces=_FOR_PEOPLE,
)
async def end_connection(caller: Caller, request: EndConnection) -> RevokedGrant:
    """Take back what you allowed a program. Its tokens, and those it made, are refused everywhere within a second."""
    found = await store.END_CONNECTION.first(*_owner(caller, "tokens:write"), request.grant_id)
    return await _revoked(caller, _there(found))


@operation(
    "oauth_clients.create",
    tool="create_oauth_client",
    scope="tokens:write",
    effect=Effect.ADD,
    http="POST /oauth-clients",
    errors=(UnknownScope, UnknownToolset, InboxNotFound, TagNotFound, OutsideGrant),
)
async def create_oauth_client(caller: Caller, request: CreateOAuthClient) -> CreatedOAuthClient:
    """Make an OAuth client with a secret, which is shown once, now.

    Without redirect URIs it is a machine: it gets tokens by client credentials, for no more than its maker may do.
    With them it is a web application, which people of this workspace allow things.
    """
    caller.require_every_inbox()
    for uri in request.redirect_uris or ():
        if problem := redirect_problem(uri):
            raise InvalidInput(problem, fields=[FieldProblem(path="redirect_uris", message=problem)])
    client_id, secret = new_id(), new_secret()
    client = await store.INSERT_CLIENT.one(
        str(client_id),
        caller.workspace_id,
        request.name,
        digest(secret),
        "client_secret_basic",
        request.redirect_uris or [],
        None,
        request.redirect_uris is None,
        caller.name,
    )
    grant = await _granted_to_machine(caller, client_id, request) if client.machine else None
    emit(Event("oauth_client.created", caller.workspace_id, client_id))
    return CreatedOAuthClient(client=client, client_secret=secret, grant=grant)


@operation(
    "oauth_clients.list",
    tool="list_oauth_clients",
    scope="tokens:read",
    effect=Effect.READ,
    http="GET /oauth-clients",
)
async def list_oauth_clients(caller: Caller, request: ListOAuthClients) -> Page[OAuthClient]:
    """List the OAuth clients that members of this workspace made, without their secrets."""
    caller.require_every_inbox()
    after = str(after_id(request.cursor))
    rows = await store.LIST_CLIENTS.all(caller.workspace_id, after, request.limit + 1)
    return page_of(rows, request.limit, lambda client: (str(client.client_id),))


@operation(
    "oauth_clients.delete",
    tool="delete_oauth_client",
    scope="tokens:write",
    effect=Effect.DESTROY,
    http="DELETE /oauth-clients/{client_id}",
    errors=(ClientNotFound,),
)
async def delete_oauth_client(caller: Caller, request: DeleteOAuthClient) -> DeletedOAuthClient:
    """Delete an OAuth client and take back all that it was allowed, within a second."""
    caller.require_every_inbox()
    if not await store.REVOKE_CLIENT.run(caller.workspace_id, str(request.client_id)):
        message = "There is no such OAuth client, or it was deleted already."
        raise ClientNotFound(message)
    revoked = await store.REVOKE_GRANTS_OF.all(caller.workspace_id, str(request.client_id))
    await end_made_by(caller.workspace_id, *revoked)
    emit(Event("oauth_client.deleted", caller.workspace_id, request.client_id))
    return DeletedOAuthClient(client_id=request.client_id, grants_revoked=len(revoked))


def _owner(caller: Caller, scope: str) -> tuple[UUID, bool, UUID | None, UUID]:
    """Whose grants are the caller's own: the person's, for themselves and programs that may do all they may with it."""
    whole = caller.operations is None and caller.inbox_ids is None and caller.may(scope)
    in_person = caller.kind is PrincipalKind.MEMBER or whole
    return caller.workspace_id, in_person, caller.person_id, UUID(caller.principal_id)


async def _revoked(caller: Caller, grant: Grant) -> RevokedGrant:
    emit(Event("grant.revoked", caller.workspace_id, grant.id))
    ended = await end_made_by(caller.workspace_id, grant.id)
    return RevokedGrant(**grant.model_dump(), ended_with_it=ended)


async def _granted_to_machine(caller: Caller, client_id: UUID, request: CreateOAuthClient) -> Grant:
    """What a machine may do: as its maker wishes, and never more than they may do."""
    scopes = sorted(caller.scopes) if request.scopes is None else sorted(set(request.scopes))
    _check_known(scopes)
    for scope in scopes:
        if not caller.may(scope):
            raise ScopeMissing(scope)
    _check_ahead(request.expires_at)
    return await store.INSERT_GRANT.one(
        new_id(),
        caller.workspace_id,
        caller.person_id,
        str(client_id),
        request.name,
        scopes,
        request.read_only,
        earlier(caller.expires_at, request.expires_at),
        lineage_of(caller),
        narrowed_toolsets(caller, request.toolsets),
        await narrowed_inboxes(caller, request.inbox_ids),
        await narrowed_tags(caller, request.tag_ids),
        fewer(caller.calls_per_minute, request.calls_per_minute),
        caller.supervised or request.supervised,
    )


async def _check_limits(caller: Caller, request: NarrowGrant) -> None:
    """Whether everything that limits name is there."""
    _check_known(request.scopes or ())
    _check_ahead(request.expires_at)
    if unknown := unknown_toolsets(request.toolsets or ()):
        message = f"There is no toolset called {', '.join(sorted(unknown))}."
        raise UnknownToolset(message, fields=[FieldProblem(path="toolsets", message=message)])
    await check_inboxes(caller, request.inbox_ids or ())
    await check_tags(caller, request.tag_ids or ())


def _check_narrower(grant: Grant, request: NarrowGrant) -> None:
    """Raise OutsideGrant for a limit that leaves more than the grant has now."""
    wider = {
        "scopes": not set(request.scopes or ()) <= with_reading(grant.scopes),
        "read_only": grant.read_only and request.read_only is False,
        "toolsets": grant.toolsets is not None
        and not operations_of(request.toolsets or ()) <= operations_of(grant.toolsets),
        "inbox_ids": grant.inbox_ids is not None and not set(request.inbox_ids or ()) <= set(grant.inbox_ids),
        "tag_ids": grant.tag_ids is not None and not set(request.tag_ids or ()) <= set(grant.tag_ids),
        "calls_per_minute": (request.calls_per_minute or 0) > (grant.calls_per_minute or 12_000),
        "supervised": grant.supervised and request.supervised is False,
        "expires_at": request.expires_at is not None
        and grant.expires_at is not None
        and request.expires_at > grant.expires_at,
    }
    if fields := [name for name, is_wider in wider.items() if is_wider]:
        message = f"This would leave the grant more than it has: {', '.join(fields)}."
        problems = [FieldProblem(path=name, message="This is wider than it is now.") for name in fields]
        raise OutsideGrant(message, fields=problems)


def _check_known(scopes: Collection[str]) -> None:
    if unknown := unknown_scopes(scopes):
        message = f"There is no scope called {', '.join(unknown)}."
        raise UnknownScope(message, fields=[FieldProblem(path="scopes", message=message)])


def _check_ahead(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= datetime.now(UTC):
        message = "The expiry lies in the past."
        raise InvalidInput(message, fields=[FieldProblem(path="expires_at", message=message)])


def _there(grant: Grant | None) -> Grant:
    if grant is None:
        message = "There is no such grant, or it was revoked already."
        raise GrantNotFound(message)
    return grant
