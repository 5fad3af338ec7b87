"""The pages of the authorization endpoint: signing in, and allowing a program things. They need no script."""

import hmac
from collections.abc import Iterable, Mapping
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from pydantic import SecretStr, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chatwright.features.messaging.inboxes.operations import list_inboxes
from chatwright.features.workspaces.authentication import SignIn
from chatwright.features.workspaces.oauth.authorization import Answer, Asked, Review
from chatwright.features.workspaces.oauth.errors import ClientRefused, Refused, SentBack
from chatwright.features.workspaces.oauth.rules import host_of, is_local, is_risky, words_for
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import RateLimitExceeded, Unauthenticated
from chatwright.kernel.paging import MAX_LIMIT
from chatwright.ports.site import this_site
from chatwright.surfaces.http.identity import (
    presented_by,
    refuse_other_sites,
    require_own_page,
    session_of,
    set_session,
)
from chatwright.surfaces.http.networks import network_of
from chatwright.surfaces.http.oauth.forms import Fields, once, read_form
from chatwright.surfaces.http.pages import CONTENT_POLICY, HTML, filled, message_page, page
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.sessions import ADDRESS_RATE, PERSON_RATE

AUTHORIZE: Final = "/oauth/authorize"
WORKSPACE: Final = "workspace"
"""The parameter of ours in which the page's own form names the workspace that the person chose."""
CARRIED: Final = (
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "resource",
    "code_challenge",
    "code_challenge_method",
    "prompt",
)
"""What the page's forms carry on of the client's request."""
ENDS: Final = {"": "until I take it back", "1": "1 day", "7": "7 days", "30": "30 days", "90": "90 days"}
LONGEST_QUERY: Final = 16_000
_PURPOSE: Final = "oauth consent"


def person_routes() -> list[Route]:
    """Where clients send people."""
    return [
        Route(AUTHORIZE, ask, methods=["GET"]),
        Route(AUTHORIZE, decide, methods=["POST"]),
        Route("/oauth/sign-in", sign_in, methods=["POST"]),
    ]


async def ask(request: Request) -> Response:
    """Show what a client wants, to whom it may be shown, unless they said yes to all of it before."""
    query = request.url.query
    if len(query) > LONGEST_QUERY:
        return _sorry(request, "This request is too long to be one.")
    fields = parse_qsl(query, errors="replace")
    person = await _person(request)
    try:
        return await (_welcome(request, fields) if person is None else _ask(request, person, fields))
    except SentBack as error:
        return _send_error(request, error)
    except Refused as error:
        return _sorry(request, error.message)


async def _welcome(request: Request, fields: Fields) -> Response:
    """Have a person sign in first, unless the request can be refused at once."""
    if await _is_stranger(request, fields):
        return _sign_in_page(request, request.url.query)
    asked = await parts_of(request).oauth.authorizations.read(fields, reader=None)
    return _sign_in_page(request, request.url.query, asked)


async def _asked_in(request: Request, query: str) -> Asked | None:
    """What a person signs in for, to be told of it once more; None where that is not in order, as they will see."""
    fields = parse_qsl(query, errors="replace")
    if await _is_stranger(request, fields):
        return None
    try:
        return await parts_of(request).oauth.authorizations.read(fields, reader=None)
    except (SentBack, Refused):
        return None


async def _ask(request: Request, person: Caller, fields: Fields) -> Response:
    authorizations = parts_of(request).oauth.authorizations
    asked = await authorizations.read(fields, reader=person.principal_id)
    review = await authorizations.review(asked, person, _workspace_of(fields))
    if review.remembered:
        return _send(await authorizations.go_on(review))
    return await _consent_page(request, review, fields)


async def decide(request: Request) -> Response:
    """Take the person's decision from the page, and send them back to the client."""
    require_own_page(request)
    person = await _person(request)
    authorizations = parts_of(request).oauth.authorizations
    try:
        fields = await read_form(request)
        carried = _carried(fields)
        if person is None:
            return _sign_in_page(request, urlencode(carried))
        told = once(fields, many=frozenset({"resource", "allow", "inbox"}))
        if not hmac.compare_digest(told.get("csrf", ""), _seal(request, fields)):
            return _sorry(request, "This page is out of date. Go back to the program and connect once more.")
        asked = await authorizations.read(carried, reader=person.principal_id)
        review = await authorizations.review(asked, person, _workspace_of(fields))
        if told.get("decision") != "allow":
            return _send(await authorizations.deny(review))
        return _send(await authorizations.allow(review, _answer(fields, told)))
    except SentBack as error:
        return _send_error(request, error)
    except Refused as error:
        return _sorry(request, error.message)


async def sign_in(request: Request) -> Response:
    """Check a password from the page's form, and go on with what the client asked."""
    refuse_other_sites(request)
    parts = parts_of(request)
    try:
        told = once(await read_form(request))
    except Refused as error:
        return _sorry(request, error.message)
    query = told.get("then", "")[:LONGEST_QUERY]
    try:
        await parts.limiter.take(f"sign-in-from:{network_of(request)}", ADDRESS_RATE)
        person = SignIn(email=told.get("email", ""), password=SecretStr(told.get("password", "")))
        await parts.limiter.take(f"sign-in:{person.email.lower()}", PERSON_RATE)
        cookie = await parts.sessions.sign_in(person, request.headers.get("user-agent", ""))
    except ValidationError:
        asked = await _asked_in(request, query)
        return _sign_in_page(request, query, asked, problem="This is no e-mail address.", status=422)
    except (Unauthenticated, RateLimitExceeded) as error:
        asked = await _asked_in(request, query)
        return _sign_in_page(request, query, asked, problem=error.message, status=error.http_status)
    answer = RedirectResponse(f"{AUTHORIZE}?{query}", 303, {"cache-control": "no-store"})
    set_session(request, answer, cookie)
    return answer


async def _person(request: Request) -> Caller | None:
    """Who is signed in; access tokens do not count, as no program allows another anything."""
    cookie = session_of(request)
    if cookie is None:
        return None
    try:
        return await parts_of(request).authenticator.by_session(cookie, presented_by(request))
    except Unauthenticated:
        return None


async def _is_stranger(request: Request, fields: Fields) -> bool:
    """Whether the client can only be known by a document that is fetched for people who are signed in."""
    client_id = dict(fields).get("client_id", "")
    if not client_id.startswith(("https://", "http://")):
        return False
    try:
        await parts_of(request).oauth.authorizations.find(client_id)
    except ClientRefused:
        return True
    return False


async def _consent_page(request: Request, review: Review, fields: Fields) -> Response:
    asked = review.asked
    if not review.offered:
        words = (
            "Nothing that it asks for is yours to give in this workspace. "
            "Choose another workspace, or ask an owner for another role."
        )
    else:
        words = ""
    carried = _carried(fields)
    workspace_id = review.caller.workspace_id
    choosing = len(review.memberships) > 1 and asked.client.workspace_id is None
    body = filled(
        "consent",
        client=asked.client.name,
        identity=_identity(asked),
        warning=_warning(asked),
        workspace=review.workspace_name,
        person=review.caller.name,
        chooser=_chooser(review, carried) if choosing else HTML(),
        nothing=HTML(f'<p role="alert">{escape(words)}</p>') if words else HTML(),
        hidden=_hidden([*carried, (WORKSPACE, str(workspace_id))]),
        csrf=_seal(request, [*carried, (WORKSPACE, str(workspace_id))]),
        scopes=_scope_lists(review),
        limits=await _limits(request, review) if review.offered else HTML(),
        allow=HTML('<button name="decision" value="allow">Allow</button>') if review.offered else HTML(),
        destination=host_of(asked.redirect_uri),
    )
    return _page(request, f"Allow {asked.client.name}?", body, back_to=asked.redirect_uri)


def _identity(asked: Asked) -> HTML:
    client = asked.client
    rows = [("Sends you to", host_of(asked.redirect_uri))]
    if client.host is not None:
        rows.insert(0, ("Known as", client.host))
    elif client.workspace_id is not None:
        rows.insert(0, ("Known as", "a client that a member of your workspace made"))
    else:
        rows.insert(0, ("Known as", "a program that registered itself; nobody vouches for its name"))
    return HTML("".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows))


def _warning(asked: Asked) -> HTML:
    if not is_local(asked.redirect_uri):
        return HTML()
    words = (
        "This leads to a program on this computer, and any program here could pass itself off as this one. "
        "Go on only if you have just started connecting it yourself."
    )
    return HTML(f'<p class="warning">{escape(words)}</p>')


def _chooser(review: Review, carried: Fields) -> HTML:
    options = "".join(
        _option(str(each.workspace_id), each.name, chosen=each.workspace_id == review.caller.workspace_id)
        for each in review.memberships
    )
    return filled("consent_workspace", hidden=_hidden(carried), options=HTML(options))


def _scope_lists(review: Review) -> HTML:
    """The scopes in words: those that read first, the risky ones apart."""
    plain = [scope for scope in sorted(review.offered) if not is_risky(scope)]
    risky = [scope for scope in sorted(review.offered) if is_risky(scope)]
    parts = [
        _scope_list("It may see", plain, review),
        _scope_list("Look twice at these", risky, review, risky=True),
    ]
    return HTML("".join(parts))


def _scope_list(legend: str, scopes: Iterable[str], review: Review, *, risky: bool = False) -> HTML:
    choices = "".join(
        '<label class="choice"><input type="checkbox" name="allow" '
        f'value="{escape(scope)}" checked> <span>{escape(words_for(scope))} '
        f"<code>{escape(scope)}</code>{_newness(scope, review)}</span></label>"
        for scope in scopes
    )
    if not choices:
        return HTML()
    kind = ' class="risky"' if risky else ""
    return HTML(f"<fieldset{kind}><legend>{escape(legend)}</legend>{choices}</fieldset>")


def _newness(scope: str, review: Review) -> str:
    if review.grant is None:
        return ""
    return ' <em class="known">allowed before</em>' if scope in review.given else ' <em class="new">new</em>'


async def _limits(request: Request, review: Review) -> HTML:
    """What a person may limit beside the scopes; what they chose before is chosen again."""
    grant = review.grant
    inboxes: list[Mapping[str, str]] = []
    if review.caller.may(list_inboxes.scope):
        found = await parts_of(request).pipeline.run(review.caller, list_inboxes, {"limit": MAX_LIMIT})
        inboxes = found.value["items"]
    chosen = {str(inbox_id) for inbox_id in (grant.inbox_ids or ())} if grant else set[str]()
    boxes = "".join(
        '<label class="choice"><input type="checkbox" name="inbox" '
        f'value="{escape(inbox["id"])}"{" checked" if inbox["id"] in chosen else ""}> '
        f"<span>{escape(inbox['name'])}</span></label>"
        for inbox in inboxes
    )
    only = "<fieldset><legend>Only these inboxes, else all</legend>{}</fieldset>"
    return filled(
        "consent_limits",
        open=HTML(" open") if chosen or (grant and grant.read_only) else HTML(),
        read_only=HTML(" checked") if grant and grant.read_only else HTML(),
        inboxes=HTML(only.format(boxes)) if boxes else HTML(),
        ends=HTML("".join(_option(days, words, chosen=not days) for days, words in ENDS.items())),
    )


def _option(value: str, words: str, *, chosen: bool) -> str:
    return f'<option value="{escape(value)}"{" selected" if chosen else ""}>{escape(words)}</option>'


def _hidden(fields: Fields) -> HTML:
    return HTML("".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in fields))


def _carried(fields: Fields) -> Fields:
    return [(name, value) for name, value in fields if name in CARRIED]


def _answer(fields: Fields, told: Mapping[str, str]) -> Answer:
    days = told.get("days", "")
    if days not in ENDS:
        raise Refused("invalid_request", "The page's form was changed on its way.")
    return Answer(
        scopes=frozenset(value for name, value in fields if name == "allow"),
        read_only="read_only" in told,
        inbox_ids=tuple(_id(value) for name, value in fields if name == "inbox"),
        days=int(days) if days else None,
    )


def _workspace_of(fields: Fields) -> UUID | None:
    found = dict(fields).get(WORKSPACE)
    return _id(found) if found else None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused("invalid_request", "The page's form was changed on its way.") from None


def _seal(request: Request, fields: Fields) -> str:
    """What only a page of ours can hold: it ties the decision to this session, and to what the page showed."""
    shown = urlencode([*_carried(fields), (WORKSPACE, dict(fields).get(WORKSPACE, ""))])
    message = f"{session_of(request)}\n{shown}".encode()
    return this_site().cipher.sign(message, _PURPOSE).hex()


def _sign_in_page(
    request: Request, query: str, asked: Asked | None = None, *, problem: str = "", status: int = 200
) -> Response:
    to = f"Sign in to decide what {asked.client.name} may do" if asked else "Sign in to connect a program"
    body = filled("consent_sign_in", lead=to, query=query, problem=problem)
    return _page(request, "Sign in to Chatwright", body, status=status)


def _page(
    request: Request, title: str, body: HTML, *, back_to: str | None = None, status: int = 200
) -> Response:
    """A page whose form may end at the client: browsers look at the whole way that a form takes."""
    policy = CONTENT_POLICY
    if back_to is not None:
        policy = policy.replace("form-action 'self'", f"form-action 'self' {_source(back_to)}")
    return page(request, title, body, status, policy=policy)


def _source(uri: str) -> str:
    """A redirect URI as a source of a content security policy: its origin, or its scheme."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"


def _send(address: str) -> Response:
    return RedirectResponse(address, 303, {"cache-control": "no-store"})


def _send_error(request: Request, error: SentBack) -> Response:
    authorizations = parts_of(request).oauth.authorizations
    told = {"error": error.error, "error_description": error.message}
    return _send(authorizations.back(error.redirect_uri, error.state, **told))


def _sorry(request: Request, words: str) -> Response:
    return message_page(request, "This program cannot be connected", words, 400)
