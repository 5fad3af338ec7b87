"""Forms as bodies, and answers as OAuth wants them."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from chatwright.features.workspaces.oauth.clients import Proof
from chatwright.features.workspaces.oauth.errors import ClientRefused, Refused
from chatwright.kernel.errors import ChatwrightError, PayloadTooLarge, RateLimitExceeded, Unavailable
from chatwright.surfaces.http.answers import JSONAnswer
from chatwright.surfaces.http.reading import read_body

FORM_TYPE = "application/x-www-form-urlencoded"
FORM_LIMIT = 64 * 1024
MOST_FIELDS = 300
FOR_PAGES = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "www-authenticate, retry-after",
}
"""Clients in browsers call these endpoints from their own pages. No cookie counts here, so any page may."""
PREFLIGHT = {
    **FOR_PAGES,
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "authorization, content-type, accept, mcp-protocol-version",
    "access-control-max-age": "86400",
}

Handle = Callable[[Request], Awaitable[Response]]
Fields = list[tuple[str, str]]


def for_pages(handle: Handle) -> Handle:
    """An endpoint for programs: it answers their preflights, and refusals in OAuth's shape."""

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=PREFLIGHT)
        try:
            response = await handle(request)
        except (Refused, RateLimitExceeded, PayloadTooLarge, Unavailable) as error:
            response = refusal(request, error)
        response.headers.update(FOR_PAGES)
        return response

    return answer


def refusal(request: Request, error: ChatwrightError) -> Response:
    """RFC 6749, section 5.2: `invalid_client` is 401, and names the way it was tried; the rest is 400."""
    headers = {"pragma": "no-cache"}
    code = error.error if isinstance(error, Refused) else "temporarily_unavailable"
    if isinstance(error, ClientRefused) and "authorization" in request.headers:
        headers["www-authenticate"] = 'Basic realm="chatwright"'
    if error.retry_after_ms is not None:
        headers["retry-after"] = str(max(1, error.retry_after_ms // 1000))
    told = {"error": code, "error_description": _plain(error.message)}
    return JSONAnswer(told, error.http_status, headers)


async def read_form(request: Request) -> Fields:
    """The fields of a form, in order, also those without a value left out; raises Refused for any other body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise Refused("invalid_request", f"The body must be {FORM_TYPE}.")
    try:
        text = (await read_body(request, FORM_LIMIT)).decode()
        fields = parse_qsl(text, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Refused("invalid_request", "The body is no form in UTF-8.") from None
    if "\0" in text or any("\0" in value for _, value in fields):
        raise Refused("invalid_request", "Text cannot hold NUL characters.")
    return fields


def once(fields: Fields, *, many: frozenset[str] = frozenset()) -> dict[str, str]:
    """Fields by name; raises Refused for one that is there twice (RFC 6749, section 3.2)."""
    found: dict[str, str] = {}
    for name, value in fields:
        if name in found and name not in many:
            raise Refused("invalid_request", "A parameter is there more than once.")
        found[name] = value
    return found


def needed(told: Mapping[str, str], name: str) -> str:
    """A parameter that has to be there."""
    if not told.get(name):
        raise Refused("invalid_request", f"The parameter {name} is missing.")
    return told[name]


def proof_of(request: Request, told: Mapping[str, str]) -> Proof:
    """How a client says who it is: in the header, or in the form, and not in both (RFC 6749, section 2.3)."""
    header = request.headers.get("authorization")
    if header is None:
        secret = told.get("client_secret")
        method = "none" if secret is None else "client_secret_post"
        return Proof(told.get("client_id", ""), secret, method)
    if "client_secret" in told:
        raise Refused("invalid_request", "The client proves itself in two ways at once.")
    client_id, secret = _basic(header)
    if told.get("client_id", client_id) != client_id:
        raise Refused("invalid_request", "The header and the form name different clients.")
    return Proof(client_id, secret, "client_secret_basic")


def _basic(header: str) -> tuple[str, str]:
    scheme, _, packed = header.partition(" ")
    try:
        text = base64.b64decode(packed.strip(), validate=True).decode()
    except ValueError:
        text = ""
    client_id, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise ClientRefused("The Authorization header holds no client id and secret.")
    return unquote_plus(client_id), unquote_plus(secret)


def _plain(words: str) -> str:
    """What RFC 6749 allows in a description: printable ASCII without quotes and backslashes."""
    return "".join(c if " " <= c <= "~" and c not in {'"', "\\"} else "'" for c in words)
