"""Who sends a request: the bearer of an access token, or a person with a session cookie."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

from chatwright.features.workspaces.authentication import SESSION_HOURS, Presented
from chatwright.features.workspaces.credentials import TOKEN_PREFIX
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.errors import Forbidden, Unauthenticated
from chatwright.surfaces.http.answers import request_id_of
from chatwright.surfaces.http.parts import parts_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SURFACE_HEADER = "x-chatwright-surface"
"""The command line names itself in it, so that the audit trail can tell it from other programs."""


async def caller_of(connection: HTTPConnection) -> Caller:
    """The caller behind a request; raises Unauthenticated, or Forbidden when another site made a browser send it."""
    authenticator = parts_of(connection).authenticator
    if (authorization := connection.headers.get("authorization")) is not None:
        from_cli = connection.headers.get(SURFACE_HEADER) == Surface.CLI
        presented = presented_by(connection, Surface.CLI if from_cli else Surface.HTTP)
        return await authenticator.by_token(_bearer(authorization), presented)
    if (cookie := session_of(connection)) is not None:
        if connection.scope.get("method") not in SAFE_METHODS:
            require_own_page(connection)
        return await authenticator.by_session(cookie, presented_by(connection))
    message = "This call carries no access token and no session."
    raise Unauthenticated(message, hint="Send the header Authorization: Bearer cw_..., or sign in.")


async def person_of(connection: HTTPConnection) -> Caller | None:
    """Who is signed in; access tokens do not count here. Raises Forbidden as `caller_of` does."""
    cookie = session_of(connection)
    if cookie is None:
        return None
    if connection.scope.get("method") not in SAFE_METHODS:
        require_own_page(connection)
    try:
        return await parts_of(connection).authenticator.by_session(cookie, presented_by(connection))
    except Unauthenticated:
        return None


def require_own_page(connection: HTTPConnection) -> None:
    """Raise Forbidden unless the browser says that one of this server's own pages sent the request.

    Cookies ride on every request, also on those that other sites cause. All current browsers send
    Sec-Fetch-Site over HTTPS and to localhost; Origin serves the rest.
    """
    if not _from_own_page(connection):
        message = "A page of another site sent this request with your session."
        raise Forbidden(message, hint="Programs should use an access token instead of a cookie.")


def refuse_other_sites(connection: HTTPConnection) -> None:
    """As `require_own_page`, but for calls without a session yet: programs, which say neither, may pass."""
    if {"sec-fetch-site", "origin"}.intersection(connection.headers.keys()):
        require_own_page(connection)


def presented_by(connection: HTTPConnection, surface: Surface = Surface.WEB) -> Presented:
    """How a request presents itself beside its credentials."""
    client = connection.headers.get("user-agent", "")[:200]
    return Presented(surface, client, request_id_of(connection))


def session_of(connection: HTTPConnection) -> str | None:
    """The value of the session cookie, if there is one."""
    return connection.cookies.get(_cookie_name(connection))


def set_session(connection: HTTPConnection, response: Response, value: str) -> None:
    """Give the browser a session."""
    response.set_cookie(
        _cookie_name(connection),
        value,
        max_age=SESSION_HOURS * 3600,
        secure=parts_of(connection).secure,
        httponly=True,
        samesite="lax",
    )


def clear_session(connection: HTTPConnection, response: Response) -> None:
    """Make the browser forget its session."""
    secure = parts_of(connection).secure
    response.delete_cookie(_cookie_name(connection), secure=secure, httponly=True, samesite="lax")


def _cookie_name(connection: HTTPConnection) -> str:
    """With `__Host-` browsers keep the cookie to this very host and to HTTPS."""
    return "__Host-chatwright" if parts_of(connection).secure else "chatwright"


def _from_own_page(connection: HTTPConnection) -> bool:
    if (site := connection.headers.get("sec-fetch-site")) is not None:
        return site == "same-origin"
    here = f"{connection.url.scheme}://{connection.headers.get('host')}"
    return connection.headers.get("origin") in {here, parts_of(connection).public_url}


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip().startswith(TOKEN_PREFIX):
        message = "The Authorization header holds no access token of this server."
        raise Unauthenticated(message, hint="Send the header Authorization: Bearer cw_...")
    return token.strip()
