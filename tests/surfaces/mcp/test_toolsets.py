"""Which tools are listed and can be called, over the wire, by what was chosen and what a token may do."""

import json
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from chatwright.catalogue import CATALOGUE, TOOLSETS
from chatwright.kernel.caller import Surface
from chatwright.surfaces.mcp.selection import FINDING
from tests.conftest import Desk
from tests.surfaces.mcp.server import ERAS, ask, connected, legacy, modern, token_of

SHOWN = [operation for operation in CATALOGUE if Surface.MCP in operation.surfaces]

both_eras = pytest.mark.parametrize("era", [modern, legacy], ids=ERAS)


async def listed(url: str, token: str, era: Any = modern, **headers: str) -> list[str]:
    message = era("tools/list")
    message["headers"] |= headers
    answer = await ask(url, token, **message)
    return [tool["name"] for tool in answer.json()["result"]["tools"]]


def tools_of(*toolsets: str, reading: bool = False) -> list[str]:
    names = frozenset[str]().union(*(TOOLSETS[name] for name in toolsets))
    return [op.tool for op in SHOWN if op.name in names and not (reading and op.writes)]


@both_eras
class TestLists:
    async def test_each_choice_has_its_own_list_however_often_they_take_turns(
        self, mcp_url: str, desk: Desk, era: Any
    ) -> None:
        token = await token_of(desk)
        for _ in range(2):
            default = await listed(mcp_url, token, era)
            assert [name for name in default if name not in FINDING] == tools_of("default")
            assert set(default) >= FINDING
            assert await listed(f"{mcp_url}/x/agent", token, era) == tools_of("agent")
            assert await listed(f"{mcp_url}/x/tags,notes", token, era) == tools_of("tags", "notes")
            assert await listed(f"{mcp_url}/x/agent/readonly", token, era) == tools_of("agent", reading=True)
            reading = await listed(f"{mcp_url}/readonly", token, era)
            assert [name for name in reading if name not in FINDING] == tools_of("default", reading=True)

    async def test_headers_choose_like_urls(self, mcp_url: str, desk: Desk, era: Any) -> None:
        token = await token_of(desk)
        chosen = {"X-Chatwright-Toolsets": "tags", "X-Chatwright-Exclude": "create_tag"}
        expected = [name for name in tools_of("tags") if name != "create_tag"]
        assert await listed(mcp_url, token, era, **chosen) == expected
        assert await listed(mcp_url, token, era, **chosen, **{"X-Chatwright-Readonly": "true"}) == [
            "list_tags"
        ]

    async def test_a_choice_never_widens_what_a_token_may_do(
        self, mcp_url: str, desk: Desk, era: Any
    ) -> None:
        token = await token_of(desk, "contacts:read")
        names = await listed(f"{mcp_url}/x/all", token, era)
        scopes = {op.tool: op.scope for op in SHOWN}
        assert {scopes[name] for name in names} <= {"contacts:read", "self:read"}

    async def test_whoever_may_use_few_sees_all_of_them(self, mcp_url: str, desk: Desk, era: Any) -> None:
        names = await listed(mcp_url, await token_of(desk, "audit:read"), era)
        assert {"list_audit_records", "verify_audit"} <= set(names)


class TestCalls:
    async def test_by_default_what_is_not_listed_can_be_called(self, mcp_url: str, desk: Desk) -> None:
        async with connected(mcp_url, await token_of(desk)) as client:
            assert "list_tags" not in [tool.name for tool in (await client.list_tools()).tools]
            result = await client.call_tool("list_tags", {})
        assert result.structured_content == {"items": []}

    @pytest.mark.parametrize(
        ("path", "tool"),
        [
            ("/x/notes", "list_tags"),
            ("/x/tags/readonly", "create_tag"),
            ("/readonly", "create_tag"),
            ("/x/tags", "search_tools"),
        ],
    )
    async def test_what_was_not_chosen_is_not_there(
        self, mcp_url: str, desk: Desk, path: str, tool: str
    ) -> None:
        async with connected(mcp_url + path, await token_of(desk)) as client:
            with pytest.raises(MCPError, match=f"no tool called '{tool}'"):
                await client.call_tool(tool, {})

    async def test_what_was_left_out_is_not_run_by_another_tool_either(
        self, mcp_url: str, desk: Desk
    ) -> None:
        message = modern("tools/call", name="run_read_tool", arguments={"tool": "list_tags"})
        message["headers"] |= {"X-Chatwright-Exclude": "list_tags"}
        result = (await ask(mcp_url, await token_of(desk), **message)).json()["result"]
        assert result["isError"] is True
        assert json.loads(result["content"][0]["text"])["code"] == "UNKNOWN_OPERATION"
