"""The endpoints that programs call: metadata, registration, tokens, revocation, introspection."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatwright.features.workspaces.oauth.clients import Client
from chatwright.features.workspaces.oauth.errors import Refused
from chatwright.features.workspaces.oauth.issuing import Issued, Visit
from chatwright.kernel.operation import RateClass
from chatwright.surfaces.http.answers import JSONAnswer, request_id_of
from chatwright.surfaces.http.networks import network_of
from chatwright.surfaces.http.oauth.forms import Fields, for_pages, needed, once, proof_of, read_form
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.reading import read_body

METADATA_PATH: Final = "/.well-known/oauth-authorization-server"
TOKEN_RATE: Final = RateClass(per_minute=600, burst=200)
"""Calls of the token endpoints from one address, behind which many people may be."""
REGISTER_RATE: Final = RateClass(per_minute=5, burst=20)
"""Registrations from one address."""
REGISTER_LIMIT: Final = 32 * 1024
METADATA_SECONDS: Final = 300
MANY: Final = frozenset({"resource"})


def program_routes(public_url: str) -> list[Route]:
    """The endpoints; the metadata also below the path of the public address, where clients look for it then."""
    path = urlsplit(public_url).path.rstrip("/")
    metadata = [METADATA_PATH, *([f"{METADATA_PATH}{path}"] if path else [])]
    posted = {
        "/oauth/token": issue,
        "/oauth/register": register,
        "/oauth/revoke": revoke,
        "/oauth/introspect": introspect,
    }
    return [
        *(Route(each, for_pages(show_metadata), methods=["GET", "OPTIONS"]) for each in metadata),
        *(Route(each, for_pages(handle), methods=["POST", "OPTIONS"]) for each, handle in posted.items()),
    ]


async def show_metadata(request: Request) -> Response:
    """RFC 8414."""
    told = parts_of(request).oauth.metadata()
    return JSONAnswer(told, headers={"cache-control": f"public, max-age={METADATA_SECONDS}"})


async def register(request: Request) -> Response:
    """RFC 7591: take in a client that nobody here knows."""
    parts = parts_of(request)
    await parts.limiter.take(f"oauth-register-from:{network_of(request)}", REGISTER_RATE)
    try:
        told: object = orjson.loads(await read_body(request, REGISTER_LIMIT))
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        raise Refused("invalid_client_metadata", "The body must be a JSON object.")
    return JSONAnswer(await parts.oauth.register(told), 201)  # pyright: ignore[reportUnknownArgumentType]


async def issue(request: Request) -> Response:
    """RFC 6749, section 3.2: tokens for a code, a refresh token, or a machine."""
    fields, told, client = await _presented(request)
    grant = _GRANTS.get(needed(told, "grant_type"))
    if grant is None:
        raise Refused("unsupported_grant_type", "This server knows no such grant_type.")
    issued = await grant(request, client, told, fields)
    return JSONAnswer(issued.as_answer(), headers={"pragma": "no-cache"})


async def revoke(request: Request) -> Response:
    """RFC 7009."""
    _, told, client = await _presented(request)
    await parts_of(request).oauth.issuing.revoke(client, _visit(request), needed(told, "token"))
    return JSONAnswer({})


async def introspect(request: Request) -> Response:
    """RFC 7662."""
    _, told, client = await _presented(request)
    return JSONAnswer(await parts_of(request).oauth.issuing.introspect(client, needed(told, "token")))


async def _for_code(request: Request, client: Client, told: Mapping[str, str], fields: Fields) -> Issued:
    return await parts_of(request).oauth.issuing.exchange(
        client,
        _visit(request),
        code=needed(told, "code"),
        verifier=needed(told, "code_verifier"),
        redirect_uri=told.get("redirect_uri"),
        resources=_resources(fields),
    )


async def _for_refresh(request: Request, client: Client, told: Mapping[str, str], fields: Fields) -> Issued:
    return await parts_of(request).oauth.issuing.refresh(
        client,
        _visit(request),
        token=needed(told, "refresh_token"),
        scope=told.get("scope"),
        resources=_resources(fields),
    )


async def _for_machine(request: Request, client: Client, told: Mapping[str, str], fields: Fields) -> Issued:
    issuing = parts_of(request).oauth.issuing
    return await issuing.for_machine(
        client, _visit(request), scope=told.get("scope"), resources=_resources(fields)
    )


_GRANTS: Final[Mapping[str, Callable[[Request, Client, Mapping[str, str], Fields], Awaitable[Issued]]]] = {
    "authorization_code": _for_code,
    "refresh_token": _for_refresh,
    "client_credentials": _for_machine,
}


async def _presented(request: Request) -> tuple[Fields, dict[str, str], Client]:
    """The form, and the client that proved to have sent it."""
    parts = parts_of(request)
    await parts.limiter.take(f"oauth-token-from:{network_of(request)}", TOKEN_RATE)
    fields = await read_form(request)
    told = once(fields, many=MANY)
    return fields, told, await parts.oauth.prove(proof_of(request, told))


def _resources(fields: Fields) -> list[str]:
    return [value for name, value in fields if name == "resource"]


def _visit(request: Request) -> Visit:
    return Visit(request.headers.get("user-agent", "")[:200], request_id_of(request))
