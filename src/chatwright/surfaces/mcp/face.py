"""An MCP server over Streamable HTTP: both eras of the protocol behind one door."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.types import ASGIApp

from chatwright.features.workspaces.authentication import Authenticator
from chatwright.kernel.caller import Caller
from chatwright.surfaces.mcp.challenges import Challenges, Place
from chatwright.surfaces.mcp.door import MAX_BODY, Check, Door, Neighbours, Ways
from chatwright.surfaces.mcp.selection import Selection, read_selection
from chatwright.surfaces.mcp.sessions import Sessions, SessionWay

PATHS: Final = ("/mcp", "/mcp/readonly", "/mcp/x/{toolsets}", "/mcp/x/{toolsets}/readonly")
"""Where the server is reached; `selection` says what each of them shows."""


async def _check_nothing(
    caller: Caller, selection: Selection, method: str, params: Mapping[str, Any]
) -> None:
    del caller, selection, method, params


@dataclass(frozen=True)
class Scopes:
    """The scopes that a server's tools need, by name, sorted."""

    all: Sequence[str]
    """Every one there is."""
    at_first: Sequence[str]
    """Those to ask for at first: what only reads. The rest is asked for when a tool needs it."""
    check: Check = _check_nothing


@dataclass(frozen=True)
class Registry:
    """What is served: a server of the SDK, and what the door has to know of it."""

    server: "Server[dict[str, Any]]"
    scopes: Scopes
    shortcut: Callable[[ASGIApp], ASGIApp] | None = None
    """Makes what stands before the SDK's way of answering in JSON."""


class McpFace:
    """Serves an MCP server over Streamable HTTP.

    `app` is an ASGI application for each of `PATHS`: mount it as `Route(path, face.app)`, which passes every method
    on. It answers while `running()` is open.

    With `sessions` clients of revisions before 2026-07-28 get one each, in the memory of this process: for a
    server whose tools ask their caller something, and which is one process. Else any process answers any message.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        authenticator: Authenticator,
        place: Place,
        allowed_hosts: Iterable[str],
        allowed_origins: Iterable[str],
        max_body: int = MAX_BODY,
        sessions: Sessions | None = None,
    ) -> None:
        server, scopes = registry.server, registry.scopes
        self._scopes = scopes
        self._place = place
        self._managers = [
            StreamableHTTPSessionManager(
                server, stateless=True, json_response=plain, max_request_body_size=max_body
            )
            for plain in (True, False)
        ]
        plain, streaming = self._managers
        ways = Ways(StreamableHTTPASGIApp(plain), StreamableHTTPASGIApp(streaming))
        if registry.shortcut is not None:
            ways = replace(ways, json=registry.shortcut(ways.json))
        if sessions is not None:
            keeping = _keeping(server, sessions, max_body)
            self._managers.append(keeping)
            ways = replace(ways, session=SessionWay(StreamableHTTPASGIApp(keeping), sessions))
        self.app = Door(
            ways,
            authenticator,
            Neighbours(frozenset(host.lower() for host in allowed_hosts), frozenset(allowed_origins)),
            challenges=Challenges(place, scopes.at_first),
            check=scopes.check,
            max_body=max_body,
        )

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep the tasks that answer requests; once per face."""
        async with AsyncExitStack() as stack:
            for manager in self._managers:
                await stack.enter_async_context(manager.run())
            yield

    def metadata(self, path: str) -> dict[str, Any]:
        """RFC 9728 metadata of the endpoint at a path, to be served below `WELL_KNOWN`.

        Raises NotFound, or UnknownToolset, where there is no such endpoint.
        """
        read_selection(path, {})
        return {
            "resource": self._place.resource(path),
            "authorization_servers": [self._place.issuer],
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
