"""The paths of this surface."""

from collections.abc import Mapping

from starlette.routing import Route

from chatwright.features.workspaces.limits import RateLimiter
from chatwright.ports.database import Database
from chatwright.ports.signals import Signals
from chatwright.ports.storage import Storage
from chatwright.surfaces.hooks.files import Files
from chatwright.surfaces.hooks.receiving import Receiving
from chatwright.surfaces.hooks.reception import Handle, Reception
from chatwright.surfaces.hooks.unsubscribing import Unsubscriptions
from chatwright.surfaces.hooks.visitors import Visitors


def hook_routes(database: Database, signals: Signals, limiter: RateLimiter) -> list[Route]:
    """The routes, to be mounted at the root; channels must be registered before the first call."""
    reception = Reception(database)
    receiving = Receiving(database, limiter, reception)
    visitors = Visitors(database, signals, limiter, reception)
    unsubscriptions = Unsubscriptions(database, reception)
    paths = {
        "/hooks/{inbox_id}": ("POST", receiving.receive),
        "/webchat/{inbox_id}": ("GET", visitors.profile),
        "/webchat/{inbox_id}/session": ("POST", visitors.session),
        "/webchat/{inbox_id}/typing": ("POST", visitors.typing),
        "/webchat/{inbox_id}/messages": ("GET", visitors.messages),
        "/webchat/{inbox_id}/stream": ("GET", visitors.stream),
    }
    handshake = reception.endpoint(receiving.handshake, receiving.early_handshake)
    return [
        Route("/hooks/{inbox_id}", handshake, methods=["GET"]),
        Route("/u/{token}", unsubscriptions.ask, methods=["GET"]),
        Route("/u/{token}", unsubscriptions.stop, methods=["POST"]),
        *_routes(reception, paths),
    ]


def file_routes(database: Database, storage: Storage) -> list[Route]:
    """Where providers fetch files from."""
    return [Route("/files/{token}", Files(database, storage).serve, methods=["GET"])]


def _routes(reception: Reception, paths: Mapping[str, tuple[str, Handle]]) -> list[Route]:
    return [
        Route(path, reception.endpoint(handle), methods=[method, "OPTIONS"])
        for path, (method, handle) in paths.items()
    ]
