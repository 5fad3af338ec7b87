"""An MCP server over Streamable HTTP: both eras of the protocol behind one door."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager

from chatwright.features.workspaces.authentication import Authenticator
from chatwright.surfaces.mcp.door import MAX_BODY, Door, Neighbours, Ways


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
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._scopes = scopes
        self._managers = [
            StreamableHTTPSessionManager(
                server, stateless=True, json_response=plain, max_request_body_size=max_body
            )
            for plain in (True, False)
        ]
        self.app = Door(
            Ways(*(StreamableHTTPASGIApp(manager) for manager in self._managers)),
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
        plain, streaming = self._managers
        async with plain.run(), streaming.run():
            yield

    def resource_metadata(self) -> dict[str, Any]:
        """RFC 9728 metadata, to be served at `/.well-known/oauth-protected-resource/mcp`."""
        return {
            "resource": f"{self._public_url}/mcp",
            "resource_name": "Chatwright",
            "scopes_supported": list(self._scopes.all),
            "bearer_methods_supported": ["header"],
        }
