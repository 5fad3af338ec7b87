"""Resources watched in sessions of older clients, where a server keeps them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import (
    EmptyResult,
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)

from chatwright.app.server import build_app, mcp_face
from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.features.contacts.operations import create_contact
from chatwright.features.contacts.segments.operations import create_segment, update_segment
from chatwright.features.messaging.operations import send_message
from chatwright.features.workspaces import authentication
from chatwright.features.workspaces.operations import list_tokens, revoke_token
from chatwright.surfaces.mcp.listening import pushing
from chatwright.surfaces.mcp.product import product_registry
from chatwright.surfaces.mcp.sessions import Sessions
from tests.conftest import Desk
from tests.features.messaging.conftest import Post
from tests.serving import serving
from tests.surfaces.mcp.server import connected, token_of

NAMED = {"type": "text", "field": "name", "operator": "is_set"}


@asynccontextmanager
async def keeping(product: Product, idle_seconds: float = 60.0) -> AsyncGenerator[str]:
    """The product's own server, keeping sessions; gives the URL of its MCP face."""
    sessions = Sessions(idle_seconds=idle_seconds)
    registry = product_registry(
        CATALOGUE, product.pipeline, product.events, product.signals, "9", sessions=sessions
    )
    face = mcp_face(product, registry, sessions=sessions)
    async with serving(build_app(product, mcp=face)) as base:
        yield f"{base}/mcp"


async def subscribe(client: Client, uri: str) -> None:
    request = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
    await client.session.send_request(request, EmptyResult)


async def unsubscribe(client: Client, uri: str) -> None:
    request = UnsubscribeRequest(params=UnsubscribeRequestParams(uri=uri))
    await client.session.send_request(request, EmptyResult)


class Ear:
    """Keeps what a client is told."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[Any] = asyncio.Queue()

    async def __call__(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification | ResourceListChangedNotification):
            await self._heard.put(message)

    async def updated(self) -> str:
        """The URI of the next update."""
        async with asyncio.timeout(10):
            while not isinstance(message := await self._heard.get(), ResourceUpdatedNotification):
                pass
        return str(message.params.uri)

    async def list_changed(self) -> None:
        async with asyncio.timeout(10):
            while not isinstance(await self._heard.get(), ResourceListChangedNotification):
                pass

    async def silent(self) -> bool:
        """Whether no update comes."""
        try:
            async with asyncio.timeout(0.5):
                while not isinstance(await self._heard.get(), ResourceUpdatedNotification):
                    pass
        except TimeoutError:
            return True
        return False


async def test_a_new_message_updates_its_conversation_its_history_and_itself(
    product: Product, post: Post
) -> None:
    watched, other = await post.begin("hi", sender="ann"), await post.begin("hello", sender="bob")
    uri = f"chatwright://conversations/{watched['id']}"
    ear = Ear()
    async with (
        keeping(product) as url,
        connected(url, await token_of(post.desk), "legacy", message_handler=ear) as client,
    ):
        assert client.server_capabilities.resources is not None
        assert client.server_capabilities.resources.subscribe
        assert client.server_capabilities.resources.list_changed
        await subscribe(client, uri)
        await subscribe(client, f"{uri}/messages")
        await post.desk.call(send_message, conversation_id=other["id"], text="not for you")
        await post.desk.call(send_message, conversation_id=watched["id"], text="for you")
        assert {await ear.updated(), await ear.updated()} == {uri, f"{uri}/messages"}
        await unsubscribe(client, uri)
        await unsubscribe(client, f"{uri}/messages")
        await post.desk.call(send_message, conversation_id=watched["id"], text="no more")
        assert await ear.silent()


async def test_a_list_that_changed_is_told_without_asking(product: Product, desk: Desk) -> None:
    ear = Ear()
    async with (
        keeping(product) as url,
        connected(url, await token_of(desk), "legacy", message_handler=ear) as client,
    ):
        await client.list_resources()
        await desk.call(create_contact, name="Ann")
        await ear.list_changed()


async def test_what_is_watched_by_name_is_told_by_that_name(product: Product, desk: Desk) -> None:
    segment = await desk.call(create_segment, name="VIP", filter=NAMED)
    ear = Ear()
    async with (
        keeping(product) as url,
        connected(url, await token_of(desk), "legacy", message_handler=ear) as client,
    ):
        await subscribe(client, "chatwright://segments/vip")
        await desk.call(update_segment, segment_id=segment["id"], name="Very")
        assert await ear.updated() == "chatwright://segments/vip"


async def test_a_stranger_hears_nothing(product: Product, post: Post, stranger: Desk) -> None:
    watched = await post.begin()
    ear = Ear()
    async with (
        keeping(product) as url,
        connected(url, await token_of(stranger), "legacy", message_handler=ear) as client,
    ):
        await subscribe(client, f"chatwright://conversations/{watched['id']}")
        await post.desk.call(send_message, conversation_id=watched["id"], text="secret")
        assert await ear.silent()


async def test_it_ends_with_the_token(product: Product, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "CACHE_SECONDS", 0.0)
    watched = await post.begin()
    token = await token_of(post.desk)
    ear = Ear()
    async with keeping(product) as url, connected(url, token, "legacy", message_handler=ear) as client:
        await subscribe(client, f"chatwright://conversations/{watched['id']}")
        (listed,) = (await post.desk.call(list_tokens))["items"]
        await post.desk.call(revoke_token, token_id=listed["id"])
        await post.desk.call(send_message, conversation_id=watched["id"], text="secret")
        assert await ear.silent()


async def test_the_oldest_of_too_many_is_told_no_more(
    product: Product, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever only opens sessions must not have ever more of them followed."""
    monkeypatch.setattr(pushing, "MOST_STREAMS", 1)
    watched = await post.begin()
    uri = f"chatwright://conversations/{watched['id']}"
    token = await token_of(post.desk)
    first, second = Ear(), Ear()
    async with (
        keeping(product) as url,
        connected(url, token, "legacy", message_handler=first) as one,
    ):
        await subscribe(one, uri)
        async with connected(url, token, "legacy", message_handler=second) as other:
            await subscribe(other, uri)
            await post.desk.call(send_message, conversation_id=watched["id"], text="hello")
            assert await second.updated() == uri
            assert await first.silent()


async def test_without_sessions_it_is_neither_offered_nor_answered(mcp_url: str, desk: Desk) -> None:
    async with connected(mcp_url, await token_of(desk), "legacy") as client:
        assert client.server_capabilities.resources is not None
        assert not client.server_capabilities.resources.subscribe
        assert not client.server_capabilities.resources.list_changed
        with pytest.raises(MCPError, match="not found"):
            await subscribe(client, "chatwright://workspace")
