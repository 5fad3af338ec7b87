"""Resources: reading, listing and templates, over a workspace with conversations in it."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import TextResourceContents

from chatwright.catalogue import CATALOGUE
from chatwright.features.contacts.exports.operations import start_export
from chatwright.features.contacts.fields.operations import create_field
from chatwright.features.contacts.imports.operations import start_import
from chatwright.features.contacts.notes.operations import add_note
from chatwright.features.contacts.operations import add_contact_tags, create_contact
from chatwright.features.contacts.segments.operations import create_segment
from chatwright.features.contacts.tags.operations import create_tag
from chatwright.kernel.ids import new_id
from chatwright.surfaces.mcp.resources import reading
from chatwright.surfaces.mcp.resources.kinds import KINDS
from tests.conftest import Desk
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import PaperChannel, letter
from tests.surfaces.mcp.server import ERAS, connected, token_of

NOT_FOUND = {"legacy": -32002, "auto": -32602}

NOBODY = "01900000-0000-7000-8000-000000000000"
"""An id that nothing has; the same in every process, as the names of tests must be."""

NAMED = {"type": "text", "field": "name", "operator": "is_set"}


async def read(client: Client, uri: str) -> dict[str, Any]:
    (contents,) = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    assert contents.mime_type == "application/json"
    return json.loads(contents.text)


def test_every_kind_stands_on_reading_operations_of_the_catalogue() -> None:
    reading_ones = {operation.name for operation in CATALOGUE if not operation.writes}
    for kind in KINDS:
        assert {part.operation for part in kind.parts.values()} <= reading_ones
        assert kind.directory is None or kind.directory.operation in reading_ones


def test_every_list_goes_on_in_a_kind_there_is() -> None:
    paged = {kind.path for kind in KINDS if kind.paged}
    assert {part.more for kind in KINDS for part in kind.parts.values() if part.more} <= paged


@pytest.mark.parametrize("mode", ERAS)
class TestReading:
    async def test_the_workspace(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            document = await read(client, "chatwright://workspace")
        assert document["workspace"]["name"] == "Test"

    async def test_a_conversation_comes_with_its_history_and_a_warning(
        self, mcp_url: str, post: Post, mode: str
    ) -> None:
        conversation = await post.begin("Where is my order?")
        async with connected(mcp_url, await token_of(post.desk), mode) as client:
            document = await read(client, f"chatwright://conversations/{conversation['id']}")
        assert document["conversation"]["id"] == conversation["id"]
        (message,) = document["messages"]["items"]
        assert message["content"]["text"] == "Where is my order?"
        assert "messages.items[].content" in document["note"]

    async def test_a_contact(self, mcp_url: str, post: Post, mode: str) -> None:
        conversation = await post.begin()
        async with connected(mcp_url, await token_of(post.desk), mode) as client:
            document = await read(client, f"chatwright://contacts/{conversation['contact_id']}")
        assert document["contact"]["id"] == conversation["contact_id"]

    @pytest.mark.parametrize(
        "uri",
        [
            "chatwright://moon",
            "chatwright://workspace/1",
            "chatwright://conversations",
            "chatwright://conversations/",
            "chatwright://conversations/../workspace",
            "chatwright://conversations/1",
            "https://example.com/",
            f"chatwright://conversations/{NOBODY}",
        ],
    )
    async def test_what_is_not_there(self, mcp_url: str, desk: Desk, mode: str, uri: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            with pytest.raises(MCPError) as caught:
                await client.read_resource(uri)
        assert caught.value.code == NOT_FOUND[mode]
        assert "NOT_FOUND" in caught.value.data["code"]

    async def test_another_workspace_is_not_there(
        self, mcp_url: str, post: Post, stranger: Desk, mode: str
    ) -> None:
        conversation = await post.begin()
        async with connected(mcp_url, await token_of(stranger), mode) as client:
            with pytest.raises(MCPError) as caught:
                await client.read_resource(f"chatwright://conversations/{conversation['id']}")
        assert caught.value.code == NOT_FOUND[mode]

    async def test_without_the_scope_it_is_refused(self, mcp_url: str, post: Post, mode: str) -> None:
        conversation = await post.begin()
        async with connected(mcp_url, await token_of(post.desk, "workspace:read"), mode) as client:
            with pytest.raises(MCPError) as caught:
                await client.read_resource(f"chatwright://conversations/{conversation['id']}")
        assert caught.value.data["code"] == "INSUFFICIENT_SCOPE"

    async def test_pages_of_a_history_lead_from_one_to_the_next(
        self, mcp_url: str, post: Post, mode: str
    ) -> None:
        conversation = await post.begin("0")
        await post.receive(*(letter(str(number)) for number in range(1, 70)))
        uri = f"chatwright://conversations/{conversation['id']}"
        said: list[str] = []
        async with connected(mcp_url, await token_of(post.desk), mode) as client:
            document = await read(client, uri)
            said += [message["content"]["text"] for message in document["messages"]["items"]]
            while "next" in document["messages"]:
                assert document["messages"]["next"].startswith(f"{uri}/messages?cursor=")
                document = await read(client, document["messages"]["next"])
                said += [message["content"]["text"] for message in document["messages"]["items"]]
        assert said == [str(number) for number in reversed(range(70))]

    async def test_large_items_make_shorter_pages_and_none_is_lost(
        self, mcp_url: str, post: Post, mode: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reading, "BUDGET", 3_000)
        conversation = await post.begin("0")
        await post.receive(*(letter(f"{number}" + "x" * 900) for number in range(1, 8)))
        uri: str | None = f"chatwright://conversations/{conversation['id']}/messages"
        said: list[str] = []
        pages = 0
        async with connected(mcp_url, await token_of(post.desk), mode) as client:
            while uri is not None:
                page = (await read(client, uri))["messages"]
                assert len(page["items"]) == 1 or len(json.dumps(page["items"])) < 4_000
                said += [message["content"]["text"][0] for message in page["items"]]
                uri, pages = page.get("next"), pages + 1
        assert said == ["7", "6", "5", "4", "3", "2", "1", "0"]
        assert pages > 3

    async def test_a_message_comes_with_its_way(self, mcp_url: str, post: Post, mode: str) -> None:
        conversation = await post.begin("Where is my order?")
        message = await post.send(conversation, "On its way.")
        await post.work()
        async with connected(mcp_url, await token_of(post.desk), mode) as client:
            document = await read(client, f"chatwright://messages/{message['id']}")
        assert document["message"]["content"]["text"] == "On its way."
        assert "sent" in {step["status"] for step in document["timeline"]}

    async def test_a_contact_comes_with_our_notes(self, mcp_url: str, desk: Desk, mode: str) -> None:
        contact = await desk.call(create_contact, name="Ann")
        await desk.call(add_note, contact_id=contact["id"], text="Likes tea")
        async with connected(mcp_url, await token_of(desk), mode) as client:
            document = await read(client, f"chatwright://contacts/{contact['id']}")
            (contents,) = (await client.read_resource(f"chatwright://contacts/{contact['id']}")).contents
        assert [note["text"] for note in document["notes"]["items"]] == ["Likes tea"]
        assert contents.meta is not None
        assert "/contact/name" in contents.meta["outside"]

    async def test_segments_tags_and_fields_are_read_by_name_as_by_id(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        contact = await desk.call(create_contact, name="Ann")
        await desk.call(add_contact_tags, contact_id=contact["id"], tags=["Khách quý / VIP"])
        segment = await desk.call(create_segment, name="Huế 50%", filter=NAMED)
        field = await desk.call(create_field, key="shoe_size", kind="number", label="Shoe size")
        async with connected(mcp_url, await token_of(desk), mode) as client:
            for name in (segment["id"], quote("Huế 50%"), quote("huế 50%")):
                document = await read(client, f"chatwright://segments/{name}")
                assert document["segment"]["id"] == segment["id"]
                assert document["count"] == 1
                assert document["contacts"]["items"][0]["id"] == contact["id"]
            tagged = await read(client, f"chatwright://tags/{quote('khách quý / vip', safe='')}")
            assert tagged["tag"]["contacts"] == 1
            assert tagged == await read(client, f"chatwright://tags/{tagged['tag']['id']}")
            assert tagged["contacts"]["items"][0]["name"] == "Ann"
            for name in (field["id"], "shoe_size"):
                assert (await read(client, f"chatwright://fields/{name}"))["field"] == field

    async def test_a_name_of_several_names_their_ids(self, mcp_url: str, desk: Desk, mode: str) -> None:
        made = [await desk.call(create_segment, name="Twins", filter=NAMED) for _ in range(2)]
        async with connected(mcp_url, await token_of(desk), mode) as client:
            with pytest.raises(MCPError) as caught:
                await read(client, "chatwright://segments/Twins")
        assert caught.value.code == NOT_FOUND[mode]
        assert all(segment["id"] in caught.value.data["hint"] for segment in made)

    async def test_jobs_are_watched_where_they_lie(self, mcp_url: str, desk: Desk, mode: str) -> None:
        job = await desk.call(start_import, csv="name,email\nAnn,not an address\n")
        export = await desk.call(start_export)
        await Post(desk, new_id(), PaperChannel()).work()
        async with connected(mcp_url, await token_of(desk), mode) as client:
            document = await read(client, f"chatwright://imports/{job['id']}")
            assert document["import"]["state"] == "done"
            assert document["errors"]["items"][0]["row"] == 2
            document = await read(client, f"chatwright://exports/{export['id']}")
            assert document["export"]["state"] == "done"

    async def test_the_workspace_shows_what_is_here_and_where_the_rest_is(
        self, mcp_url: str, post: Post, mode: str
    ) -> None:
        for number in range(12):
            await post.desk.call(create_tag, name=f"tag {number}")
        async with connected(mcp_url, await token_of(post.desk), mode) as client:
            document = await read(client, "chatwright://workspace")
            assert document["inboxes"]["items"][0]["name"] == "Letters"
            assert "hook_url" not in document["inboxes"]["items"][0]
            assert len(document["tags"]["items"]) == 10
            assert document["access"]["writes"] is True
            rest = await read(client, document["tags"]["next"])
            assert len(rest["tags"]["items"]) == 2
            limits = await read(client, document["links"]["limits"])
        paper = next(kind for kind in limits["channels"]["items"] if kind["name"] == "paper")
        assert paper["text_limit"] > 0
        assert "limits" in paper
        assert "settings_schema" not in paper
        assert limits["calls"]["each_tool"]["per_minute"] > 0

    async def test_the_workspace_leaves_out_what_the_token_may_not_see(
        self, mcp_url: str, post: Post, mode: str
    ) -> None:
        async with connected(mcp_url, await token_of(post.desk, "workspace:read"), mode) as client:
            document = await read(client, "chatwright://workspace")
        assert "members" in document
        assert not {"inboxes", "tags", "fields", "templates"} & document.keys()
        assert document["access"]["scopes"] == ["workspace:read"]
        assert document["access"]["writes"] is False

    async def test_the_audit_trail(self, mcp_url: str, desk: Desk, mode: str) -> None:
        await desk.call(create_contact, name="Ann")
        async with connected(mcp_url, await token_of(desk), mode) as client:
            document = await read(client, "chatwright://audit")
        assert "contacts.create" in {record["operation"] for record in document["records"]["items"]}

    @pytest.mark.parametrize("cursor", ["x", "", "WyJub3QgYSBudW1iZXIiXQ"])
    async def test_a_cursor_of_another_list_is_refused(
        self, mcp_url: str, post: Post, mode: str, cursor: str
    ) -> None:
        conversation = await post.begin()
        async with connected(mcp_url, await token_of(post.desk), mode) as client:
            with pytest.raises(MCPError):
                await read(
                    client, f"chatwright://conversations/{conversation['id']}/messages?cursor={cursor}"
                )


class TestListing:
    async def test_it_begins_with_what_there_is_one_of_and_then_the_latest(
        self, mcp_url: str, post: Post
    ) -> None:
        await post.receive(letter("hi", name="Ann"))
        (conversation,) = await post.conversations()
        async with connected(mcp_url, await token_of(post.desk)) as client:
            page = await client.list_resources()
        uris = [resource.uri for resource in page.resources]
        assert uris[0] == "chatwright://workspace"
        assert uris.index("chatwright://audit") < uris.index(
            f"chatwright://conversations/{conversation['id']}"
        )
        assert page.ttl_ms == 0
        listed = page.resources[-1]
        assert listed.title == "Conversation with Ann"
        assert listed.annotations is not None
        assert listed.annotations.last_modified == conversation["updated_at"]
        assert listed.meta is not None
        assert listed.meta["outside"] is True

    async def test_pages_hold_every_conversation_and_contact_once(self, mcp_url: str, post: Post) -> None:
        await post.receive(*(letter("hi", sender=f"sender {number}") for number in range(60)))
        await post.desk.call(create_segment, name="VIP", filter=NAMED)
        uris: list[str] = []
        async with connected(mcp_url, await token_of(post.desk)) as client:
            cursor: str | None = None
            while True:
                page = await client.list_resources(cursor=cursor)
                uris += [resource.uri for resource in page.resources]
                cursor = page.next_cursor
                if cursor is None:
                    break
        singles = [kind for kind in KINDS if not kind.many]
        assert len(uris) == len(set(uris)) == len(singles) + 60 + 60 + 1 + 1
        assert sum("conversations" in uri for uri in uris) == 60

    async def test_only_what_the_scopes_reach(self, mcp_url: str, post: Post) -> None:
        await post.begin()
        async with connected(mcp_url, await token_of(post.desk, "workspace:read")) as client:
            assert [resource.uri for resource in (await client.list_resources()).resources] == [
                "chatwright://workspace",
                "chatwright://workspace/members",
                "chatwright://workspace/limits",
            ]
            templates = (await client.list_resource_templates()).resource_templates
            assert [template.uri_template for template in templates] == [
                "chatwright://workspace/members{?cursor}",
                "chatwright://workspace/limits{?cursor}",
                "chatwright://approvals/{id}",
            ]
            assert (await client.list_prompts()).prompts == []

    async def test_only_what_the_chosen_toolset_reaches(self, mcp_url: str, post: Post) -> None:
        conversation = await post.begin()
        async with connected(f"{mcp_url}/x/contacts,notes", await token_of(post.desk)) as client:
            templates = (await client.list_resource_templates()).resource_templates
            assert {template.uri_template for template in templates} == {
                "chatwright://workspace/limits{?cursor}",
                "chatwright://contacts/{id}",
                "chatwright://contacts/{id}/notes{?cursor}",
            }
            for path in (f"conversations/{conversation['id']}", "workspace"):
                with pytest.raises(MCPError) as caught:
                    await read(client, f"chatwright://{path}")
                assert caught.value.data["code"] == "NOT_FOUND"
            assert await read(client, f"chatwright://contacts/{conversation['contact_id']}")

    async def test_templates_name_what_can_be_read_by_id_or_in_pages(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk)) as client:
            listed = (await client.list_resource_templates()).resource_templates
        assert [template.uri_template for template in listed] == [
            kind.template for kind in KINDS if kind.many or kind.paged
        ]
        assert "chatwright://conversations/{id}/messages{?cursor}" in {each.uri_template for each in listed}
