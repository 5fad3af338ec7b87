"""A postal inbox behind the real door, and its provider's side of the wire."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest_asyncio

from chatwright.features.contacts.operations import get_contact
from chatwright.features.messaging.inboxes.operations import connect_inbox
from chatwright.features.messaging.jobs import FORGETTING, RELEASING
from chatwright.features.messaging.operations import list_conversations, list_messages, send_message
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.infra.claimer import Claimer
from chatwright.infra.following import EventFollower
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import register_channel
from chatwright.surfaces.hooks.routes import hook_routes
from tests.conftest import Desk
from tests.features.messaging.postal import SIGNATURE, PostalChannel, event, person, signed, text
from tests.serving import serving

KEY = "the key of this office"


@dataclass
class Office:
    """One inbox."""

    desk: Desk
    client: httpx2.AsyncClient
    inbox_id: UUID
    box: str
    key: str
    channel: PostalChannel

    async def call(
        self, *events: Any, key: str | None = None, content: bytes | None = None, media_type: str = ""
    ) -> httpx2.Response:
        body = orjson.dumps({"events": events}) if content is None else content
        headers = {SIGNATURE: signed(key or self.key, body), "content-type": media_type}
        return await self.client.post(f"/hooks/{self.inbox_id}", content=body, headers=headers)

    async def work(self) -> None:
        """Do all that workers would do now."""
        product = self.desk.product
        done = 1
        while done:
            claimers = [Claimer(product.database, product.signals, ledger) for ledger in product.ledgers]
            done = sum([await claimer.run_once() for claimer in claimers])
        for following in (FORGETTING, RELEASING):
            while await EventFollower(product.database, product.signals, following).run_once():
                pass

    async def work_on(self, table: str) -> None:
        """Work what is due in one ledger."""
        product = self.desk.product
        ledger = next(ledger for ledger in product.ledgers if ledger.table == table)
        while await Claimer(product.database, product.signals, ledger).run_once():
            pass

    async def all_due(self, table: str) -> None:
        """Let no row of this inbox wait any longer."""
        async with self.desk.product.database.transaction() as unit:
            await unit.connection.execute(
                f"update {table} set due_at = now() where inbox_id = $1 and state = 'queued'", self.inbox_id
            )

    async def news(self, kind: str, id_: str | None = None, /, *, lane: str = "ann", **news: Any) -> None:
        """One piece of news comes in and is worked."""
        answer = await self.call(event(kind, id_, lane=lane, **news))
        assert answer.status_code == 200, answer.text
        await self.work()

    async def write(self, words: str, sender: str = "ann", **more: Any) -> str:
        """Somebody writes; returns the provider's id of the message."""
        external_id = f"{sender}:{words}"
        news: dict[str, Any] = {"external_id": external_id, "person": person(sender), "content": text(words)}
        news |= more
        await self.news("message", lane=sender, **news)
        return external_id

    async def conversations(self) -> list[dict[str, Any]]:
        return (await self.desk.call(list_conversations, inbox_id=self.inbox_id))["items"]

    async def conversation(self) -> dict[str, Any]:
        """The only one there is."""
        (conversation,) = await self.conversations()
        return conversation

    async def contact(self) -> dict[str, Any]:
        """Of the only conversation there is."""
        return await self.desk.call(get_contact, contact_id=(await self.conversation())["contact_id"])

    async def history(self, conversation: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """All messages, oldest first, of the only conversation there is, or of another."""
        conversation = conversation or await self.conversation()
        page = await self.desk.call(list_messages, conversation_id=conversation["id"], limit=200)
        return page["items"][::-1]

    async def send(self, words: str, **more: Any) -> dict[str, Any]:
        conversation = await self.conversation()
        return await self.desk.call(send_message, conversation_id=conversation["id"], text=words, **more)

    async def texts(self) -> list[str]:
        """The latest words of each conversation."""
        return sorted(found["last_text"] for found in await self.conversations())

    async def rows(self, sql: str, *arguments: object) -> list[dict[str, Any]]:
        """What a table has; `$1` is the inbox."""
        async with self.desk.product.database.autocommit() as unit:
            return [dict(row) for row in await unit.connection.fetch(sql, self.inbox_id, *arguments)]

    async def unknown(self) -> dict[str, int]:
        rows = await self.rows("select kind, seen from unknown_events where inbox_id = $1")
        return {row["kind"]: row["seen"] for row in rows}

    async def stored(self) -> list[Any]:
        """The raw events kept for the inbox, in order."""
        rows = await self.rows("select payload from inbound_events where inbox_id = $1 order by position")
        return [row["payload"] for row in rows]

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """What was announced of this inbox, oldest first."""
        rows = await self.rows(
            "select data from event_log where inbox_id = $1 and kind = $2 order by id", kind
        )
        return [row["data"] for row in rows]


@dataclass
class PostOffices:
    """Opens offices on one server."""

    client: httpx2.AsyncClient
    channel: PostalChannel

    async def office(self, desk: Desk, key: str = KEY) -> Office:
        box = new_id().hex
        settings = {"box": box, "key": key}
        made = await desk.call(connect_inbox, channel="postal", name="Post", settings=settings)
        return Office(desk, self.client, UUID(made["inbox"]["id"]), box, key, self.channel)


@pytest_asyncio.fixture(loop_scope="session")
async def offices(desk: Desk) -> AsyncGenerator[PostOffices]:
    channel = PostalChannel()
    register_channel(channel)
    product = desk.product
    routes = hook_routes(product.database, product.signals, RateLimiter(product.database))
    async with serving(routes) as url, httpx2.AsyncClient(base_url=url, timeout=20) as client:
        yield PostOffices(client, channel)


@pytest_asyncio.fixture(loop_scope="session")
async def office(offices: PostOffices, desk: Desk) -> Office:
    return await offices.office(desk)
