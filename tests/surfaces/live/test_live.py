"""Events to members and programs."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio
from starlette.requests import Request

from chatwright.channels.webchat.channel import Webchat
from chatwright.features.messaging.inboxes.opening import find_inbox
from chatwright.features.messaging.inboxes.operations import create_inbox
from chatwright.features.messaging.jobs import inbound_ledger
from chatwright.features.messaging.operations import list_conversations
from chatwright.features.messaging.receiving import Arrival, accept
from chatwright.features.messaging.typing import Side, Typing, typing_signal, typing_topic
from chatwright.features.workspaces.authentication import Presented
from chatwright.features.workspaces.operations import create_token, list_audit, revoke_token
from chatwright.infra.claimer import Claimer
from chatwright.kernel.caller import Caller, Surface
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import register_channel
from chatwright.ports.inbound import RawEvent
from chatwright.surfaces.live.routes import live_routes
from chatwright.surfaces.live.stream import MemberStream
from tests.conftest import Desk
from tests.serving import ServerSentEvent, events_in, serving

QUICK = 5.0


@dataclass(frozen=True)
class Newsroom:
    """A workspace with two inboxes, and the surface that tells of it."""

    desk: Desk
    inboxes: tuple[UUID, UUID]
    client: httpx2.AsyncClient

    async def token(self, *scopes: str, **more: Any) -> dict[str, Any]:
        return await self.desk.call(create_token, name="Reader", scopes=list(scopes), **more)

    async def write(self, inbox_id: UUID, text: str) -> None:
        """Somebody new writes."""
        product, visitor = self.desk.product, str(new_id())
        event = {"type": "message", "client_id": text, "text": text}
        async with product.database.transaction():
            inbox = await find_inbox(inbox_id)
            assert inbox is not None
            raw = RawEvent(visitor, visitor, {"visitor": visitor, "event": event})
            await accept([Arrival(inbox.view, raw)])
        claimer = Claimer(product.database, product.signals, inbound_ledger())
        while await claimer.run_once():
            pass

    @asynccontextmanager
    async def stream(
        self, token: dict[str, Any], after: str | None = None, **headers: str
    ) -> AsyncGenerator[AsyncIterator[ServerSentEvent]]:
        query = {} if after is None else {"after": after}
        headers["authorization"] = f"Bearer {token['token']}"
        async with self.client.stream("GET", "/api/v1/events", params=query, headers=headers) as response:
            assert response.status_code == 200
            events = events_in(response)
            assert (await anext(events)).comment == "ready"
            yield events


@pytest_asyncio.fixture(loop_scope="session")
async def newsroom(desk: Desk) -> AsyncGenerator[Newsroom]:
    product = desk.product
    register_channel(Webchat(product.cipher, "http://server.example"))
    made = [await desk.call(create_inbox, channel="webchat", name=name) for name in ("One", "Two")]

    async def identify(request: Request) -> Caller:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return await product.authenticator.by_token(token, Presented(Surface.HTTP))

    routes = live_routes(product.database, product.pipeline, product.events, product.signals, identify)
    async with serving(routes) as url, httpx2.AsyncClient(base_url=url, timeout=20) as client:
        yield Newsroom(desk, (UUID(made[0]["id"]), UUID(made[1]["id"])), client)


async def told(events: AsyncIterator[ServerSentEvent], kind: str) -> ServerSentEvent:
    """The next event of a kind."""
    async with asyncio.timeout(QUICK):
        async for event in events:
            if event.data and event.data["kind"] == kind:
                return event
    pytest.fail(f"the stream ended before {kind}")


class TestEvents:
    async def test_what_happens_is_told_with_a_cursor(self, newsroom: Newsroom) -> None:
        token = await newsroom.token("conversations:read")
        async with newsroom.stream(token) as events:
            await newsroom.write(newsroom.inboxes[0], "hi")
            event = await told(events, "message.created")
            assert event.id
            assert event.data["inbox_id"] == str(newsroom.inboxes[0])
            assert event.data["data"]["direction"] == "in"
            assert "hi" not in str(event.data["data"])

    @pytest.mark.parametrize("by_header", [False, True])
    async def test_who_comes_back_with_a_cursor_misses_nothing(
        self, newsroom: Newsroom, *, by_header: bool
    ) -> None:
        token = await newsroom.token("conversations:read")
        async with newsroom.stream(token) as events:
            await newsroom.write(newsroom.inboxes[0], "one")
            seen = await told(events, "message.created")
        assert seen.id
        await newsroom.write(newsroom.inboxes[0], "two")
        await newsroom.write(newsroom.inboxes[1], "three")
        where: dict[str, Any] = {"last-event-id": seen.id} if by_header else {"after": seen.id}
        async with newsroom.stream(token, **where) as events:
            inboxes = [(await told(events, "message.created")).data["inbox_id"] for _ in range(2)]
        assert inboxes == [str(inbox) for inbox in newsroom.inboxes]

    async def test_a_reader_limited_to_an_inbox_hears_of_no_other(self, newsroom: Newsroom) -> None:
        one, two = newsroom.inboxes
        token = await newsroom.token("conversations:read", inbox_ids=[str(two)])
        async with newsroom.stream(token) as events:
            await newsroom.write(one, "one")
            await newsroom.write(two, "two")
            assert (await told(events, "conversation.created")).data["inbox_id"] == str(two)

    async def test_another_workspace_is_not_heard(self, newsroom: Newsroom, stranger: Desk) -> None:
        token = await newsroom.token("conversations:read", "workspace:read")
        async with newsroom.stream(token) as events:
            inbox = await stranger.call(create_inbox, channel="webchat", name="Theirs")
            await Newsroom(stranger, newsroom.inboxes, newsroom.client).write(UUID(inbox["id"]), "theirs")
            await newsroom.write(newsroom.inboxes[0], "ours")
            event = await told(events, "message.created")
            assert event.data["inbox_id"] == str(newsroom.inboxes[0])

    async def test_a_cursor_that_is_none_is_refused(self, newsroom: Newsroom) -> None:
        token = await newsroom.token("conversations:read")
        headers = {"authorization": f"Bearer {token['token']}"}
        response = await newsroom.client.get("/api/v1/events?after=x", headers=headers)
        assert response.status_code == 422
        assert response.json()["code"] == "INVALID_CURSOR"

    async def test_without_the_scope_nothing_is_told(self, newsroom: Newsroom) -> None:
        token = await newsroom.token("contacts:read")
        headers = {"authorization": f"Bearer {token['token']}"}
        response = await newsroom.client.get("/api/v1/events", headers=headers)
        assert response.json()["code"] == "INSUFFICIENT_SCOPE"
        (record,) = (await newsroom.desk.call(list_audit, outcome="refused"))["items"]
        assert record["operation"] == "events.follow"

    async def test_a_reader_has_only_so_many(self, newsroom: Newsroom) -> None:
        token, other = [await newsroom.token("conversations:read") for _ in range(2)]
        headers = {"authorization": f"Bearer {token['token']}"}
        async with AsyncExitStack() as streams:
            for _ in range(32):
                await streams.enter_async_context(newsroom.stream(token))
            refused = await newsroom.client.get("/api/v1/events", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
            await streams.enter_async_context(newsroom.stream(other))

        async def opens() -> bool:
            async with newsroom.client.stream("GET", "/api/v1/events", headers=headers) as response:
                return response.status_code == 200

        async with asyncio.timeout(QUICK):
            while not await opens():
                await asyncio.sleep(0.05)

    async def test_it_ends_when_its_token_is_revoked(self, newsroom: Newsroom) -> None:
        token = await newsroom.token("conversations:read")
        async with newsroom.stream(token) as events:
            await newsroom.desk.call(revoke_token, token_id=token["access_token"]["id"])
            await asyncio.sleep(1)
            await newsroom.write(newsroom.inboxes[0], "for your eyes only")
            async with asyncio.timeout(QUICK):
                kinds = [event.data["kind"] async for event in events if event.data]
        assert "message.created" not in kinds


async def test_it_ends_when_its_reader_goes_to_another_workspace(newsroom: Newsroom, stranger: Desk) -> None:
    """Else it would tell of the one and listen to the other."""
    desk = newsroom.desk
    whereabouts = [desk.caller, stranger.caller]

    async def identify() -> Caller:
        return whereabouts.pop(0) if len(whereabouts) > 1 else whereabouts[0]

    start = await desk.product.events.end()
    await newsroom.write(newsroom.inboxes[0], "hi")
    stream = MemberStream(desk.product.events, desk.product.signals, identify)
    async with asyncio.timeout(QUICK):
        said = b"".join([frame async for frame in stream.frames(desk.caller, start)])
    assert b"message.created" in said


class TestTyping:
    async def conversation(self, newsroom: Newsroom) -> UUID:
        await newsroom.write(newsroom.inboxes[0], "hi")
        (found,) = (await newsroom.desk.call(list_conversations))["items"]
        return UUID(found["id"])

    async def test_a_contact_who_types_is_told_of(self, newsroom: Newsroom) -> None:
        conversation_id = await self.conversation(newsroom)
        token = await newsroom.token("conversations:read")
        news = Typing(newsroom.inboxes[0], conversation_id, Side.CONTACT, typing=True)
        async with newsroom.stream(token) as events:
            workspace_id = newsroom.desk.caller.workspace_id
            newsroom.desk.product.signals.announce({typing_signal(workspace_id, news)})
            event = await told(events, "conversation.typing")
        assert event.id is None
        assert event.data["conversation_id"] == str(conversation_id)

    async def test_that_we_type_is_announced(self, newsroom: Newsroom) -> None:
        conversation_id = await self.conversation(newsroom)
        token = await newsroom.token("conversations:write")
        headers = {"authorization": f"Bearer {token['token']}"}
        place = (newsroom.desk.caller.workspace_id, newsroom.inboxes[0], conversation_id, Side.US)
        with newsroom.desk.product.signals.follow(typing_topic(*place)) as follower:
            response = await newsroom.client.post(
                f"/api/v1/conversations/{conversation_id}/typing", json={"typing": True}, headers=headers
            )
            assert response.status_code == 204
            assert await follower.next(QUICK) == {f"{typing_topic(*place)}:on"}

    async def test_only_who_may_write_there_can_say_so(self, newsroom: Newsroom, stranger: Desk) -> None:
        conversation_id = await self.conversation(newsroom)
        reader = await newsroom.token("conversations:read")
        outsider = await stranger.call(create_token, name="Out", scopes=["conversations:write"])
        codes: list[str] = []
        for token in (reader, outsider):
            headers = {"authorization": f"Bearer {token['token']}"}
            path = f"/api/v1/conversations/{conversation_id}/typing"
            response = await newsroom.client.post(path, json={"typing": True}, headers=headers)
            codes.append(response.json()["code"])
        assert codes == ["INSUFFICIENT_SCOPE", "CONVERSATION_NOT_FOUND"]
