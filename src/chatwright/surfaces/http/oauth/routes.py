"""Every route of the authorization server."""

from starlette.routing import Route

from chatwright.surfaces.http.oauth.consent import person_routes
from chatwright.surfaces.http.oauth.endpoints import program_routes


def oauth_routes(public_url: str) -> list[Route]:
    """For programs and for people."""
    return [*program_routes(public_url), *person_routes()]
