"""The page on which people see the programs they connected, and take back what those may do. It needs no script."""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chatwright.features.workspaces.oauth.operations import end_connection, list_connections
from chatwright.features.workspaces.oauth.rules import words_for
from chatwright.features.workspaces.operations import get_workspace
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import ChatwrightError
from chatwright.kernel.paging import MAX_LIMIT
from chatwright.surfaces.http.identity import person_of
from chatwright.surfaces.http.oauth.forms import read_form
from chatwright.surfaces.http.pages import HTML, filled, message_page, page
from chatwright.surfaces.http.parts import parts_of

NOTHING = HTML("<p>No program is connected.</p>")


def connection_routes() -> list[Route]:
    """The page, and its one form."""
    return [
        Route("/connections", show_connections, methods=["GET"]),
        Route("/connections", take_back, methods=["POST"]),
    ]


async def show_connections(request: Request) -> Response:
    """List them, for whoever is signed in."""
    person = await person_of(request)
    if person is None:
        return to_sign_in(request)
    pipeline = parts_of(request).pipeline
    found = (await pipeline.run(person, list_connections, {"limit": MAX_LIMIT})).value
    cards = "".join(_card(grant) for grant in found["items"])
    body = filled(
        "connections", workspace=await workspace_name(request, person), connections=HTML(cards) or NOTHING
    )
    return page(request, "Programs you connected", body)


async def take_back(request: Request) -> Response:
    """End one, and show the rest."""
    person = await person_of(request)
    if person is None:
        return to_sign_in(request)
    try:
        wish = dict(await read_form(request))
        await parts_of(request).pipeline.run(person, end_connection, wish)
    except ChatwrightError as error:
        return message_page(request, "Nothing was taken back", error.message, error.http_status)
    return RedirectResponse("/connections", 303, {"cache-control": "no-store"})


def to_sign_in(request: Request) -> Response:
    """Where people sign in, and then come back from."""
    return RedirectResponse(f"/?then={request.url.path}", 303, {"cache-control": "no-store"})


async def workspace_name(request: Request, person: Caller) -> str:
    """Where the person is signed in."""
    return (await parts_of(request).pipeline.run(person, get_workspace, {})).value["name"]


def at(moment: str | None, otherwise: str) -> str:
    """A moment as people read it."""
    if moment is None:
        return otherwise
    return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M UTC")


def _card(grant: dict[str, Any]) -> HTML:
    return filled(
        "connection",
        id=grant["id"],
        client=grant["client_name"],
        known=grant["client_id"],
        scopes="; ".join(words_for(scope) for scope in grant["scopes"]),
        since=at(grant["created_at"], ""),
        used=at(grant["last_used_at"], "never"),
        ends=at(grant["expires_at"], "when you take it back"),
    )
