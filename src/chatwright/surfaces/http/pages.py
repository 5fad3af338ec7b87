"""The pages that the server shows by itself: welcome and sign-in, joining, and the demo."""

import json
import re
from html import escape
from pathlib import Path
from string import Template
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from chatwright.features.workspaces.approvals.operations import list_approvals
from chatwright.features.workspaces.operations import get_workspace
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import Unauthenticated
from chatwright.kernel.paging import MAX_LIMIT
from chatwright.surfaces.http.files import OTHER_SITES, OWN_PAGES, File
from chatwright.surfaces.http.identity import caller_of
from chatwright.surfaces.http.parts import parts_of

ASSETS = Path(__file__).parent / "assets"
SERVED = ("chatwright.css", "chatwright.js", "icon.svg")

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_PAGES = re.compile(r"/connections|/approvals(/[0-9a-f-]{36})?")
"""Pages that only members see."""


class HTML(str):
    """Text that is HTML already."""

    __slots__ = ()


NO_TOKENS = HTML("<p>Your role does not make access tokens; ask an owner of the workspace for one.</p>")
NO_WIDGET = "Build it with: ./dev setup"
NO_INBOX = "This server has no demo inbox, so there is no bubble on this page."


def page_routes(static: Path) -> list[Route]:
    """The pages, the files they are made of, and the widget that was built into `static`."""
    widget = File(static / "widget.js", cache=OTHER_SITES, shared=True, missing=NO_WIDGET)
    files = [Route(f"/assets/{name}", File(ASSETS / name, cache=OWN_PAGES).answer) for name in SERVED]
    return [
        Route("/", show_start),
        Route("/join", show_join),
        Route("/demo", show_demo),
        Route("/widget.js", widget.answer),
        *files,
    ]


async def show_start(request: Request) -> HTMLResponse:
    """Welcome and sign-in for strangers; who they are and how to connect a client for those who are in."""
    caller = await _person(request)
    if caller is None:
        return page(request, "Chatwright", filled("welcome", then=_wanted(request)))
    url = f"{parts_of(request).public_url}/mcp"
    shown = await parts_of(request).pipeline.run(caller, get_workspace, {})
    may_make_tokens = caller.may("tokens:write")
    body = filled(
        "desk",
        name=caller.name,
        workspace=shown.value["name"],
        scopes=", ".join(sorted(caller.scopes)),
        waiting=await _waiting(request, caller),
        url=url,
        token_form=filled("token", config=_client_config(url)) if may_make_tokens else NO_TOKENS,
    )
    return page(request, "Chatwright", body)


def _wanted(request: Request) -> str:
    """Where somebody wanted to go who has to sign in first: a page of ours, else the start."""
    then = request.query_params.get("then", "")
    return then if _PAGES.fullmatch(then) else "/"


async def show_join(request: Request) -> HTMLResponse:
    """Where a one-time link leads."""
    return page(request, "Join Chatwright", filled("join"))


async def show_demo(request: Request) -> HTMLResponse:
    """A page of somebody's website, with the bubble."""
    inbox_id = await parts_of(request).demo_inbox()
    widget = filled("demo_empty", why=NO_INBOX) if inbox_id is None else _script(inbox_id)
    url = f"{parts_of(request).public_url}/mcp"
    return page(request, "Chatwright demo", filled("demo", url=url, widget=widget))


def page(
    request: Request, title: str, body: HTML, status: int = 200, *, policy: str = CONTENT_POLICY
) -> HTMLResponse:
    """A whole page around its body."""
    text = filled("page", title=title, body=body, version=parts_of(request).version)
    headers = {"content-security-policy": policy, "cache-control": "no-store"}
    return HTMLResponse(text, status, headers)


def message_page(request: Request, heading: str, words: str, status: int) -> HTMLResponse:
    """A page that only says something."""
    return page(request, heading, filled("message", heading=heading, words=words), status)


async def _waiting(request: Request, caller: Caller) -> HTML:
    """How many calls wait for the person's decision, with the way to them."""
    if not list_approvals.open_to(caller):
        return HTML()
    wish = {"status": "waiting", "limit": MAX_LIMIT}
    found = (await parts_of(request).pipeline.run(caller, list_approvals, wish)).value
    count = f"{len(found['items'])}{'+' if found['next_cursor'] else ''}"
    return filled("desk_approvals", count=count)


async def _person(request: Request) -> Caller | None:
    try:
        return await caller_of(request)
    except Unauthenticated:
        return None


def filled(part: str, /, **values: str) -> HTML:
    """A part of a page with its values; whatever is not HTML of ours is made harmless."""
    safe = {key: text if isinstance(text, HTML) else escape(text) for key, text in values.items()}
    return HTML(Template((ASSETS / f"{part}.html").read_text()).substitute(safe))


def _script(inbox_id: UUID) -> HTML:
    return HTML(f'<script src="/widget.js" data-inbox="{inbox_id}" async></script>')


def _client_config(url: str) -> str:
    server = {"type": "http", "url": url, "headers": {"Authorization": "Bearer {value}"}}
    return json.dumps({"mcpServers": {"chatwright": server}}, indent=2)
