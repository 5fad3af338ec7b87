"""Tools found by what is wanted, and run by their names, with the official SDK's client in both eras."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, TextContent

from chatwright.catalogue import CATALOGUE
from chatwright.features.contacts.operations import create_contact, get_contact
from chatwright.features.contacts.tags.operations import create_tag, list_tags
from chatwright.features.messaging.operations import list_conversations, list_messages
from chatwright.features.workspaces.operations import list_audit
from chatwright.kernel.caller import Surface
from chatwright.surfaces.mcp.costs import MOST_PER_TOOL, tokens_of
from chatwright.surfaces.mcp.schemas import full_input_schema
from tests.conftest import Desk
from tests.features.messaging.conftest import Post
from tests.features.messaging.paper import letter
from tests.surfaces.mcp.server import ERAS, ask, connected, legacy, modern, token_of

TOOLS = {operation.tool: operation for operation in CATALOGUE if Surface.MCP in operation.surfaces}
FINDING = ("search_tools", "run_read_tool", "run_write_tool")
NOBODY = "01900000-0000-7000-8000-000000000000"


async def search(client: Client, query: str, **more: Any) -> list[dict[str, Any]]:
    result = await client.call_tool("search_tools", {"query": query, **more})
    assert not result.is_error, result.content
    assert result.structured_content is not None
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert json.loads(content.text) == result.structured_content
    return list(result.structured_content["tools"])


async def run(client: Client, kind: str, tool: str, arguments: Any = None, **more: Any) -> CallToolResult:
    return await client.call_tool(f"run_{kind}_tool", {"tool": tool, "arguments": arguments or {}, **more})


def problem_of(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error
    assert result.structured_content is None
    content, *_ = result.content
    assert isinstance(content, TextContent)
    return json.loads(content.text)


class TestOnTheList:
    async def test_they_say_what_they_do(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk)) as client:
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        hints = {name: listed[name].annotations for name in FINDING}
        assert {
            name: (hint.read_only_hint, hint.destructive_hint) for name, hint in hints.items() if hint
        } == {
            "search_tools": (True, False),
            "run_read_tool": (True, False),
            "run_write_tool": (False, True),
        }
        for name in FINDING:
            assert tokens_of(listed[name]) < MOST_PER_TOOL
            assert listed[name].title
            jsonschema.Draft202012Validator.check_schema(listed[name].input_schema)

    async def test_a_reading_token_is_not_shown_how_to_write(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk, read_only=True)) as client:
            listed = {tool.name for tool in (await client.list_tools()).tools}
        assert listed.intersection(FINDING) == {"search_tools", "run_read_tool"}


@pytest.mark.parametrize("mode", ERAS)
class TestSearching:
    @pytest.mark.parametrize(
        "query", ["merge duplicate customers", "gộp khách trùng", "gop khach trung", "mege dupliate custmers"]
    )
    async def test_the_best_comes_first_in_either_language(
        self, mcp_url: str, desk: Desk, mode: str, query: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            found = await search(client, query)
        assert len(found) == 5
        assert found[0] == {
            "name": "merge_contacts",
            "title": "Merge contacts",
            "summary": "Make one contact of two that are the same person. `undo_merge` takes it back.",
            "kind": "write",
            "required": ["contact_id", "duplicate_id"],
        }

    async def test_in_full_it_gives_everything_a_call_needs(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            (found,) = await search(client, "send a message", limit=1, detail="full")
        assert found["name"] == "send_message"
        assert found["description"] == TOOLS["send_message"].description
        assert found["input_schema"] == full_input_schema(TOOLS["send_message"])

    async def test_what_means_nothing_finds_nothing(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            assert await search(client, "qwertz uiop") == []

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ({}, "query"),
            ({"query": ""}, "query"),
            ({"query": "x" * 501}, "query"),
            ({"query": 7}, "query"),
            ({"query": "nul \0"}, "query"),
            ({"query": "tags", "limit": 0}, "limit"),
            ({"query": "tags", "limit": 21}, "limit"),
            ({"query": "tags", "detail": "some"}, "detail"),
            ({"query": "tags", "q": "tags"}, "q"),
        ],
    )
    async def test_arguments_at_fault_are_named(
        self, mcp_url: str, desk: Desk, mode: str, arguments: dict[str, Any], field: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            problem = problem_of(await client.call_tool("search_tools", arguments))
        assert problem["code"] == "INVALID_ARGUMENT"
        assert [each["path"] for each in problem["fields"]] == [field]


class TestWhatIsFound:
    async def test_it_counts_as_a_call(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk, calls_per_minute=10)) as client:
            await search(client, "merge duplicates")
            refused = await client.call_tool("search_tools", {"query": "merge duplicates"})
            unknown = await run(client, "read", "no_such_tool")
        for each in (refused, unknown):
            assert problem_of(each)["code"] == "RATE_LIMIT_EXCEEDED"

    async def test_only_what_the_token_may_use(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk, "workspace:read", "audit:read")) as client:
            found = await search(
                client, "list delete create workspace audit approval contact message", limit=20
            )
        assert {tool["name"] for tool in found} == {
            name
            for name, operation in TOOLS.items()
            if operation.scope in {"workspace:read", "audit:read", "self:read"}
        }

    async def test_everything_fits_the_output_schema(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk)) as client:
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
            schema = listed["search_tools"].output_schema
            assert schema is not None
            for name in TOOLS:
                for detail in ("concise", "full"):
                    found = await search(client, name, limit=1, detail=detail)
                    assert [tool["name"] for tool in found] == [name]
                    jsonschema.validate({"tools": found}, schema)


@pytest.mark.parametrize("mode", ERAS)
class TestRunning:
    async def test_a_reading_tool_answers_as_it_does_itself(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        made = await desk.call(create_contact, name="Lan")
        arguments = {"contact_id": made["id"]}
        async with connected(mcp_url, await token_of(desk), mode) as client:
            itself = await client.call_tool("get_contact", arguments)
            run_by_name = await run(client, "read", "get_contact", arguments)
        assert not run_by_name.is_error
        assert run_by_name.structured_content == itself.structured_content
        assert run_by_name.content == itself.content

    async def test_its_own_choice_of_detail_is_passed_on(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            itself = await client.call_tool("list_audit_records", {"detail": "full"})
            run_by_name = await run(client, "read", "list_audit_records", {"detail": "full"})
        assert run_by_name.structured_content == itself.structured_content

    async def test_a_writing_tool_works_once_per_key(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            first = await run(client, "write", "create_tag", {"name": "VIP"}, idempotency_key="once")
            inside = await run(client, "write", "create_tag", {"name": "VIP", "idempotency_key": "once"})
            itself = await client.call_tool("create_tag", {"name": "VIP", "idempotency_key": "once"})
            other = await run(client, "write", "create_tag", {"name": "Other"}, idempotency_key="once")
        assert first.structured_content == inside.structured_content == itself.structured_content
        assert (itself.meta or {})["replayed"] is True
        assert problem_of(other)["code"] == "IDEMPOTENCY_CONFLICT"
        assert [tag["name"] for tag in (await desk.call(list_tags))["items"]] == ["VIP"]
        done = (await desk.call(list_audit, outcome="done"))["items"]
        assert [record["surface"] for record in done if record["operation"] == "tags.create"] == ["mcp"]

    async def test_a_key_given_twice_is_refused(self, mcp_url: str, desk: Desk, mode: str) -> None:
        arguments = {"name": "VIP", "idempotency_key": "inside"}
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await run(client, "write", "create_tag", arguments, idempotency_key="beside")
        assert problem_of(result)["fields"][0]["path"] == "idempotency_key"
        assert (await desk.call(list_tags))["items"] == []

    async def test_a_deletion_asks_in_two_steps_as_by_the_tool_itself(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        arguments = {"tag_id": (await desk.call(create_tag, name="VIP"))["id"]}
        async with connected(mcp_url, await token_of(desk), mode) as client:
            asked = problem_of(await run(client, "write", "delete_tag", arguments))
            assert asked["code"] == "CONFIRMATION_REQUIRED"
            assert [tag["name"] for tag in (await desk.call(list_tags))["items"]] == ["VIP"]
            token = asked["details"]["confirm_token"]
            done = await run(client, "write", "delete_tag", arguments, confirm_token=token)
        assert not done.is_error, done.content
        assert (await desk.call(list_tags))["items"] == []

    async def test_a_dry_run_sends_nothing(self, mcp_url: str, post: Post, mode: str) -> None:
        await post.receive(letter("hi"))
        (conversation,) = (await post.desk.call(list_conversations))["items"]
        arguments = {"conversation_id": conversation["id"], "text": "On its way"}
        async with connected(mcp_url, await token_of(post.desk), mode) as client:
            tried = await run(client, "write", "send_message", arguments, dry_run=True)
        assert not tried.is_error, tried.content
        assert (tried.meta or {})["dry_run"] is True
        written = (await post.desk.call(list_messages, conversation_id=conversation["id"]))["items"]
        assert [message["direction"] for message in written] == ["in"]

    async def test_faults_in_the_arguments_are_named_as_by_the_tool_itself(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            itself = problem_of(await client.call_tool("create_tag", {"nmae": "VIP"}))
            run_by_name = problem_of(await run(client, "write", "create_tag", {"nmae": "VIP"}))
        assert {**run_by_name, "request_id": ""} == {**itself, "request_id": ""}

    async def test_what_is_not_there_is_said_by_its_code(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            problem = problem_of(await run(client, "read", "get_contact", {"contact_id": NOBODY}))
        assert problem["code"] == "CONTACT_NOT_FOUND"

    @pytest.mark.parametrize(
        ("kind", "tool", "right"),
        [("read", "create_tag", "run_write_tool"), ("write", "list_tags", "run_read_tool")],
    )
    async def test_the_wrong_one_of_the_two_says_which_is_right(
        self, mcp_url: str, desk: Desk, mode: str, kind: str, tool: str, right: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            problem = problem_of(await run(client, kind, tool, {"name": "VIP"}))
        assert problem["code"] == "INVALID_ARGUMENT"
        assert right in problem["hint"]
        assert (await desk.call(list_tags))["items"] == []

    @pytest.mark.parametrize(
        ("tool", "near"),
        [("craete_tag", "create_tag"), ("add_label", "create_tag"), ("qqqqqq", ""), ("search_tools", "")],
    )
    async def test_an_unknown_tool_is_told_with_the_three_nearest(
        self, mcp_url: str, desk: Desk, mode: str, tool: str, near: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            problem = problem_of(await run(client, "write", tool))
        assert problem["code"] == "UNKNOWN_OPERATION"
        assert tool in problem["message"]
        assert near in problem["hint"]
        assert sum(name in problem["hint"].replace(";", ",").split(", ") for name in TOOLS) <= 3

    @pytest.mark.parametrize("arguments", [{}, {"tool": ""}, {"tool": 7}, {"tool": "x" * 101}])
    async def test_a_call_without_a_name_is_refused(
        self, mcp_url: str, desk: Desk, mode: str, arguments: dict[str, Any]
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            problem = problem_of(await client.call_tool("run_read_tool", arguments))
        assert [each["path"] for each in problem["fields"]] == ["tool"]


class TestGuards:
    @pytest.mark.parametrize("era", [modern, legacy])
    async def test_a_scope_that_is_missing_is_asked_for_at_the_door(
        self, mcp_url: str, desk: Desk, era: Callable[..., dict[str, Any]]
    ) -> None:
        arguments = {"tool": "create_tag", "arguments": {"name": "VIP"}}
        message = era("tools/call", name="run_write_tool", arguments=arguments)
        answer = await ask(mcp_url, await token_of(desk, "contacts:read", "workspace:write"), **message)
        assert answer.status_code == 403
        assert "contacts:write" in answer.headers["www-authenticate"]
        assert answer.json()["error"]["data"]["code"] == "INSUFFICIENT_SCOPE"
        (record,) = (await desk.call(list_audit, outcome="refused"))["items"]
        assert (record["operation"], record["surface"]) == ("tags.create", "mcp")

    async def test_what_the_grant_leaves_out_is_neither_found_nor_run(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk, toolsets=["segments"])) as client:
            assert {tool["name"] for tool in await search(client, "tag segment contact", limit=20)} <= {
                name for name, operation in TOOLS.items() if operation.noun == "segments"
            }
            problem = problem_of(await run(client, "write", "create_tag", {"name": "VIP"}))
        assert problem["code"] == "OUTSIDE_GRANT"
        assert (await desk.call(list_tags))["items"] == []

    @pytest.mark.parametrize(
        ("path", "headers"),
        [("", {"X-Chatwright-Exclude": "delete_tag"}), ("/readonly", {})],
        ids=["excluded", "readonly"],
    )
    async def test_what_the_selection_leaves_out_is_neither_found_nor_run(
        self, mcp_url: str, desk: Desk, path: str, headers: dict[str, str]
    ) -> None:
        token = await token_of(desk)
        made = await desk.call(create_tag, name="VIP")

        async def call(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
            message = modern("tools/call", name=tool, arguments=arguments)
            message["headers"] |= headers
            return (await ask(f"{mcp_url}{path}", token, **message)).json()

        found = await call("search_tools", {"query": "delete a tag"})
        names = [tool["name"] for tool in found["result"]["structuredContent"]["tools"]]
        assert names
        assert "delete_tag" not in names
        ran = await call("run_write_tool", {"tool": "delete_tag", "arguments": {"tag_id": made["id"]}})
        if path:
            assert ran["error"]["code"] == -32602
        else:
            problem = json.loads(ran["result"]["content"][0]["text"])
            assert problem["code"] == "UNKNOWN_OPERATION"
            assert "delete_tag" not in problem["hint"]
        assert len((await desk.call(list_tags))["items"]) == 1

    async def test_a_chosen_toolset_shows_all_it_has_and_needs_no_search(
        self, mcp_url: str, desk: Desk
    ) -> None:
        async with connected(f"{mcp_url}/x/tags", await token_of(desk)) as client:
            listed = {tool.name for tool in (await client.list_tools()).tools}
            with pytest.raises(MCPError, match="no tool called 'run_write_tool'"):
                await run(client, "write", "create_tag", {"name": "VIP"})
        assert listed == {name for name, operation in TOOLS.items() if operation.noun == "tags"}

    async def test_nearest_names_tell_nothing_of_what_the_token_may_not_use(
        self, mcp_url: str, desk: Desk
    ) -> None:
        async with connected(mcp_url, await token_of(desk, "contacts:read")) as client:
            problem = problem_of(await run(client, "read", "list_tgas"))
        assert "list_tags" in problem["hint"]
        assert "create_tag" not in problem["hint"]

    async def test_another_workspaces_contact_is_not_there(
        self, mcp_url: str, desk: Desk, stranger: Desk
    ) -> None:
        theirs = await stranger.call(create_contact, name="Hùng")
        async with connected(mcp_url, await token_of(desk)) as client:
            problem = problem_of(await run(client, "read", "get_contact", {"contact_id": theirs["id"]}))
        assert problem["code"] == "CONTACT_NOT_FOUND"
        assert (await stranger.call(get_contact, contact_id=theirs["id"]))["name"] == "Hùng"

    async def test_a_tag_that_exists_is_refused_as_by_the_tool_itself(self, mcp_url: str, desk: Desk) -> None:
        await desk.call(create_tag, name="VIP")
        async with connected(mcp_url, await token_of(desk)) as client:
            itself = problem_of(await client.call_tool("create_tag", {"name": "VIP"}))
            run_by_name = problem_of(await run(client, "write", "create_tag", {"name": "VIP"}))
        assert run_by_name["code"] == itself["code"]
        assert run_by_name["message"] == itself["message"]
