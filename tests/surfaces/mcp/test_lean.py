"""What tools cost a model: budgets, a gate against slow growth, and lean schemas that never lie."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jsonschema import Draft202012Validator

from chatwright.catalogue import CATALOGUE, TOOLSETS
from chatwright.features.contacts.operations import filter_contacts
from chatwright.features.messaging.operations import assign_conversation, send_message
from chatwright.kernel.caller import Surface
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.mcp.costs import BYTES_PER_TOKEN, MOST_BY_DEFAULT, MOST_PER_TOOL, tokens_of
from chatwright.surfaces.mcp.lean import lean_tool, short
from chatwright.surfaces.mcp.schemas import full_input_schema, full_output_schema
from tests.conftest import Desk
from tests.surfaces.mcp.server import ERAS, ask, legacy, modern, token_of

GROWTH = 1.10
"""How much a tool may grow before somebody has to say that it is worth it."""
RECORDED = Path(__file__).with_name("tool_costs.json")
"""What tools cost when somebody last looked: `chatwright mcp inspect --toolsets all --json` writes it."""

SHOWN = [operation for operation in CATALOGUE if Surface.MCP in operation.surfaces]
every_tool = pytest.mark.parametrize("operation", SHOWN, ids=lambda operation: operation.tool)


class TestCosts:
    @every_tool
    def test_no_tool_is_dear(self, operation: AnyOperation) -> None:
        assert tokens_of(lean_tool(operation)) <= MOST_PER_TOOL

    @pytest.mark.parametrize("era", [modern, legacy], ids=ERAS)
    async def test_the_default_list_is_cheap_as_it_comes_over_the_wire(
        self, mcp_url: str, desk: Desk, era: Any
    ) -> None:
        tools = (await ask(mcp_url, await token_of(desk), **era("tools/list"))).json()["result"]["tools"]
        tokens = [_wire_tokens(tool) for tool in tools]
        assert 15 <= len(tools) <= 22
        assert max(tokens) <= MOST_PER_TOOL
        assert sum(tokens) < MOST_BY_DEFAULT

    def test_what_is_counted_is_what_is_sent(self) -> None:
        tool = lean_tool(send_message)
        sent = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
        assert _wire_tokens(sent) == tokens_of(tool)

    def test_nothing_grows_unnoticed(self) -> None:
        recorded = {tool["name"]: tool["tokens"] for tool in json.loads(RECORDED.read_text())["tools"]}
        now = {operation.tool: tokens_of(lean_tool(operation)) for operation in SHOWN}
        grown = {
            name: (recorded[name], tokens)
            for name, tokens in now.items()
            if name in recorded and tokens > recorded[name] * GROWTH
        }
        assert grown == {}, "worth it? then record anew: chatwright mcp inspect --toolsets all --json"
        default = {operation.tool for operation in SHOWN if operation.name in TOOLSETS["default"]}
        known = default & recorded.keys()
        assert sum(now[name] for name in default) <= GROWTH * sum(recorded[name] for name in known)


class TestTruth:
    @every_tool
    def test_inputs_have_the_same_fields_as_the_whole_schema(self, operation: AnyOperation) -> None:
        lean, whole = lean_tool(operation).input_schema, full_input_schema(operation)
        Draft202012Validator.check_schema(lean)
        assert lean["properties"].keys() == whole["properties"].keys()
        assert lean.get("required") == whole.get("required")
        assert lean["additionalProperties"] is False

    @every_tool
    def test_outputs_name_only_fields_there_are(self, operation: AnyOperation) -> None:
        lean, whole = lean_tool(operation).output_schema, full_output_schema(operation)
        assert lean is not None
        Draft202012Validator.check_schema(lean)
        assert lean["type"] == "object"
        assert lean.get("properties", {}).keys() <= whole["properties"].keys()

    @every_tool
    def test_no_schema_carries_noise(self, operation: AnyOperation) -> None:
        tool = lean_tool(operation)
        wholes = (full_input_schema(operation), full_output_schema(operation))
        for schema, whole in zip((tool.input_schema, tool.output_schema), wholes, strict=True):
            text = json.dumps(schema)
            assert '"title": "' not in text
            assert "$ref" not in text
            assert '"null"' not in text or '"null"' in json.dumps(whole)

    @every_tool
    def test_every_argument_has_a_type(self, operation: AnyOperation) -> None:
        """The Inspector warns of one that takes anything, and models guess what to give it."""
        for name, field in lean_tool(operation).input_schema["properties"].items():
            assert field.keys() & {"type", "enum", "anyOf"}, name

    @pytest.mark.parametrize("assignee", [None, "01a20674-234e-71e8-87ca-272539b98fa8"])
    def test_a_value_that_may_be_null_stays_so(self, assignee: str | None) -> None:
        arguments = {"conversation_id": "01a20674-234e-71e8-87ca-272539b98fa8", "assignee_id": assignee}
        jsonschema.validate(arguments, full_input_schema(assign_conversation))
        jsonschema.validate(arguments, lean_tool(assign_conversation).input_schema)

    @pytest.mark.parametrize(
        "arguments",
        [
            {"filter": {"type": "tag", "operator": "any_of", "tags": ["vip"]}},
            {
                "filter": {
                    "type": "and",
                    "filters": [
                        {"type": "text", "field": "fields.city", "operator": "equals", "value": "Huế"},
                        {
                            "type": "not",
                            "filter": {"type": "boolean", "field": "blocked", "operator": "is_true"},
                        },
                    ],
                },
                "limit": 5,
                "cursor": "x",
                "detail": "full",
            },
        ],
    )
    def test_what_fits_the_whole_schema_fits_the_lean_one(self, arguments: dict[str, Any]) -> None:
        jsonschema.validate(arguments, full_input_schema(filter_contacts))
        jsonschema.validate(arguments, lean_tool(filter_contacts).input_schema)


class TestWords:
    def test_every_kind_of_a_filter_is_told_with_its_fields(self) -> None:
        schema = lean_tool(filter_contacts).input_schema["properties"]["filter"]
        whole = full_input_schema(filter_contacts)["$defs"]["Filter"]["oneOf"]
        assert len(schema["properties"]["type"]["enum"]) == len(whole)
        for words in (
            "and {filters: [filter]}",
            "not {filter: filter}",
            "tag {operator: any_of|all_of|none_of, tags: [string]}",
            "days?: integer",
            "fields.shoe_size",
        ):
            assert words in schema["description"]

    def test_the_common_kinds_of_a_message_are_told(self) -> None:
        schema = lean_tool(send_message).input_schema["properties"]["content"]
        for words in (
            "media {kind: image|video|audio|voice|sticker|file, attachment_id?, url?",
            "quick_replies {text, replies: [button]}",
            "template {name, language, parameters?: object}",
            "search_tools tells the others",
        ):
            assert words in schema["description"]

    def test_descriptions_are_whole_sentences(self) -> None:
        text = "Send it. It goes out\nat most once. Nothing else happens."
        assert short(text, 40) == "Send it. It goes out at most once."
        assert short(text, 3) == "Send it."


def _wire_tokens(tool: dict[str, Any]) -> int:
    text = json.dumps(tool, separators=(",", ":"), ensure_ascii=False)
    return -(-len(text.encode()) // BYTES_PER_TOKEN)
