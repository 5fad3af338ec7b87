"""Streams of changes in the modern era."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from mcp.client.subscriptions import Subscription
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourcesListChanged, ResourceUpdated

from chatwright.features.contacts.exports.operations import start_export
from chatwright.features.contacts.fields.operations import create_field
from chatwright.features.contacts.imports.operations import start_import
from chatwright.features.contacts.merges.operations import merge_contacts
from chatwright.features.contacts.operations import (
    add_contact_tags,
    create_contact,
    delete_contact,
    update_contact,
)
from chatwright.features.contacts.segments.operations import create_segment, update_segment
from chatwright.features.contacts.tags.operations import create_tag
from chatwright.features.messaging.operations import send_message
from chatwright.features.workspaces import authentication
from chatwright.features.workspaces.oauth.clients import Proof
from chatwright.features.workspaces.oauth.issuing import Visit
from chatwright.features.workspaces.oauth.operations import create_oauth_client, narrow_grant
from chatwright.features.workspaces.operations import create_token, list_tokens, revoke_token
from chatwright.kernel.caller import Surface
from chatwright.kernel.ids import new_id
from chatwright.surfaces.mcp.listening import following, streams
from tests.conftest import Desk
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import paper_inbox
from tests.surfaces.mcp.server import ask, connected, modern, token_of

NAMED = {"type": "text", "field": "name", "operator": "is_set"}


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


async def all_heard(subscription: Subscription, *paths: str) -> bool:
    """Whether each of these is told of, in whatever order."""
    missing = {f"chatwright://{path}" for path in paths}
    while missing:
        change = await heard(subscription)
        assert isinstance(change, ResourceUpdated)
        missing.discard(change.uri)
    return True


@asynccontextmanager
async def listening(mcp_url: str, token: str, *paths: str) -> AsyncGenerator[Subscription]:
    """A client that watches these and nothing else."""
    uris = [f"chatwright://{path}" for path in paths]
    async with (
        connected(mcp_url, token) as client,
        client.listen(resource_subscriptions=uris) as subscription,
    ):
        yield subscription


async def test_a_message_updates_its_conversation_its_history_and_itself(mcp_url: str, post: Post) -> None:
    conversation = await post.begin()
    message = await post.send(conversation, "On its way.")
    paths = (
        f"conversations/{conversation['id']}",
        f"conversations/{conversation['id']}/messages",
        f"messages/{message['id']}",
    )
    async with listening(mcp_url, await token_of(post.desk), *paths) as subscription:
        await post.work()
        assert await all_heard(subscription, *paths)


async def test_a_segment_is_told_by_the_name_it_is_watched_by(mcp_url: str, desk: Desk) -> None:
    segment = await desk.call(create_segment, name="VIP", filter=NAMED)
    paths = ("segments/vip", "segments/VIP/contacts", f"segments/{segment['id']}")
    async with listening(mcp_url, await token_of(desk), *paths) as subscription:
        await desk.call(update_segment, segment_id=segment["id"], name="Very")
        assert await all_heard(subscription, *paths)


async def test_a_tag_updates_its_contact_its_own_page_and_the_workspace(mcp_url: str, desk: Desk) -> None:
    contact = await desk.call(create_contact, name="Ann")
    tag = await desk.call(create_tag, name="VIP")
    paths = (f"contacts/{contact['id']}", "tags/vip", f"tags/{tag['id']}", "workspace/tags", "audit")
    async with listening(mcp_url, await token_of(desk), *paths) as subscription:
        await desk.call(add_contact_tags, contact_id=contact["id"], tags=["VIP"])
        assert await all_heard(subscription, *paths)


async def test_the_workspace_is_told_of_what_it_can_do(mcp_url: str, desk: Desk) -> None:
    paths = ("workspace", "workspace/fields", "workspace/inboxes")
    async with listening(mcp_url, await token_of(desk), *paths) as subscription:
        await desk.call(create_field, key="shoe_size", kind="number", label="Shoe size")
        await paper_inbox(desk)
        assert await all_heard(subscription, *paths)


async def test_a_job_is_told_as_it_goes_on(mcp_url: str, post: Post) -> None:
    job = await post.desk.call(start_import, csv="name\nAnn\n")
    export = await post.desk.call(start_export)
    paths = (f"imports/{job['id']}", f"imports/{job['id']}/errors", f"exports/{export['id']}")
    async with listening(mcp_url, await token_of(post.desk), *paths) as subscription:
        await post.work()
        assert await all_heard(subscription, *paths)


async def test_both_contacts_of_a_merge_are_told_of(mcp_url: str, desk: Desk) -> None:
    keep, duplicate = [await desk.call(create_contact, name="Ann") for _ in range(2)]
    paths = (f"contacts/{keep['id']}", f"contacts/{duplicate['id']}")
    async with listening(mcp_url, await token_of(desk), *paths) as subscription:
        await desk.call(merge_contacts, contact_id=keep["id"], duplicate_id=duplicate["id"])
        assert await all_heard(subscription, *paths)


async def test_a_token_limited_to_inboxes_hears_of_the_contacts_it_sees_until_they_go(
    mcp_url: str, post: Post
) -> None:
    conversation = await post.begin()
    path = f"contacts/{conversation['contact_id']}"
    token = await token_of(post.desk, inbox_ids=[str(post.inbox_id)])
    async with listening(mcp_url, token, path) as subscription:
        await post.desk.call(update_contact, contact_id=conversation["contact_id"], name="Ann")
        assert await all_heard(subscription, path)
        await post.desk.call(delete_contact, contact_id=conversation["contact_id"])
        assert await all_heard(subscription, path)


async def test_a_token_limited_to_tags_hears_of_those_that_carry_them(mcp_url: str, desk: Desk) -> None:
    tag = await desk.call(create_tag, name="VIP")
    mine = await desk.call(create_contact, name="Ann", tags=["VIP"])
    other = await desk.call(create_contact, name="Bob")
    paths = (f"contacts/{mine['id']}", f"contacts/{other['id']}")
    token = await token_of(desk, tag_ids=[tag["id"]])
    async with listening(mcp_url, token, *paths) as subscription:
        await desk.call(update_contact, contact_id=other["id"], name="Bobby")
        await desk.call(update_contact, contact_id=mine["id"], name="Anna")
        assert await heard(subscription) == ResourceUpdated(f"chatwright://{paths[0]}")


async def test_nobody_watches_more_than_a_client_needs(mcp_url: str, desk: Desk) -> None:
    uris = [f"chatwright://contacts/{new_id()}" for _ in range(streams.MOST_WATCHED + 1)]
    async with connected(mcp_url, await token_of(desk)) as client:
        with pytest.raises(MCPError, match="resources may be watched"):
            async with client.listen(resource_subscriptions=uris):
                pass


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


async def test_what_is_taken_from_a_grant_is_heard_of_no_more(
    mcp_url: str, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "CACHE_SECONDS", 0.0)
    watched = await post.begin()
    uri = f"chatwright://conversations/{watched['id']}"
    made = await post.desk.call(create_oauth_client, name="Machine")
    oauth = post.desk.product.oauth
    proof = Proof(made["client"]["client_id"], made["client_secret"], "client_secret_basic")
    visit = Visit("tests", "r")
    issued = await oauth.issuing.for_machine(await oauth.prove(proof), visit, scope=None, resources=[])
    here = authentication.Presented(Surface.MCP, resource=oauth.policy.endpoint)
    machine = await post.desk.product.authenticator.by_token(issued.access, here)
    token = (await post.desk.call(create_token, as_=machine, name="inner"))["token"]
    async with (
        connected(mcp_url, token) as client,
        client.listen(resource_subscriptions=[uri]) as subscription,
    ):
        elsewhere = [str(await paper_inbox(post.desk))]
        await post.desk.call(narrow_grant, grant_id=made["grant"]["id"], inbox_ids=elsewhere)
        await post.desk.call(send_message, conversation_id=watched["id"], text="secret")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(aiter(subscription))


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
