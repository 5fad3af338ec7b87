"""What every channel promises at the real door: `POST /hooks/{inbox_id}`, a database, workers."""

import json
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import httpx2
import orjson
import pytest
from hypothesis import given, settings, strategies as st
from starlette.applications import Starlette

from chatwright.app.wiring import Product
from chatwright.features.messaging.inboxes.operations import create_inbox
from chatwright.features.messaging.jobs import inbound_ledger
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.infra.claimer import Claimer
from chatwright.ports.channel import (
    AnyChannel,
    HookRequest,
    HostedChannel,
    InboxView,
    Verified,
    register_channel,
)
from chatwright.ports.secret_settings import public_part, secret_part
from chatwright.surfaces.hooks.routes import hook_routes
from tests.conftest import open_desk

EXAMPLES = 150
ODD: Sequence[object] = json.loads(
    """[null, true, 0, -1, 9223372036854775808, 1e300, "", "\\u0000", "\\ud800", "\\ud83d\\ude00", [], {}, [[[]]],
        {"": {"": null}}]"""
)
"""Half a character too, which JSON can write."""


@dataclass(frozen=True)
class Door:
    """An inbox of the channel, and the door it is called at."""

    product: Product
    client: httpx2.AsyncClient
    inbox_id: UUID

    async def call(self, request: HookRequest, body: bytes | None = None) -> httpx2.Response:
        return await self.client.post(
            f"/hooks/{self.inbox_id}",
            content=request.body if body is None else body,
            params=dict(request.query),
            headers=[(name.encode(), text.encode()) for name, text in request.headers.items()],
        )

    async def stored(self) -> int:
        async with self.product.database.autocommit() as unit:
            rows = await unit.connection.fetch(
                "select count(*) as n from inbound_events where inbox_id = $1", self.inbox_id
            )
        return rows[0]["n"]

    async def work(self) -> list[str]:
        """Work everything that came in; returns what went wrong, which is never more than a person without a name."""
        claimer = Claimer(self.product.database, self.product.signals, inbound_ledger(), concurrency=4)
        # Two events of one message may meet, and one of them is then put back: twice is enough for those.
        for _ in range(2):
            while await claimer.run_once():
                pass
            async with self.product.database.transaction() as unit:
                await unit.connection.execute(
                    "update inbound_events set due_at = now() where inbox_id = $1 and state = 'queued'",
                    self.inbox_id,
                )
        while await claimer.run_once():
            pass
        async with self.product.database.autocommit() as unit:
            rows = await unit.connection.fetch(
                "select error from inbound_events where inbox_id = $1 and error is not null", self.inbox_id
            )
        return [row["error"] for row in rows if not row["error"].startswith("InvalidInput")]


class AtTheDoor(ABC):
    """The promises; everything they need of a channel is in `ChannelContract`."""

    @abstractmethod
    def channel(self) -> AnyChannel: ...
    @abstractmethod
    def inbox(self) -> InboxView[Any]: ...
    @abstractmethod
    def samples(self) -> Sequence[HookRequest]: ...
    @abstractmethod
    def forgeries(self) -> Mapping[str, HookRequest]: ...

    async def test_forgeries_leave_nothing_behind_the_door(self, product: Product) -> None:
        async with self._door(product) as door:
            for name, request in self.forgeries().items():
                answer = await door.call(request)
                assert answer.status_code in {401, 403}, f"{name}: {answer.text}"
            assert await door.stored() == 0

    async def test_samples_come_in_once_and_are_worked(
        self, product: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with self._door(product) as door:
            taken = 0
            for sample in self.samples():
                self._trust(sample, monkeypatch)
                events = [await door.call(sample) for _ in range(3)]
                assert {answer.status_code for answer in events} == {200}
                taken += 1
            assert taken
            before = await door.stored()
            assert before > 0
            assert await door.work() == []
            for sample in self.samples():
                self._trust(sample, monkeypatch)
                await door.call(sample)
            assert await door.stored() == before

    async def test_whatever_is_signed_is_kept_and_never_our_fault(
        self, product: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Bodies that were altered anywhere, or are no sense at all, under a signature that holds."""
        samples = list(self.samples())
        hosted = isinstance(cast("object", self.channel()), HostedChannel)
        async with self._door(product) as door:
            for sample, body in _odd_calls(samples):
                self._trust(sample, monkeypatch)
                answer = await door.call(sample, body)
                assert answer.status_code == 200 or (hosted and answer.status_code in {422, 429}), answer.text
            assert await door.work() == []

    @asynccontextmanager
    async def _door(self, product: Product) -> AsyncGenerator[Door]:
        channel, given_settings = self.channel(), self.inbox().settings
        register_channel(channel)
        desk = await open_desk(product)
        async with product.database.transaction() as unit:
            # Another test's inbox may have the account still.
            await unit.connection.execute(
                "update inboxes set deleted_at = now() where channel = $1 and account = $2",
                channel.name,
                channel.account(given_settings),
            )
        both = public_part(given_settings) | secret_part(given_settings)
        made = await desk.call(create_inbox, channel=channel.name, name="Door", settings=both)
        routes = hook_routes(product.database, product.signals, RateLimiter(product.database))
        transport = httpx2.ASGITransport(app=Starlette(routes=routes), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            yield Door(product, client, UUID(made["id"]))

    def _trust(self, sample: HookRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every call be signed as this sample is, which was made for the contract's own inbox."""
        channel = self.channel()
        proof = type(channel).verify(channel, self.inbox(), sample)

        def believe(*_: object) -> Verified:
            return proof

        monkeypatch.setattr(channel, "verify", believe)


def _odd_calls(samples: Sequence[HookRequest]) -> list[tuple[HookRequest, bytes]]:
    """What Hypothesis thinks of. It is drawn beforehand, because the door lives in the tests' own event loop."""
    drawn: list[tuple[HookRequest, bytes]] = []

    @settings(max_examples=EXAMPLES, database=None, deadline=None)
    @given(
        sample=st.sampled_from(samples), seed=st.integers(0, 2**32), raw=st.none() | st.binary(max_size=200)
    )
    def draw(sample: HookRequest, seed: int, raw: bytes | None) -> None:
        drawn.append((sample, _altered(sample.body, random.Random(seed))))
        if raw is not None:
            drawn.append((sample, raw))

    draw()
    return drawn


def _altered(body: bytes, chance: random.Random) -> bytes:
    """A body with something else in it: another value somewhere in its JSON, or other bytes."""
    try:
        call = orjson.loads(body)
    except orjson.JSONDecodeError:
        call = None
    if call is None or chance.random() < 0.2:
        at = chance.randrange(len(body) + 1)
        return body[:at] + chance.randbytes(chance.randrange(4)) + body[at + chance.randrange(3) :]
    for _ in range(chance.randrange(1, 4)):
        call = _with_another(call, chance)
    return json.dumps(call).encode()


def _with_another(value: Any, chance: random.Random) -> Any:
    if not value or chance.random() < 0.15:
        return chance.choice(ODD)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        name = chance.choice(list(fields))
        return fields | {name: _with_another(fields[name], chance)}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        at = chance.randrange(len(items))
        return [*items[:at], _with_another(items[at], chance), *items[at + 1 :]]
    return chance.choice(ODD)
