"""A sandbox behind a real HTTP server in the test's own loop, and somebody who hears its webhooks."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatwright.sandbox.clock import Clock
from chatwright.sandbox.server import MakeProvider, Sandbox, build_sandbox
from chatwright.sandbox.world import World
from tests.serving import serving


@dataclass
class Stage:
    """A running sandbox, and its controls as a test uses them."""

    url: str
    sandbox: Sandbox
    http: httpx2.AsyncClient

    async def control(self, method: str, path: str, **body: Any) -> Any:
        answer = await self.http.request(method, f"/_sandbox{path}", json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def account(self, kind: str, **new: Any) -> dict[str, Any]:
        return await self.control("POST", "/accounts", kind=kind, **new)

    async def person(self, account: dict[str, Any], **new: Any) -> dict[str, Any]:
        return await self.control("POST", f"{_path(account)}/people", **({"name": "Ada Byron"} | new))

    async def act(self, account: dict[str, Any], person: dict[str, Any], type_: str, **action: Any) -> Any:
        path = f"{_path(account)}/people/{person['id']}/actions"
        return (await self.control("POST", path, type=type_, **action))["id"]

    async def phone(self, account: dict[str, Any], person: dict[str, Any]) -> dict[str, Any]:
        """What somebody sees."""
        return await self.control("GET", f"{_path(account)}/people/{person['id']}")

    async def fault(self, account: dict[str, Any], **switches: Any) -> None:
        await self.control("PATCH", f"{_path(account)}/faults", **switches)

    async def occur(self, account: dict[str, Any], name: str, **values: Any) -> None:
        await self.control("POST", f"{_path(account)}/events", name=name, values=values)

    async def settled(self) -> None:
        assert (await self.control("POST", "/settle")) == {"settled": True}


def _path(account: dict[str, Any]) -> str:
    return f"/accounts/{account['kind']}/{account['id']}"


@asynccontextmanager
async def staged(makers: Sequence[MakeProvider], *, waits: float = 1000) -> AsyncGenerator[Stage]:
    """A sandbox with these providers, whose waits are short."""
    sandbox = build_sandbox(World(Clock(waits=waits)), makers)
    async with serving(sandbox.app) as url, httpx2.AsyncClient(base_url=url) as http:
        yield Stage(url, sandbox, http)


@dataclass(frozen=True)
class Heard:
    """One webhook as it came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return orjson.loads(self.body)


@dataclass
class Ear:
    """Somebody who hears webhooks; answers as `answers` says, and with 200 once that is used up.

    `delays` are seconds before the next answers.
    """

    url: str = ""
    heard: list[Heard] = field(default_factory=list[Heard])
    answers: list[Response] = field(default_factory=list[Response])
    delays: list[float] = field(default_factory=list[float])

    async def hear(self, request: Request) -> Response:
        self.heard.append(Heard(dict(request.headers), await request.body()))
        await asyncio.sleep(self.delays.pop(0) if self.delays else 0)
        return self.answers.pop(0) if self.answers else Response()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [heard.event for heard in self.heard]


@asynccontextmanager
async def listening() -> AsyncGenerator[Ear]:
    """An ear at a URL of its own."""
    ear = Ear()
    async with serving(Starlette(routes=[Route("/hook", ear.hear, methods=["POST"])])) as url:
        ear.url = f"{url}/hook"
        yield ear
