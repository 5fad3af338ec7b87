"""Signing in and out, and joining by a one-time link."""

import inspect
from typing import Annotated
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from chatwright.features.workspaces.arguments import read_model
from chatwright.features.workspaces.authentication import Join, SignIn
from chatwright.features.workspaces.errors import WorkspaceNotFound
from chatwright.features.workspaces.models import EnterWorkspace, Membership
from chatwright.kernel.caller import Caller, PrincipalKind
from chatwright.kernel.errors import (
    Conflict,
    Forbidden,
    Internal,
    InvalidInput,
    PayloadTooLarge,
    RateLimitExceeded,
    Unauthenticated,
    Unavailable,
)
from chatwright.kernel.operation import Output, RateClass
from chatwright.surfaces.http.answers import JSONAnswer
from chatwright.surfaces.http.errors import UnsupportedMediaType
from chatwright.surfaces.http.identity import (
    caller_of,
    clear_session,
    presented_by,
    refuse_other_sites,
    require_own_page,
    session_of,
    set_session,
)
from chatwright.surfaces.http.networks import network_of
from chatwright.surfaces.http.parts import parts_of
from chatwright.surfaces.http.reading import read_object
from chatwright.surfaces.http.routes import DescribedRoute

ADDRESS_RATE = RateClass(per_minute=20, burst=20)
"""Attempts from one address."""
PERSON_RATE = RateClass(per_minute=5, burst=10)
"""Attempts to sign in as one person, from wherever: a guessed password costs more than a week per 50,000 tries."""


class Me(Output):
    """Who the caller is."""

    workspace_id: UUID
    """The workspace this token or session works in."""
    kind: PrincipalKind
    """`member` for a person, `token` for a program."""
    id: str
    """Id of the person or token."""
    name: str
    """Name of the person or token."""
    scopes: list[str]
    """What they may do."""
    inbox_ids: list[UUID] | None
    """Inboxes they are limited to; all when absent."""
    workspaces: list[Membership]
    """The workspaces a person works in; none for a program."""


class SignedOut(Output):
    """The session has ended."""


def session_routes() -> list[DescribedRoute]:
    """The routes below /auth."""
    ways_to_fail = (InvalidInput, UnsupportedMediaType, PayloadTooLarge, Forbidden, RateLimitExceeded)
    trouble = (Internal, Unavailable)
    return [
        DescribedRoute(
            "POST",
            "/auth/sign-in",
            sign_in,
            name="sign_in",
            tag="auth",
            summary="Sign in",
            description="Start a session with a password. The answer sets an HttpOnly cookie.",
            parameters=[_body(SignIn)],
            answer=Me,
            errors=(*ways_to_fail, Unauthenticated, *trouble),
            open_to_all=True,
        ),
        DescribedRoute(
            "POST",
            "/auth/join",
            join,
            name="join",
            tag="auth",
            summary="Join",
            description="Use a one-time link: make the person a member and start a session.",
            parameters=[_body(Join)],
            answer=Me,
            errors=(*ways_to_fail, Conflict, *trouble),
            open_to_all=True,
        ),
        DescribedRoute(
            "POST",
            "/auth/sign-out",
            sign_out,
            name="sign_out",
            tag="auth",
            summary="Sign out",
            description="End the session. Without one it does nothing.",
            answer=SignedOut,
            errors=(Forbidden, *trouble),
            open_to_all=True,
        ),
        DescribedRoute(
            "POST",
            "/auth/workspace",
            enter_workspace,
            name="enter_workspace",
            tag="auth",
            summary="Go to another workspace",
            description="Go on, in this session, in another workspace that the person is a member of.",
            parameters=[_body(EnterWorkspace)],
            answer=Me,
            errors=(*ways_to_fail, Unauthenticated, WorkspaceNotFound, *trouble),
        ),
        DescribedRoute(
            "GET",
            "/auth/me",
            show_me,
            name="get_me",
            tag="auth",
            summary="Who am I",
            description="Show whose token or session this is, and what it may do.",
            answer=Me,
            errors=(Unauthenticated, *trouble),
        ),
    ]


async def sign_in(request: Request) -> Response:
    """Check a password and start a session."""
    await _admit(request)
    person = read_model(SignIn, await read_object(request))
    parts = parts_of(request)
    await parts.limiter.take(_bucket_of(person.email), PERSON_RATE)
    return await _signed_in(request, await parts.sessions.sign_in(person, _browser(request)))


async def join(request: Request) -> Response:
    """Use a one-time link and start a session."""
    await _admit(request)
    person = read_model(Join, await read_object(request))
    parts = parts_of(request)
    # The link asks for the password of an account there is, so it must not be another way to guess it.
    await parts.limiter.take(_bucket_of(person.email), PERSON_RATE)
    return await _signed_in(request, await parts.sessions.join(person, _browser(request)))


async def sign_out(request: Request) -> Response:
    """End the session."""
    answer = JSONAnswer({})
    if (cookie := session_of(request)) is not None:
        require_own_page(request)
        await parts_of(request).sessions.sign_out(cookie)
        clear_session(request, answer)
    return answer


async def enter_workspace(request: Request) -> Response:
    """Move the session to another workspace."""
    cookie = session_of(request)
    if cookie is None:
        message = "Only a signed-in person goes from one workspace to another."
        raise Unauthenticated(message, hint="Make an access token in the other workspace.")
    require_own_page(request)
    wanted = read_model(EnterWorkspace, await read_object(request))
    await parts_of(request).sessions.enter(cookie, wanted.workspace_id)
    return await show_me(request)


async def show_me(request: Request) -> Response:
    """Show the caller."""
    return await _answer_me(request, await caller_of(request))


async def _admit(request: Request) -> None:
    refuse_other_sites(request)
    await parts_of(request).limiter.take(f"sign-in-from:{network_of(request)}", ADDRESS_RATE)


async def _signed_in(request: Request, cookie: str) -> Response:
    """Answer with the new session; the one before, if any, ends."""
    parts = parts_of(request)
    if (before := session_of(request)) is not None:
        await parts.sessions.sign_out(before)
    caller = await parts.authenticator.by_session(cookie, presented_by(request))
    answer = await _answer_me(request, caller)
    set_session(request, answer, cookie)
    return answer


async def _answer_me(request: Request, caller: Caller) -> Response:
    person = UUID(caller.principal_id) if caller.kind is PrincipalKind.MEMBER else None
    me = Me(
        workspace_id=caller.workspace_id,
        kind=caller.kind,
        id=caller.principal_id,
        name=caller.name,
        scopes=sorted(caller.scopes),
        inbox_ids=None if caller.inbox_ids is None else sorted(caller.inbox_ids),
        workspaces=[] if person is None else await parts_of(request).sessions.memberships(person),
    )
    return JSONAnswer(me.model_dump(mode="json"))


def _bucket_of(email: str) -> str:
    return f"sign-in:{email.lower()}"


def _browser(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _body(model: type[BaseModel]) -> inspect.Parameter:
    return inspect.Parameter("body", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[model, Body()])
