"""An MCP server over Streamable HTTP: both eras of the protocol behind one door."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager

from chatwright.features.workspaces.authentication import Authenticator
from chatwright.surfaces.mcp.door import MAX_BODY, Door, Neighbours, Ways
from chatwright.surfaces.mcp.sessions import Sessions, SessionWay


@dataclass(frozen=True)
class Scopes:
    """The scopes that a server's tools need, by name, sorted."""

    all: Sequence[str]
    """Every one there is."""
    at_first: Sequence[str]
    """Those to ask for at first: what only reads. The rest is asked for when a tool needs it."""


class McpFace:
    """Serves an MCP server over Streamable HTTP.

    `app` is an ASGI application for exactly `/mcp`: mount it as `Route("/mcp", face.app)`, which passes every
    method on. It answers while `running()` is open.

    With `sessions` clients of revisions before 2026-07-28 get one each, in the memory of this process: for a
    server whose tools ask their caller something, and which is one process. Else any process answers any message.
    """

    def __init__(
        self,
        *,
        server: "Server[dict[str, Any]]",
        scopes: Scopes,
        authenticator: Authenticator,
        public_url: str,
        allowed_hosts: Iterable[str],
        allowed_origins: Iterable[str],
        max_body: int = MAX_BODY,
        sessions: Sessions | None = None,
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._scopes = scopes
        self._managers = [
            StreamableHTTPSessionManager(
                server, stateless=True, json_response=plain, max_request_body_size=max_body
            )
            for plain in (True, False)
        ]
        plain, streaming = self._managers
        ways = Ways(StreamableHTTPASGIApp(plain), StreamableHTTPASGIApp(streaming))
        if sessions is not None:
            keeping = _keeping(server, sessions, max_body)
            self._managers.append(keeping)
            ways = replace(ways, session=SessionWay(StreamableHTTPASGIApp(keeping), sessions.look_seconds))
        self.app = Door(
            ways,
            authenticator,
            Neighbours(frozenset(host.lower() for host in allowed_hosts), frozenset(allowed_origins)),
            challenge={
                "resource_metadata": f"{self._public_url}/.well-known/oauth-protected-resource/mcp",
                "scope": " ".join(scopes.at_first),
            },
            max_body=max_body,
        )

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep the tasks that answer requests; once per face."""
        async with AsyncExitStack() as stack:
            for manager in self._managers:
                await stack.enter_async_context(manager.run())
            yield

    def resource_metadata(self) -> dict[str, Any]:
        """RFC 9728 metadata, to be served at `/.well-known/oauth-protected-resource/mcp`."""
        return {
            "resource": f"{self._public_url}/mcp",
            "resource_name": "Chatwright",
            "scopes_supported": list(self._scopes.all),
            "bearer_methods_supported": ["header"],
        }


def _keeping(
    server: "Server[dict[str, Any]]", sessions: Sessions, max_body: int
) -> StreamableHTTPSessionManager:
    return StreamableHTTPSessionManager(
        server,
        session_idle_timeout=sessions.idle_seconds,
        max_sessions=sessions.most,
        max_request_body_size=max_body,
    )
