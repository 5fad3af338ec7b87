"""Sessions of the revisions before 2026-07-28: what lets a server ask its client something during a call.

A session lives in the memory of one process, so only a server of a single process can keep them.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.features.workspaces.keys import principal_of
from chatwright.kernel.errors import Unauthenticated, Unavailable
from chatwright.surfaces.mcp.context import Admission

METHODS: Final = frozenset({"GET", "POST", "DELETE"})


@dataclass(frozen=True)
class Sessions:
    """How long sessions are kept, and how many."""

    idle_seconds: float = 1800.0
    """A session is forgotten when it has had no request for so long."""
    most: int = 1000
    """Sessions that may be open in this process; who would open one more is told to come back later."""
    most_each: int = 32
    """Of these, how many one principal may have; its oldest gives way to one more."""
    look_seconds: float = 5.0
    """How long a revoked token can keep a stream open that says nothing."""


def may_have_session(headers: Mapping[str, str]) -> bool:
    """Whether a request is of a revision that knows sessions; the first one of all may name none."""
    version = headers.get(MCP_PROTOCOL_VERSION_HEADER)
    return version is None or version in HANDSHAKE_PROTOCOL_VERSIONS


class SessionWay:
    """Answers requests that belong to a session, each only for the principal that opened the session."""

    def __init__(self, answer: ASGIApp, sessions: Sessions) -> None:
        self._answer = answer
        self._sessions = sessions
        self._opened: dict[str, str] = {}
        """Who opened which session, the oldest first; some of them may have ended since."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send, admission: Admission) -> None:
        """Answer for as long as the caller's token holds."""
        principal = principal_of(admission.caller)
        # The SDK compares owners by this; the token itself is no part of who somebody is.
        scope["user"] = AuthenticatedUser(AccessToken(token="", client_id=principal, scopes=[]))
        answer = _Answer(send)
        answering = asyncio.ensure_future(self._answer(scope, receive, answer.send))
        try:
            await self._watch(answering, admission)
        except Unauthenticated:
            await _stop(answering)
            if not answer.begun:
                raise
            await answer.finish()
        finally:
            await _stop(answering)
        if answer.session is not None and MCP_SESSION_ID_HEADER not in Headers(scope=scope):
            await self._make_room(principal, answer.session, scope)

    async def _make_room(self, principal: str, opened: str, scope: Scope) -> None:
        """Remember a new session, and end the oldest ones that are too many for its principal."""
        self._opened[opened] = principal
        own = [session for session, owner in self._opened.items() if owner == principal]
        for session in own[: -self._sessions.most_each]:
            del self._opened[session]
            headers = [(MCP_SESSION_ID_HEADER.encode(), session.encode())]
            await self._answer({**scope, "method": "DELETE", "headers": headers}, _no_body, _unheard)
        for session in list(self._opened)[: -self._sessions.most]:
            del self._opened[session]

    async def _watch(self, answering: "asyncio.Future[None]", admission: Admission) -> None:
        """Wait for the answer's end; raise Unauthenticated when the token ends first."""
        while not (await asyncio.wait({answering}, timeout=self._sessions.look_seconds))[0]:
            with contextlib.suppress(Unavailable):
                await admission.check()
        await answering


async def _stop(answering: "asyncio.Future[None]") -> None:
    answering.cancel()
    await asyncio.wait({answering})


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _unheard(message: Message) -> None:
    del message


class _Answer:
    """What was sent so far, so that a stream that is cut off still ends as HTTP wants it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._whole = False
        self.begun = False
        self.session: str | None = None
        """The session that it names, unless it is a refusal."""

    async def send(self, message: Message) -> None:
        self.begun = True
        if message["type"] == "http.response.start" and message["status"] == 200:
            self.session = Headers(raw=message.get("headers", [])).get(MCP_SESSION_ID_HEADER)
        self._whole = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    async def finish(self) -> None:
        """End the body, unless it has ended."""
        if not self._whole:
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})
