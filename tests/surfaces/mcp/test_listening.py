"""Streams of changes in the modern era."""

import asyncio

import pytest
from mcp.client.subscriptions import Subscription
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourcesListChanged, ResourceUpdated

from chatwright.features.contacts.operations import update_contact
from chatwright.features.messaging.operations import send_message
from chatwright.features.workspaces.operations import list_tokens, revoke_token
from chatwright.surfaces.mcp.listening import following, streams
from tests.conftest import Desk
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import paper_inbox
from tests.surfaces.mcp.server import ask, connected, modern, token_of


async def heard(subscription: Subscription) -> object:
    """The next change a stream tells of."""
    async with asyncio.timeout(10):
        return await anext(aiter(subscription))


async def test_a_client_hears_of_the_conversation_it_watches(mcp_url: str, post: Post) -> None:
    watched = await post.begin("hi", sender="ann")
    other = await post.begin("hello", sender="bob")
    uri = f"chatwright://conversations/{watched['id']}"
    async with (
        connected(mcp_url, await token_of(post.desk)) as client,
        client.listen(resource_subscriptions=[uri]) as subscription,
    ):
        await post.desk.call(send_message, conversation_id=other["id"], text="not for you")
        await post.desk.call(send_message, conversation_id=watched["id"], text="for you")
        assert await heard(subscription) == ResourceUpdated(uri)


async def test_a_client_hears_of_new_conversations(mcp_url: str, post: Post) -> None:
    async with (
        connected(mcp_url, await token_of(post.desk)) as client,
        client.listen(resources_list_changed=True) as subscription,
    ):
        await post.begin()
        assert await heard(subscription) == ResourcesListChanged()


async def test_a_stranger_hears_nothing(mcp_url: str, post: Post, stranger: Desk) -> None:
    watched = await post.begin()
    uri = f"chatwright://conversations/{watched['id']}"
    async with (
        connected(mcp_url, await token_of(stranger)) as client,
        client.listen(resource_subscriptions=[uri], resources_list_changed=True) as subscription,
    ):
        await post.desk.call(send_message, conversation_id=watched["id"], text="secret")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(aiter(subscription))


async def test_a_token_limited_to_other_inboxes_hears_nothing(mcp_url: str, post: Post, desk: Desk) -> None:
    watched = await post.begin()
    uri = f"chatwright://conversations/{watched['id']}"
    token = await token_of(desk, inbox_ids=[str(await paper_inbox(desk))])
    async with (
        connected(mcp_url, token) as client,
        client.listen(resource_subscriptions=[uri]) as subscription,
    ):
        await post.desk.call(send_message, conversation_id=watched["id"], text="secret")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(aiter(subscription))


async def test_nor_of_contacts_that_only_others_know(mcp_url: str, post: Post, desk: Desk) -> None:
    watched = await post.begin()
    uri = f"chatwright://contacts/{watched['contact_id']}"
    token = await token_of(desk, inbox_ids=[str(await paper_inbox(desk))])
    async with (
        connected(mcp_url, token) as client,
        client.listen(resource_subscriptions=[uri]) as subscription,
    ):
        await desk.call(update_contact, contact_id=watched["contact_id"], name="Ann")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(aiter(subscription))


async def test_what_an_older_transaction_held_back_is_not_long_in_coming(mcp_url: str, post: Post) -> None:
    """Its own signal came too early, and nothing signals the end of the other."""
    watched = await post.begin()
    uri = f"chatwright://conversations/{watched['id']}"
    async with (
        connected(mcp_url, await token_of(post.desk)) as client,
        client.listen(resource_subscriptions=[uri]) as subscription,
    ):
        async with post.desk.product.database.transaction() as unit:
            await unit.connection.execute("select pg_current_xact_id()")
            await post.desk.call(send_message, conversation_id=watched["id"], text="hello")
            await asyncio.sleep(0.3)
        assert await heard(subscription) == ResourceUpdated(uri)


async def test_a_stream_ends_with_its_token(
    mcp_url: str, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.1)
    token = await token_of(post.desk)
    listen = asyncio.create_task(
        ask(mcp_url, token, **modern("subscriptions/listen", notifications={"resourcesListChanged": True}))
    )
    (listed,) = (await post.desk.call(list_tokens))["items"]
    await asyncio.sleep(0.2)
    assert not listen.done()
    await post.desk.call(revoke_token, token_id=listed["id"])
    async with asyncio.timeout(10):
        answer = await listen
    assert "notifications/subscriptions/acknowledged" in answer.text


async def test_streams_of_one_principal_are_counted(
    mcp_url: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_STREAMS", 1)
    async with (
        connected(mcp_url, await token_of(desk)) as client,
        client.listen(resources_list_changed=True),
    ):
        with pytest.raises(MCPError, match="At most 1 streams"):
            async with client.listen(resources_list_changed=True):
                pass
