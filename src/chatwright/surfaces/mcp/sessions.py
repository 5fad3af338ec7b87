"""Sessions of the revisions before 2026-07-28: what lets a server ask its client something during a call.

A session lives in the memory of one process, so only a server of a single process can keep them.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatwright.features.workspaces.pipeline import principal_of
from chatwright.kernel.errors import Unauthenticated, Unavailable
from chatwright.surfaces.mcp.context import Admission

METHODS: Final = frozenset({"GET", "POST", "DELETE"})
LOOK_SECONDS: Final = 5.0
"""How long a revoked token can keep a stream open that says nothing."""


@dataclass(frozen=True)
class Sessions:
    """How long sessions are kept, and how many."""

    idle_seconds: float = 1800.0
    """A session is forgotten when it has had no request for so long."""
    most: int = 1000
    """Sessions that may be open in this process; who would open one more is told to come back later."""


def may_have_session(headers: Headers) -> bool:
    """Whether a request is of a revision that knows sessions; the first one of all may name none."""
    version = headers.get(MCP_PROTOCOL_VERSION_HEADER)
    return version is None or version in HANDSHAKE_PROTOCOL_VERSIONS


class SessionWay:
    """Answers requests that belong to a session, each only for the principal that opened the session."""

    def __init__(self, answer: ASGIApp) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send, admission: Admission) -> None:
        """Answer for as long as the caller's token holds."""
        # The SDK compares owners by this; the token itself is no part of who somebody is.
        owner = AccessToken(token="", client_id=principal_of(admission.caller), scopes=[])
        scope["user"] = AuthenticatedUser(owner)
        answer = _Answer(send)
        answering = asyncio.ensure_future(self._answer(scope, receive, answer.send))
        try:
            while not (await asyncio.wait({answering}, timeout=LOOK_SECONDS))[0]:
                if not await _holds(admission):
                    break
            else:
                await answering
        finally:
            answering.cancel()
            await asyncio.wait({answering})
        await answer.finish()


async def _holds(admission: Admission) -> bool:
    try:
        await admission.check()
    except Unauthenticated:
        return False
    except Unavailable:
        return True
    return True


class _Answer:
    """What was sent so far, so that a stream that is cut off still ends as HTTP wants it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._open = True
        elif not message.get("more_body", False):
            self._open = False
        await self._send(message)

    async def finish(self) -> None:
        if self._open:
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})
