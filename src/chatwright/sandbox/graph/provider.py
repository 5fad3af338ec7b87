"""The Graph API's half of the sandbox."""

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson
from chatwright.sandbox.graph.answers import Answer, Edges
from chatwright.sandbox.graph.apps import Apps, shake_hands
from chatwright.sandbox.graph.calls import KINDS, Call, Desk
from chatwright.sandbox.graph.errors import GraphError, no_object
from chatwright.sandbox.graph.files import Files
from chatwright.sandbox.graph.half import Half
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.pages.half import Pages
from chatwright.sandbox.graph.whatsapp.half import WhatsApp
from chatwright.sandbox.hooks import Hooks
from chatwright.sandbox.provider import Action, CannotDo, NewAccount, NewPerson
from chatwright.sandbox.server import CutOff
from chatwright.sandbox.world import Account, Person, World

_VERSION = re.compile(r"v\d{1,2}\.\d")
METHODS = ["GET", "POST", "DELETE"]
SENDS = {"messages", "marketing_messages"}


class Graph:
    """See `Provider`. Its base URL is that of both graph.facebook.com and graph.instagram.com."""

    prefix: ClassVar[str] = "graph"
    kinds: ClassVar[frozenset[str]] = frozenset(KINDS)

    def __init__(self, world: World, hooks: Hooks) -> None:
        self._world = world
        self._desk = Desk(world)
        self._files = Files(world)
        outbox = Outbox(world, hooks)
        self._apps = Apps(world, self._desk)
        pages = Pages(world, hooks, self._desk, outbox, self._files)
        self._halves: dict[str, Half] = {
            "whatsapp": WhatsApp(world, hooks, self._desk, outbox, self._files),
            "messenger": pages,
            "instagram": pages,
        }
        self._plain: dict[tuple[str, str], Callable[[dict[str, str]], dict[str, Any]]] = {
            ("GET", "debug_token"): self._apps.debug_token,
            ("GET", "oauth/access_token"): self._apps.access_token,
            ("GET", "refresh_access_token"): self._apps.refresh,
        }

    def routes(self) -> Sequence[BaseRoute]:
        """The addresses of files, and everything else: nodes and edges, with a version before them or without."""
        return [
            Route("/files/{name}", self._file, methods=["GET"]),
            Route("/{path:path}", self._answer, methods=METHODS),
        ]

    def create_account(self, new: NewAccount) -> Account:
        """Make a number, a page or an Instagram account. One that is given a webhook URL is subscribed already.

        Details: app_id, waba_id, display_phone_number, require_appsecret_proof, token_seconds, review_seconds,
        media_urls, mps, mps_burst, pair_seconds, pair_burst; login (instagram or facebook), page_id, username.
        """
        account_id = new.id or str(10**14 + 10**9 * secrets.randbelow(10**4) + self._world.number())
        made = {
            "access_token": "EAA" + secrets.token_urlsafe(48),
            "app_secret": secrets.token_hex(16),
            "verify_token": secrets.token_hex(8),
        }
        account = GraphAccount(
            new.kind,
            account_id,
            new.name,
            {**made, **new.secrets},
            new.webhook_url,
            details=dict(new.details),
            app_id=str(new.details.get("app_id") or 10**14 + self._world.number()),
            owner_id=account_id,
            subscribed={"*"} if new.webhook_url else set(),
            token_issued=self._world.clock.now(),
        )
        if (seconds := new.details.get("token_seconds")) is not None:
            account.token_until = self._world.clock.after(float(seconds))
        account.details["app_id"] = account.app_id
        return self._half(account).create_account(new, account)

    def create_person(self, account: Account, new: NewPerson) -> Person:
        """Make a person."""
        graph = _graph(account)
        return self._half(graph).create_person(graph, new)

    async def act(self, account: Account, person: Person, action: Action) -> str | None:
        """Do what a person does."""
        graph = _graph(account)
        if not isinstance(person, GraphPerson):
            raise TypeError(type(person).__name__)
        return self._half(graph).act(graph, person, action)

    async def occur(self, account: Account, name: str, values: dict[str, Any]) -> str | None:
        """Let something happen: handshake, token_fault (`subcode`; null to heal), or what the half knows."""
        graph = _graph(account)
        if name == "handshake":
            try:
                await shake_hands(graph.webhook_url or "", graph.secrets["verify_token"])
            except GraphError as error:
                raise CannotDo(error.message) from error
            return None
        if name == "token_fault":
            graph.token_fault = values.get("subcode", 0)
            return None
        return self._half(graph).occur(graph, name, values)

    def _half(self, account: GraphAccount) -> Half:
        return self._halves[account.kind]

    async def _file(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        file = self._files.read(request.path_params["name"], token)
        if file is None:
            return Response(status_code=404)
        return Response(file.content, media_type=file.mime_type)

    async def _answer(self, request: Request) -> Response:
        path = [part for part in request.path_params["path"].split("/") if part]
        if path and _VERSION.fullmatch(path[0]):
            path.pop(0)
        try:
            plain = self._plain.get((request.method, "/".join(path)))
            if plain is not None:
                return JSONResponse(plain(dict(request.query_params)))
            call = await self._desk.read(request, path)
        except GraphError as error:
            return error.response(whatsapp=False)
        return await self._run(request.method, call)

    async def _run(self, method: str, call: Call) -> Response:
        account, edge = call.account, call.edge
        await asyncio.sleep(account.faults.latency)
        try:
            handler = self._edges(account).get((method, edge))
            if handler is None:
                raise no_object(call.node)
            found = await handler(call)
        except GraphError as error:
            if edge in SENDS:
                account.refused[error.name] += 1
            response = error.response(whatsapp=account.is_whatsapp)
        else:
            answer = found if isinstance(found, Answer) else Answer(found)
            if answer.silent:
                await asyncio.sleep(account.faults.hang)
                return CutOff()
            response = JSONResponse(answer.body)
        response.headers.update(_usage(account))
        return response

    def _edges(self, account: GraphAccount) -> Edges:
        return {**self._half(account).edges, ("POST", "subscriptions"): self._apps.subscribe}


def _graph(account: Account) -> GraphAccount:
    if not isinstance(account, GraphAccount):
        raise TypeError(type(account).__name__)
    return account


def _usage(account: GraphAccount) -> dict[str, str]:
    """How much of the allowance is used, in percent, as every answer tells."""
    used = account.faults.usage
    shares = {"call_count": used, "total_cputime": used, "total_time": used}
    business = {
        "type": account.kind,
        **shares,
        "estimated_time_to_regain_access": account.faults.throttled_minutes,
    }
    return {
        "x-app-usage": json.dumps(shares),
        "x-business-use-case-usage": json.dumps({account.owner_id: [business]}),
        "facebook-api-version": "v26.0",
    }
