"""What the HTTP face is made of, handed over by the app."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import UUID

from starlette.requests import HTTPConnection

from chatwright.features.workspaces.authentication import Authenticator, Sessions
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.features.workspaces.oauth.server import AuthorizationServer
from chatwright.features.workspaces.pipeline import Pipeline
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.database import Database
from chatwright.ports.storage import Storage
from chatwright.surfaces.http.probes import Probes

DemoInbox = Callable[[], Awaitable[UUID | None]]

STATIC = Path(__file__).parent / "static"
"""Where the build of the web parts leaves its files."""


@dataclass(frozen=True)
class Parts:
    """Everything that routes need; they find it on the app with `parts_of`."""

    database: Database
    pipeline: Pipeline
    authenticator: Authenticator
    sessions: Sessions
    oauth: AuthorizationServer
    limiter: RateLimiter
    storage: Storage
    public_url: str
    version: str
    demo_inbox: DemoInbox
    """The inbox whose widget the demo page carries; None when there is none."""
    operations: Sequence[AnyOperation]
    """What REST shows."""
    probes: Probes
    outside_issuer: str | None = None
    """Who gives out OAuth tokens in place of this server."""
    static: Path = STATIC

    @property
    def secure(self) -> bool:
        """Whether people reach this server by HTTPS."""
        return self.public_url.startswith("https://")


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts of the app that serves this request."""
    return cast("Parts", connection.app.state.parts)
