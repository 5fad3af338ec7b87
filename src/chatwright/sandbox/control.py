"""The controls at /_sandbox: make accounts and people, set faults, do what people do, read what happened.

GET  POST   /accounts                               NewAccount
GET  DELETE /accounts/{kind}/{id}
PATCH       /accounts/{kind}/{id}                   name, webhook_url, secrets, details
PATCH       /accounts/{kind}/{id}/faults            some fields of Faults; PUT sets all others back
POST        /accounts/{kind}/{id}/events            {"name": ..., "values": {...}}
GET  DELETE /accounts/{kind}/{id}/sends             ?own_id= ?text= ?to=
GET         /accounts/{kind}/{id}/sends/copies      how often each own id, or text to a person, was accepted
GET         /accounts/{kind}/{id}/hooks             the webhooks and how each was answered; ?limit= the last few
GET  POST   /accounts/{kind}/{id}/people            NewPerson
GET  PATCH  /accounts/{kind}/{id}/people/{person}   window_open_seconds, blocked, follows, name, details...
POST        /accounts/{kind}/{id}/people/{person}/actions   Action
GET  POST   /clock                                  advance (seconds), waits, lifetimes
GET         /changes                                server-sent events: {"kind", "account_id", "person_id"}
POST        /settle                                 returns once no webhook is under way any more
"""

import asyncio
import dataclasses
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from chatwright.kernel.errors import InvalidInput
from chatwright.sandbox.faults import Faults
from chatwright.sandbox.hooks import Delivery, Hooks
from chatwright.sandbox.provider import Action, Happen, NewAccount, NewPerson, Provider
from chatwright.sandbox.world import Account, Person, World

SETTLE_SECONDS = 30.0
T = TypeVar("T")
_ACTION: TypeAdapter[Action] = TypeAdapter(Action)
_NEW_ACCOUNT = TypeAdapter(NewAccount)
_NEW_PERSON = TypeAdapter(NewPerson)
_HAPPEN = TypeAdapter(Happen)
_FAULTS = TypeAdapter(Faults)


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccountChange(_Change):
    name: str | None = None
    webhook_url: str | None = None
    secrets: dict[str, str] = {}
    details: dict[str, Any] = {}


class PersonChange(_Change):
    name: str | None = None
    username: str | None = None
    phone: str | None = None
    blocked: bool | None = None
    follows: bool | None = None
    details: dict[str, Any] = {}
    said_seconds_ago: float | None = None
    """Moves the window: as if they had written so long ago."""


class ClockChange(_Change):
    advance: float = 0
    waits: float | None = None
    lifetimes: float | None = None


_ACCOUNT_CHANGE = TypeAdapter(AccountChange)
_PERSON_CHANGE = TypeAdapter(PersonChange)
_CLOCK_CHANGE = TypeAdapter(ClockChange)


class Controls:
    """The routes, over a world and its providers."""

    def __init__(self, world: World, hooks: Hooks, providers: Sequence[Provider]) -> None:
        self._world = world
        self._hooks = hooks
        self._providers = {kind: provider for provider in providers for kind in provider.kinds}

    def routes(self) -> Sequence[BaseRoute]:
        """All routes, below wherever they are mounted."""
        one = "/accounts/{kind}/{id}"
        person = f"{one}/people/{{person}}"
        return [
            Route("/accounts", self._list_accounts, methods=["GET"]),
            Route("/accounts", self._create_account, methods=["POST"]),
            Route(one, self._show_account, methods=["GET"]),
            Route(one, self._change_account, methods=["PATCH"]),
            Route(one, self._drop_account, methods=["DELETE"]),
            Route(f"{one}/faults", self._set_faults, methods=["PATCH", "PUT"]),
            Route(f"{one}/events", self._occur, methods=["POST"]),
            Route(f"{one}/sends", self._list_sends, methods=["GET"]),
            Route(f"{one}/sends", self._forget_sends, methods=["DELETE"]),
            Route(f"{one}/sends/copies", self._count_sends, methods=["GET"]),
            Route(f"{one}/hooks", self._list_hooks, methods=["GET"]),
            Route(f"{one}/people", self._list_people, methods=["GET"]),
            Route(f"{one}/people", self._create_person, methods=["POST"]),
            Route(person, self._show_person, methods=["GET"]),
            Route(person, self._change_person, methods=["PATCH"]),
            Route(f"{person}/actions", self._act, methods=["POST"]),
            Route("/clock", self._show_clock, methods=["GET"]),
            Route("/clock", self._change_clock, methods=["POST"]),
            Route("/changes", self._follow, methods=["GET"]),
            Route("/settle", self._settle, methods=["POST"]),
        ]

    async def _list_accounts(self, _: Request) -> Response:
        return _json([_account(account) for account in self._world.accounts()])

    async def _create_account(self, request: Request) -> Response:
        new = await _read(request, _NEW_ACCOUNT)
        account = self._provider(new.kind).create_account(new)
        account.faults = new.faults.model_copy(deep=True)
        return _json(_account(self._world.add_account(account)), 201)

    async def _show_account(self, request: Request) -> Response:
        return _json(_account(self._account(request)))

    async def _change_account(self, request: Request) -> Response:
        account, change = self._account(request), await _read(request, _ACCOUNT_CHANGE)
        account.name = change.name if change.name is not None else account.name
        if "webhook_url" in change.model_fields_set:
            account.webhook_url = change.webhook_url
        account.secrets |= change.secrets
        account.details |= change.details
        self._world.touch(account)
        return _json(_account(account))

    async def _drop_account(self, request: Request) -> Response:
        self._world.drop_account(self._account(request))
        return Response(status_code=204)

    async def _set_faults(self, request: Request) -> Response:
        account, change = self._account(request), await _read(request, _FAULTS)
        kept = account.faults.model_dump() if request.method == "PATCH" else {}
        account.faults = Faults.model_validate({**kept, **change.model_dump(exclude_unset=True)})
        return _json(account.faults.model_dump())

    async def _occur(self, request: Request) -> Response:
        account, event = self._account(request), await _read(request, _HAPPEN)
        with _complaining():
            made = await self._provider(account.kind).occur(account, event.name, event.values)
        return _json({"id": made}, 202)

    async def _list_sends(self, request: Request) -> Response:
        asked = request.query_params
        sends = [
            send
            for send in self._account(request).accepted
            if asked.get("own_id", send.own_id) == send.own_id
            and asked.get("text", send.text) == send.text
            and asked.get("to", send.to) == send.to
        ]
        return _json([dataclasses.asdict(send) for send in sends])

    async def _forget_sends(self, request: Request) -> Response:
        account = self._account(request)
        account.accepted.clear()
        account.refused.clear()
        return Response(status_code=204)

    async def _count_sends(self, request: Request) -> Response:
        account = self._account(request)
        sends = account.accepted
        own_ids = Counter(send.own_id for send in sends if send.own_id is not None)
        texts = Counter(f"{send.to} {send.text}" for send in sends)
        return _json(
            {
                "accepted": len(sends),
                "refused": dict(account.refused),
                "by_own_id": {own_id: count for own_id, count in own_ids.items() if count > 1},
                "by_text": {text: count for text, count in texts.items() if count > 1},
            }
        )

    async def _list_hooks(self, request: Request) -> Response:
        account = self._account(request)
        key = (account.kind, account.id)
        limit = request.query_params.get("limit", "")
        found = [delivery for delivery in self._hooks.deliveries if delivery.hook.account == key]
        return _json([_delivery(delivery) for delivery in found[-int(limit) if limit.isdigit() else 0 :]])

    async def _list_people(self, request: Request) -> Response:
        return _json([_person(person) for person in self._account(request).people.values()])

    async def _create_person(self, request: Request) -> Response:
        account, new = self._account(request), await _read(request, _NEW_PERSON)
        person = self._provider(account.kind).create_person(account, new)
        return _json(_person(self._world.add_person(account, person)), 201)

    async def _show_person(self, request: Request) -> Response:
        return _json(_person(self._person(request), thread=True))

    async def _change_person(self, request: Request) -> Response:
        person, change = self._person(request), await _read(request, _PERSON_CHANGE)
        for name, value in change.model_dump(
            exclude_none=True, exclude={"said_seconds_ago", "details"}
        ).items():
            setattr(person, name, value)
        person.details |= change.details
        if change.said_seconds_ago is not None:
            person.last_said_at = self._world.clock.since(change.said_seconds_ago)
        self._world.touch(self._account(request), person)
        return _json(_person(person))

    async def _act(self, request: Request) -> Response:
        account, person = self._account(request), self._person(request)
        action = await _read(request, _ACTION)
        with _complaining():
            made = await self._provider(account.kind).act(account, person, action)
        self._world.touch(account, person)
        return _json({"id": made}, 202)

    async def _show_clock(self, _: Request) -> Response:
        clock = self._world.clock
        return _json({"now": clock.now(), "waits": clock.waits, "lifetimes": clock.lifetimes})

    async def _change_clock(self, request: Request) -> Response:
        change = await _read(request, _CLOCK_CHANGE)
        clock = self._world.clock
        clock.waits = change.waits or clock.waits
        clock.lifetimes = change.lifetimes or clock.lifetimes
        clock.advance(change.advance)
        return await self._show_clock(request)

    async def _follow(self, _: Request) -> Response:
        return _Stream(self._changes(), media_type="text/event-stream")

    async def _changes(self) -> AsyncIterator[bytes]:
        with self._world.follow() as follower:
            yield b": ready\n\n"
            async for changes in follower.changes():
                for change in changes:
                    yield b"data: " + orjson.dumps(change) + b"\n\n"

    async def _settle(self, request: Request) -> Response:
        seconds = float(request.query_params.get("seconds", SETTLE_SECONDS))
        return _json({"settled": await self._hooks.settled(seconds)})

    def _provider(self, kind: str) -> Provider:
        if (provider := self._providers.get(kind)) is None:
            raise InvalidInput(f"The sandbox has {', '.join(sorted(self._providers))}.")
        return provider

    def _account(self, request: Request) -> Account:
        return self._world.account(request.path_params["kind"], request.path_params["id"])

    def _person(self, request: Request) -> Person:
        return self._account(request).person(request.path_params["person"])


class _Stream(StreamingResponse):
    """Ends when its reader has gone, which otherwise only the next change would tell."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's.
        """Send until there is nobody to send to."""
        sending = asyncio.ensure_future(self.stream_response(send))
        leaving = asyncio.ensure_future(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)


@contextmanager
def _complaining() -> Generator[None]:
    """Values are checked by nobody before they are used."""
    try:
        yield
    except KeyError as error:
        raise InvalidInput(f"The values lack {error}.") from error


async def _read(request: Request, adapter: TypeAdapter[T]) -> T:
    try:
        return adapter.validate_json(await request.body())
    except ValidationError as error:
        raise InvalidInput(str(error)) from error


def _json(value: object, status: int = 200) -> Response:
    return JSONResponse(orjson.loads(orjson.dumps(value, default=_plain)), status)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(type(value).__name__)


def _account(account: Account) -> Mapping[str, Any]:
    return {
        "kind": account.kind,
        "id": account.id,
        "name": account.name,
        "webhook_url": account.webhook_url,
        "secrets": account.secrets,
        "details": account.details,
        "faults": account.faults.model_dump(),
        "people": list(account.people),
        "accepted": len(account.accepted),
    }


def _person(person: Person, *, thread: bool = False) -> Mapping[str, Any]:
    known: dict[str, Any] = {
        "id": person.id,
        "name": person.name,
        "username": person.username,
        "phone": person.phone,
        "last_said_at": person.last_said_at,
        "blocked": person.blocked,
        "follows": person.follows,
        "details": person.details,
    }
    if thread:
        known["typing"] = person.thread.typing
        known["bubbles"] = [
            dataclasses.asdict(bubble, dict_factory=_bubble) for bubble in person.thread.bubbles
        ]
    return known


def _bubble(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """A bubble's fields; a file's bytes would make every reading of a thread heavy."""
    return {name: len(value) if isinstance(value, bytes) else value for name, value in fields}


def _delivery(delivery: Delivery) -> Mapping[str, Any]:
    return {
        "state": delivery.state,
        "url": delivery.hook.url,
        "body": delivery.hook.body.decode(),
        "headers": dict(delivery.hook.headers),
        "attempts": [dataclasses.asdict(attempt) for attempt in delivery.attempts],
    }
