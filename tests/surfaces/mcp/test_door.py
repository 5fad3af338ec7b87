"""What is settled before the protocol begins, seen on the wire."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from chatwright.features.workspaces.operations import list_audit, list_tokens, revoke_token
from chatwright.kernel.ids import new_id
from tests.conftest import Desk
from tests.surfaces.mcp.server import ORIGIN, ask, legacy, modern, token_of


class TestMethods:
    @pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
    async def test_only_post_is_served(self, mcp_url: str, desk: Desk, method: str) -> None:
        answer = await ask(mcp_url, await token_of(desk), method=method)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"
        assert answer.json()["error"]["data"]["code"] == "METHOD_NOT_ALLOWED"


class TestCredentials:
    async def test_without_a_token_it_says_where_to_get_one(self, mcp_url: str) -> None:
        answer = await ask(mcp_url, None, **modern("tools/list"))
        challenge = answer.headers["www-authenticate"]
        assert answer.status_code == 401
        assert challenge.startswith("Bearer scope=")
        assert f'"{ORIGIN}/.well-known/oauth-protected-resource/mcp"' in challenge
        assert 'scope="' in challenge
        assert "workspace:read" in challenge
        assert "error" not in challenge
        assert answer.json()["error"]["data"]["code"] == "UNAUTHENTICATED"

    async def test_a_bad_token_is_called_invalid(self, mcp_url: str) -> None:
        answer = await ask(mcp_url, "cw_nobody", **modern("tools/list"))
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]

    @pytest.mark.parametrize("name", ["access_token", "token", "api_key"])
    async def test_a_token_in_the_address_is_refused_whatever_else_there_is(
        self, mcp_url: str, desk: Desk, name: str
    ) -> None:
        token = await token_of(desk)
        with capture_logs() as logs:
            answer = await ask(f"{mcp_url}?{name}={token}", token, **modern("tools/list"))
        assert answer.status_code == 400
        assert answer.json()["error"]["data"]["code"] == "TOKEN_IN_ADDRESS"
        assert 'error="invalid_request"' in answer.headers["www-authenticate"]
        assert token not in str(logs) + answer.text + str(answer.headers)

    async def test_another_scheme_is_no_token(self, mcp_url: str, desk: Desk) -> None:
        message = modern("tools/list")
        message["headers"]["Authorization"] = f"Basic {await token_of(desk)}"
        assert (await ask(mcp_url, None, **message)).status_code == 401

    async def test_a_revoked_token_is_refused_within_a_second(self, mcp_url: str, desk: Desk) -> None:
        token = await token_of(desk)
        assert (await ask(mcp_url, token, **modern("tools/list"))).status_code == 200
        (listed,) = (await desk.call(list_tokens))["items"]
        await desk.call(revoke_token, token_id=listed["id"])
        await asyncio.sleep(1)
        assert (await ask(mcp_url, token, **modern("tools/list"))).status_code == 401


class TestForms:
    """The endpoint under its other addresses: each is a resource of its own name."""

    @pytest.mark.parametrize("form", ["", "/readonly", "/x/contacts", "/x/contacts,segments/readonly"])
    async def test_each_says_where_its_metadata_are(self, mcp_url: str, form: str) -> None:
        answer = await ask(mcp_url + form, None, **modern("tools/list"))
        assert answer.status_code == 401
        where = f'resource_metadata="{ORIGIN}/.well-known/oauth-protected-resource/mcp{form}"'
        assert where in answer.headers["www-authenticate"]

    async def test_each_shows_its_tools(self, mcp_url: str, desk: Desk) -> None:
        token = await token_of(desk)
        answer = await ask(f"{mcp_url}/x/contacts/readonly", token, **modern("tools/list"))
        names = {tool["name"] for tool in answer.json()["result"]["tools"]}
        assert "find_contacts" in names
        assert names.isdisjoint({"create_contact", "list_conversations"})

    async def test_headers_choose_too(self, mcp_url: str, desk: Desk) -> None:
        message = modern("tools/list")
        message["headers"]["X-Chatwright-Toolsets"] = "tags"
        answer = await ask(mcp_url, await token_of(desk), **message)
        assert {tool["name"] for tool in answer.json()["result"]["tools"]} >= {"list_tags", "create_tag"}

    async def test_an_unknown_toolset_is_not_found(self, mcp_url: str, desk: Desk) -> None:
        answer = await ask(f"{mcp_url}/x/cooking", await token_of(desk), **modern("tools/list"))
        assert answer.status_code == 404
        assert answer.json()["error"]["data"]["code"] == "UNKNOWN_TOOLSET"


@pytest.mark.parametrize("era", [modern, legacy])
class TestStepUp:
    async def test_a_call_beyond_the_scopes_is_told_all_that_it_needs(
        self, mcp_url: str, desk: Desk, era: Callable[..., dict[str, Any]]
    ) -> None:
        token = await token_of(desk, "contacts:read")
        message = era("tools/call", name="update_workspace", arguments={"name": "Mine"})
        answer = await ask(mcp_url, token, **message)
        assert answer.status_code == 403
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_scope"' in challenge
        assert 'scope="contacts:read workspace:write"' in challenge
        assert f'resource_metadata="{ORIGIN}/.well-known/oauth-protected-resource/mcp"' in challenge
        body = answer.json()
        assert body["id"] == 1
        assert body["error"]["data"]["code"] == "INSUFFICIENT_SCOPE"
        assert "workspace:write" in body["error"]["message"]

    @pytest.mark.parametrize(
        ("method", "params", "scopes"),
        [
            ("resources/read", {"uri": f"chatwright://contacts/{new_id()}"}, "contacts:read workspace:read"),
            ("prompts/get", {"name": "clean_up_contacts"}, "contacts:write workspace:read"),
        ],
    )
    async def test_so_is_what_reads_and_what_leads_to_tools(
        self,
        mcp_url: str,
        desk: Desk,
        era: Callable[..., dict[str, Any]],
        method: str,
        params: dict[str, str],
        scopes: str,
    ) -> None:
        answer = await ask(mcp_url, await token_of(desk, "workspace:read"), **era(method, **params))
        assert answer.status_code == 403
        challenge = answer.headers["www-authenticate"]
        assert set(scopes.split()) <= set(challenge.partition('scope="')[2].partition('"')[0].split())

    async def test_it_is_on_record(
        self, mcp_url: str, desk: Desk, era: Callable[..., dict[str, Any]]
    ) -> None:
        message = era("tools/call", name="update_workspace", arguments={"name": "Mine"})
        answer = await ask(mcp_url, await token_of(desk, "contacts:read"), **message)
        (record,) = (await desk.call(list_audit, outcome="refused"))["items"]
        assert (record["operation"], record["error"]) == ("workspace.update", "INSUFFICIENT_SCOPE")
        assert record["request_id"] == answer.headers["x-request-id"]

    async def test_a_tool_that_the_address_leaves_out_is_unknown_instead(
        self, mcp_url: str, desk: Desk, era: Callable[..., dict[str, Any]]
    ) -> None:
        message = era("tools/call", name="update_workspace", arguments={"name": "Mine"})
        answer = await ask(f"{mcp_url}/readonly", await token_of(desk, "contacts:read"), **message)
        assert answer.json()["error"]["code"] == -32602

    @pytest.mark.parametrize("name", [None, 7, "no_such_tool", {"a": 1}])
    async def test_what_is_no_call_is_left_to_the_protocol(
        self, mcp_url: str, desk: Desk, era: Callable[..., dict[str, Any]], name: Any
    ) -> None:
        message = era("tools/call", arguments=[])
        message["json"]["params"]["name"] = name
        answer = await ask(mcp_url, await token_of(desk, "contacts:read"), **message)
        assert answer.status_code != 403


class TestNeighbours:
    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8800", "localhost.evil"])
    async def test_another_host_is_misdirected(self, mcp_url: str, desk: Desk, host: str) -> None:
        message = modern("tools/list")
        message["headers"]["Host"] = host
        assert (await ask(mcp_url, await token_of(desk), **message)).status_code == 421

    @pytest.mark.parametrize("host", ["localhost:1234", "CHAT.example.com", "127.0.0.1"])
    async def test_its_own_names_are_answered_at_any_port(self, mcp_url: str, desk: Desk, host: str) -> None:
        message = modern("tools/list")
        message["headers"]["Host"] = host
        assert (await ask(mcp_url, await token_of(desk), **message)).status_code == 200

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            (ORIGIN, 200),
            ("http://localhost:5173", 200),
            ("https://evil.example", 403),
            (f"{ORIGIN}.evil.example", 403),
            ("http://chat.example.com", 403),
            ("null", 403),
        ],
    )
    async def test_pages_of_other_origins_are_refused(
        self, mcp_url: str, desk: Desk, origin: str, status: int
    ) -> None:
        message = modern("tools/list")
        message["headers"]["Origin"] = origin
        assert (await ask(mcp_url, await token_of(desk), **message)).status_code == status


class TestBody:
    async def test_too_much_is_refused(self, mcp_url: str, desk: Desk) -> None:
        message = modern("tools/call", name="update_workspace", arguments={"name": "x" * 200_000})
        answer = await ask(mcp_url, await token_of(desk), **message)
        assert answer.status_code == 413
        assert answer.json()["error"]["data"]["code"] == "PAYLOAD_TOO_LARGE"

    async def test_too_much_without_a_declared_length_is_refused(self, mcp_url: str, desk: Desk) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(200):
                yield b" " * 1000

        headers = {"Authorization": f"Bearer {await token_of(desk)}", "Content-Type": "application/json"}
        async with httpx2.AsyncClient() as http:
            answer = await http.post(mcp_url, content=endless(), headers=headers)
        assert answer.status_code == 413

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"{", -32700),
            (b"[]", -32600),
            (b'[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]', -32600),
            (b'"hello"', -32600),
            (b"", -32700),
        ],
        ids=["broken", "empty batch", "batch", "text", "nothing"],
    )
    async def test_what_is_no_message_is_refused(
        self, mcp_url: str, desk: Desk, body: bytes, code: int
    ) -> None:
        headers = {"MCP-Protocol-Version": "2026-07-28", "Content-Type": "application/json"}
        answer = await ask(mcp_url, await token_of(desk), content=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == code


class TestHeadersOfTheModernEra:
    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("Mcp-Method", "tools/list"),
            ("Mcp-Name", "update_workspace"),
            ("MCP-Protocol-Version", None),
            ("Mcp-Method", None),
            ("Mcp-Name", None),
        ],
    )
    async def test_they_must_say_what_the_body_says(
        self, mcp_url: str, desk: Desk, header: str, value: str | None
    ) -> None:
        message = modern("tools/call", name="get_workspace", arguments={})
        del message["headers"][header]
        if value is not None:
            message["headers"][header] = value
        answer = await ask(mcp_url, await token_of(desk), **message)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == -32020
        assert answer.json()["id"] == 1

    async def test_space_around_a_header_is_not_part_of_it(self, mcp_url: str, desk: Desk) -> None:
        message = modern("tools/call", name="get_workspace", arguments={})
        headers = {
            **message["headers"],
            "Mcp-Name": "  get_workspace \t",
            "Host": "localhost",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {await token_of(desk)}",
            "Connection": "close",
        }
        body = json.dumps(message["json"]).encode()
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(["POST /mcp HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""])
        # Clients of our own would refuse to send such a header.
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx2.URL(mcp_url).port)
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200"), answer

    async def test_an_unknown_revision_is_told_which_are_known(self, mcp_url: str, desk: Desk) -> None:
        message = modern("tools/list")
        message["headers"]["MCP-Protocol-Version"] = "2099-01-01"
        message["json"]["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2099-01-01"
        answer = await ask(mcp_url, await token_of(desk), **message)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == -32022
        assert answer.json()["error"]["data"]["supported"] == ["2026-07-28"]

    async def test_an_unknown_method_is_not_found(self, mcp_url: str, desk: Desk) -> None:
        answer = await ask(mcp_url, await token_of(desk), **modern("tools/sell"))
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == -32601


class TestAnswers:
    @pytest.mark.parametrize("era", [modern, legacy])
    async def test_who_takes_json_alone_gets_json(
        self, mcp_url: str, desk: Desk, era: Callable[..., dict[str, Any]]
    ) -> None:
        message = era("tools/list")
        message["headers"]["Accept"] = "application/json"
        answer = await ask(mcp_url, await token_of(desk), **message)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["result"]["tools"]

    async def test_who_asks_for_progress_in_the_older_era_gets_a_stream(
        self, mcp_url: str, desk: Desk
    ) -> None:
        message = legacy("tools/call", name="get_workspace", arguments={}, _meta={"progressToken": 7})
        answer = await ask(mcp_url, await token_of(desk), **message)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert '"structuredContent"' in answer.text

    async def test_each_carries_the_id_that_the_audit_trail_knows(self, mcp_url: str, desk: Desk) -> None:
        message = modern("tools/call", name="update_workspace", arguments={"name": "Renamed"})
        message["json"]["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = {
            "name": "inspector",
            "version": "2.1",
        }
        answer = await ask(mcp_url, await token_of(desk), **message)
        record: dict[str, Any] = (await desk.call(list_audit))["items"][0]
        assert answer.headers["x-request-id"] == record["request_id"]
        assert record["surface"] == "mcp"
        assert record["client"] == "inspector/2.1"
