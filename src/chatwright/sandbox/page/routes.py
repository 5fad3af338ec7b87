"""The page at /, its parts, and the files in people's phones."""

from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chatwright.sandbox.faults import Faults
from chatwright.sandbox.world import SandboxNotFound, World

ASSETS = Path(__file__).with_name("assets")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src * data:; media-src *; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""Pictures come from wherever an account says; nothing else comes from elsewhere."""


class Pages:
    """The routes, over a world."""

    def __init__(self, world: World, *, product_url: str) -> None:
        self._world = world
        self._product_url = product_url.rstrip("/")

    def routes(self) -> Sequence[BaseRoute]:
        """All routes, from the root."""
        return [
            Route("/", self._show, methods=["GET"]),
            Route("/page/settings.json", self._settings, methods=["GET"]),
            Route("/page/{name}", self._asset, methods=["GET"]),
            Route("/media/{kind}/{id}/{person}/{bubble}/{number:int}", self._media, methods=["GET"]),
        ]

    async def _show(self, _: Request) -> Response:
        return _file("index.html")

    async def _asset(self, request: Request) -> Response:
        return _file(request.path_params["name"])

    async def _settings(self, _: Request) -> Response:
        schema = Faults.model_json_schema()
        return JSONResponse({"product_url": self._product_url, "faults": schema["properties"]})

    async def _media(self, request: Request) -> Response:
        named = request.path_params
        person = self._world.account(named["kind"], named["id"]).person(named["person"])
        media = person.thread.bubble(named["bubble"]).media
        number: int = named["number"]
        if not 0 <= number < len(media):
            raise SandboxNotFound("This bubble has no such file.")
        found = media[number]
        # Somebody's HTML must not become a page of this origin.
        headers = {"content-security-policy": "sandbox", "x-content-type-options": "nosniff"}
        return Response(
            found.content, media_type=found.mime_type or "application/octet-stream", headers=headers
        )


def _file(name: str) -> Response:
    path = ASSETS / name
    if path.suffix not in _TYPES or not path.is_file():
        raise SandboxNotFound("There is no such page.")
    headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
    return FileResponse(path, media_type=_TYPES[path.suffix], headers=headers)
