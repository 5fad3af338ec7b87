"""WhatsApp's webhooks at the real door of a product on a real database: odd ones, copies, other people's."""

import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio

from chatwright.channels.whatsapp.channel import WhatsApp
from chatwright.features.messaging.inboxes.operations import create_inbox
from chatwright.features.messaging.operations import list_conversations, list_messages
from chatwright.features.messaging.receiving import INBOUND
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.infra.claimer import Claimer
from chatwright.net.http import Web
from chatwright.ports.channel import HookRequest, register_channel
from chatwright.surfaces.hooks.routes import hook_routes
from tests.channels.whatsapp import payloads as wa
from tests.channels.whatsapp.test_parsing import SEEDS, SETTINGS, mutated
from tests.conftest import Desk
from tests.serving import serving

MUTANTS = 150


@dataclass
class Door:
    """An inbox of WhatsApp behind the surface."""

    desk: Desk
    client: httpx2.AsyncClient
    inbox_id: str
    number: str

    def body(self, request: HookRequest) -> bytes:
        """The body of a call, as if it were for this inbox's number."""
        return request.body.replace(wa.NUMBER_ID.encode(), self.number.encode())

    async def knock(self, request: HookRequest) -> httpx2.Response:
        headers = dict(request.headers)
        return await self.client.post(f"/hooks/{self.inbox_id}", content=request.body, headers=headers)

    async def work(self) -> None:
        """Work what came in; the files in it are left where they are."""
        product = self.desk.product
        ledger = next(ledger for ledger in product.ledgers if ledger.table == INBOUND)
        while await Claimer(product.database, product.signals, ledger).run_once():
            pass

    async def states(self) -> set[str]:
        """What has become of the events of the inbox."""
        query = "select distinct state from inbound_events where inbox_id = $1"
        async with self.desk.product.database.autocommit() as unit:
            rows = await unit.connection.fetch(query, self.inbox_id)
        return {row["state"] for row in rows}

    async def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for conversation in (await self.desk.call(list_conversations, inbox_id=self.inbox_id))["items"]:
            page = await self.desk.call(list_messages, conversation_id=conversation["id"])
            found += page["items"]
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def door(desk: Desk) -> AsyncGenerator[Door]:
    product, web = desk.product, Web()
    register_channel(WhatsApp(web))
    # The number of another test's inbox is taken: an account has one inbox.
    number = str(random.randrange(10**15))
    inbox = await desk.call(
        create_inbox,
        channel="whatsapp",
        name="Boots",
        settings={**SETTINGS, "phone_number_id": number, "base_url": "http://127.0.0.1:9"},
    )
    routes = hook_routes(product.database, product.signals, RateLimiter(product.database))
    async with serving(routes) as url, httpx2.AsyncClient(base_url=url, timeout=20) as client:
        yield Door(desk, client, inbox["id"], number)
    await web.close()


async def test_every_kind_comes_in_and_is_worked(door: Door) -> None:
    for seed in SEEDS:
        answer = await door.knock(wa.signed(door.body(wa.signed(orjson.dumps(seed)))))
        assert answer.status_code == 200, answer.text
        assert answer.json()["new"] == answer.json()["events"] > 0
    await door.work()
    assert await door.states() == {"done"}
    kinds = {message["content"]["type"] for message in await door.messages()}
    assert kinds >= {"text", "media", "location", "contact_card", "reply", "unsupported"}


async def test_copies_are_one_message(door: Door) -> None:
    call = wa.signed(door.body(wa.said(wa.MESSAGES["text"], wa.MESSAGES["button"])))
    answers = [(await door.knock(call)).json()["new"] for _ in range(5)]
    await door.work()
    assert answers == [2, 0, 0, 0, 0]
    assert len(await door.messages()) == 2


async def test_odd_ones_are_taken_kept_and_do_no_harm(door: Door) -> None:
    dice = random.Random(2026)
    odd: tuple[Any, ...] = (
        None,
        0,
        -1,
        "",
        "x" * 3000,
        "\0",
        [],
        {},
        True,
        1.5,
        [[]],
        {"id": {}},
        "\u202e",
        2**53,
    )
    events = 0
    for _ in range(MUTANTS):
        body = door.body(wa.signed(mutated(dice.choice(SEEDS), dice.choice, lambda: dice.choice(odd))))
        answer = await door.knock(wa.signed(body))
        assert answer.status_code == 200, (answer.text, body)
        events += answer.json()["events"]
    await door.work()
    assert events >= MUTANTS
    assert await door.states() <= {"done", "queued"}
    # The door still works.
    await door.knock(wa.signed(door.body(wa.said(wa.message("text", {"body": "the last"})))))
    await door.work()
    assert "the last" in {message["content"].get("text") for message in await door.messages()}


@pytest.mark.parametrize("alter", [b"{", b'{"object": "page"}', b"", b"\xff"])
async def test_what_is_not_signed_is_refused_before_it_is_read(door: Door, alter: bytes) -> None:
    good = wa.said(wa.MESSAGES["text"])
    answer = await door.knock(HookRequest("POST", good.headers, {}, alter))
    assert answer.status_code == 401
    assert await door.states() == set()
