"""Operations as tools, called by the official SDK's client in both eras of the protocol."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, TextContent

from chatwright.catalogue import CATALOGUE, TOOLSETS
from chatwright.features.workspaces.operations import list_audit, list_tokens
from chatwright.kernel.caller import OWN_SCOPE, Surface
from chatwright.kernel.operation import AnyOperation, Effect
from chatwright.surfaces.mcp.lean import lean_tool
from chatwright.surfaces.mcp.schemas import full_input_schema, full_output_schema
from chatwright.surfaces.mcp.selection import FINDING
from tests.conftest import Desk
from tests.surfaces.mcp.server import ERAS, LEGACY, MODERN, VERSION, ask, connected, legacy, modern, token_of

SHOWN = [operation for operation in CATALOGUE if Surface.MCP in operation.surfaces]
SOON_MS = 30_000
"""After a step-up, the client looks at the lists again this soon."""
every_tool = pytest.mark.parametrize("operation", SHOWN, ids=lambda operation: operation.tool)


def problem_of(result: CallToolResult) -> dict[str, Any]:
    """The error in a failed call's text."""
    assert result.is_error
    assert result.structured_content is None
    (content,) = result.content
    assert isinstance(content, TextContent)
    return json.loads(content.text)


@pytest.mark.parametrize("mode", ERAS)
class TestInBothEras:
    async def test_the_server_says_who_it_is(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            assert client.protocol_version == (LEGACY if mode == "legacy" else MODERN)
            assert client.server_info is not None
            assert (client.server_info.name, client.server_info.version) == ("chatwright", VERSION)
            assert client.instructions is not None
            assert "chatwright://workspace" in client.instructions

    async def test_the_default_tools_are_listed_in_the_catalogues_order(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            listed = await client.list_tools()
        operations = [tool.name for tool in listed.tools if tool.name not in FINDING]
        assert operations == [operation.tool for operation in SHOWN if operation.name in TOOLSETS["default"]]
        assert listed.next_cursor is None
        assert all(tool.title and tool.description and tool.output_schema for tool in listed.tools)

    async def test_a_result_is_structured_and_the_same_in_text(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await client.call_tool("get_workspace", {})
        assert result.structured_content is not None
        assert result.structured_content["name"] == "Test"
        (content,) = result.content
        assert isinstance(content, TextContent)
        assert json.loads(content.text) == result.structured_content
        assert ": " not in content.text

    async def test_what_has_no_value_is_left_out(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await client.call_tool("list_access_tokens", {})
        assert result.structured_content is not None
        (token,) = result.structured_content["items"]
        assert "expires_at" not in token
        assert "next_cursor" not in result.structured_content

    async def test_a_repeated_key_gives_the_first_result(self, mcp_url: str, desk: Desk, mode: str) -> None:
        arguments = {"name": "n8n", "idempotency_key": "once"}
        async with connected(mcp_url, await token_of(desk), mode) as client:
            first = await client.call_tool("create_access_token", arguments)
            again = await client.call_tool("create_access_token", arguments)
            other = await client.call_tool("create_access_token", {**arguments, "name": "other"})
        assert first.structured_content == again.structured_content
        assert "replayed" not in (first.meta or {})
        assert (again.meta or {})["replayed"] is True
        assert problem_of(other)["code"] == "IDEMPOTENCY_CONFLICT"
        named = [token["name"] for token in (await desk.call(list_tokens))["items"]]
        assert named.count("n8n") == 1

    async def test_an_unknown_tool_is_an_error_of_the_protocol(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            with pytest.raises(MCPError, match="no tool called 'send_mesage'") as caught:
                await client.call_tool("send_mesage", {})
        assert caught.value.code == -32602
        assert caught.value.data["code"] == "UNKNOWN_OPERATION"
        assert "send_message" in caught.value.data["hint"]

    async def test_what_is_no_name_is_compared_with_none(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            with pytest.raises(MCPError, match="no tool called") as caught:
                await client.call_tool("send_message" * 1000, {})
        assert caught.value.data["code"] == "UNKNOWN_OPERATION"
        assert "hint" not in caught.value.data
        assert len(caught.value.message) < 200

    async def test_an_unknown_cursor_is_an_error_of_the_protocol(
        self, mcp_url: str, desk: Desk, mode: str
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            for listing in (
                client.list_tools,
                client.list_resources,
                client.list_resource_templates,
                client.list_prompts,
            ):
                with pytest.raises(MCPError) as caught:
                    await listing(cursor="made-up")
                assert caught.value.code == -32602

    async def test_an_unknown_argument_is_named(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await client.call_tool("update_workspace", {"nmae": "x"})
        problem = problem_of(result)
        assert problem["code"] == "INVALID_ARGUMENT"
        assert [field["path"] for field in problem["fields"]] == ["nmae"]
        assert problem["retryable"] is False
        assert problem["request_id"]

    async def test_reading_tools_take_no_idempotency_key(self, mcp_url: str, desk: Desk, mode: str) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await client.call_tool("get_workspace", {"idempotency_key": "k"})
        assert problem_of(result)["fields"][0]["path"] == "idempotency_key"

    @pytest.mark.parametrize("key", [7, "", "x" * 256])
    async def test_a_key_that_is_none_is_refused(
        self, mcp_url: str, desk: Desk, mode: str, key: object
    ) -> None:
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await client.call_tool("create_access_token", {"name": "n8n", "idempotency_key": key})
        problem = problem_of(result)
        assert problem["code"] == "INVALID_ARGUMENT"
        assert problem["fields"][0]["path"] == "idempotency_key"

    async def test_what_is_not_there_is_said_by_its_code(self, mcp_url: str, desk: Desk, mode: str) -> None:
        nobody = "01900000-0000-7000-8000-000000000000"
        async with connected(mcp_url, await token_of(desk), mode) as client:
            result = await client.call_tool("revoke_access_token", {"token_id": nobody})
        assert problem_of(result)["code"] == "TOKEN_NOT_FOUND"


class TestScopes:
    async def test_only_what_a_token_may_do_is_listed(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk, "workspace:read", "audit:read")) as client:
            listed = {tool.name for tool in (await client.list_tools()).tools}
        open_ = {"workspace:read", "audit:read", OWN_SCOPE}
        assert listed - FINDING == {o.tool for o in SHOWN if o.scope in open_}

    async def test_a_reading_token_sees_only_reading_tools(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk, read_only=True)) as client:
            tools = (await client.list_tools()).tools
        assert tools
        assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)

    async def test_lists_of_tokens_do_not_mix(self, mcp_url: str, desk: Desk) -> None:
        wide, narrow = await token_of(desk), await token_of(desk, "workspace:read")
        sizes = [
            len((await ask(mcp_url, token, **modern("tools/list"))).json()["result"]["tools"])
            for token in (wide, narrow, wide, narrow)
        ]
        assert sizes[0] == sizes[2] > sizes[1] == sizes[3]

    async def test_a_known_tool_out_of_reach_says_which_scope_it_needs(
        self, mcp_url: str, desk: Desk
    ) -> None:
        async with connected(mcp_url, await token_of(desk, read_only=True)) as client:
            with pytest.raises(MCPError, match="workspace:write") as caught:
                await client.call_tool("update_workspace", {"name": "Mine now"})
        assert caught.value.data["code"] == "INSUFFICIENT_SCOPE"
        (record,) = (await desk.call(list_audit, outcome="refused"))["items"]
        assert (record["operation"], record["surface"]) == ("workspace.update", "mcp")


class TestCaching:
    @pytest.mark.parametrize("method", ["tools/list", "prompts/list", "resources/templates/list"])
    async def test_lists_may_be_kept_by_their_reader_alone(
        self, mcp_url: str, desk: Desk, method: str
    ) -> None:
        result = (await ask(mcp_url, await token_of(desk), **modern(method))).json()["result"]
        assert result["cacheScope"] == "private"
        assert 0 < result["ttlMs"] <= SOON_MS

    async def test_the_same_list_is_the_same_bytes(self, mcp_url: str, desk: Desk) -> None:
        token = await token_of(desk)
        for era in (modern, legacy):
            first, again = [await ask(mcp_url, token, **era("tools/list")) for _ in range(2)]
            assert first.content == again.content

    async def test_the_older_era_gets_nothing_of_the_newer(self, mcp_url: str, desk: Desk) -> None:
        result = (await ask(mcp_url, await token_of(desk), **legacy("tools/list"))).json()["result"]
        assert result.keys() == {"tools"}


class TestSchemas:
    @every_tool
    def test_they_are_whole_and_without_noise(self, operation: AnyOperation) -> None:
        for schema in (full_input_schema(operation), full_output_schema(operation)):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            assert '"title": "' not in json.dumps(schema)
            assert _references(schema) == {f"#/$defs/{name}" for name in schema.get("$defs", {})}
        assert full_input_schema(operation)["additionalProperties"] is False

    @every_tool
    def test_every_field_is_described(self, operation: AnyOperation) -> None:
        silent = [
            name
            for schema in (full_input_schema(operation), full_output_schema(operation))
            for part in (schema, *schema.get("$defs", {}).values())
            for name, field in part.get("properties", {}).items()
            if "description" not in field and "const" not in field
        ]
        assert silent == []

    @every_tool
    def test_writing_tools_take_an_idempotency_key_and_say_what_they_may_break(
        self, operation: AnyOperation
    ) -> None:
        tool = lean_tool(operation)
        assert ("idempotency_key" in tool.input_schema["properties"]) is operation.writes
        hints = tool.annotations
        assert hints is not None
        assert hints.read_only_hint is (operation.effect is Effect.READ)
        assert hints.destructive_hint is (operation.effect is Effect.DESTROY)
        assert hints.idempotent_hint is operation.idempotent
        assert hints.open_world_hint is operation.outward


def _references(node: object) -> set[str]:
    """Every `$ref` in a schema."""
    if isinstance(node, list):
        return set[str]().union(*map(_references, node))  # pyright: ignore[reportUnknownArgumentType]
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"]} if "$ref" in node else set()  # pyright: ignore[reportUnknownVariableType]
    return own.union(*map(_references, node.values()))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
