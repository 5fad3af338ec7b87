"""Which tools a request wants to see, read from its URL and headers."""

from collections.abc import Mapping

import pytest
from hypothesis import given, strategies as st

from chatwright.catalogue import CATALOGUE, TOOLSETS
from chatwright.kernel.caller import Surface
from chatwright.kernel.errors import InvalidInput, NotFound
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.operations import register_operations
from chatwright.ports.toolsets import operations_of, register_toolsets
from chatwright.surfaces.mcp.selection import (
    DEFAULT,
    Selection,
    UnknownTool,
    UnknownToolset,
    read_selection,
)

NONE: Mapping[str, str] = {}


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    """The names there are, as every process of the product makes them known."""
    register_operations(CATALOGUE)
    register_toolsets(TOOLSETS)


class TestToolsets:
    def test_every_noun_is_one(self) -> None:
        for noun in {operation.noun for operation in CATALOGUE}:
            assert TOOLSETS[noun] == {operation.name for operation in CATALOGUE if operation.noun == noun}

    def test_a_vanished_one_holds_nothing(self) -> None:
        assert operations_of(["tags", "forgotten"]) == TOOLSETS["tags"]
        assert operations_of([]) == frozenset()


class TestReading:
    @pytest.mark.parametrize(
        ("path", "headers", "selection"),
        [
            ("/mcp", NONE, DEFAULT),
            ("/mcp/readonly", NONE, Selection(read_only=True)),
            ("/mcp/x/agent", NONE, Selection(frozenset({"agent"}))),
            ("/mcp/x/Agent, tags", NONE, Selection(frozenset({"agent", "tags"}))),
            ("/mcp/x/tags/readonly", NONE, Selection(frozenset({"tags"}), read_only=True)),
            ("/mcp", {"x-chatwright-toolsets": "tags,notes"}, Selection(frozenset({"tags", "notes"}))),
            ("/mcp", {"x-chatwright-toolsets": " , "}, DEFAULT),
            ("/mcp/x/tags", {"x-chatwright-toolsets": "admin"}, Selection(frozenset({"tags"}))),
            ("/mcp", {"x-chatwright-readonly": "TRUE"}, Selection(read_only=True)),
            ("/mcp", {"x-chatwright-readonly": "0"}, DEFAULT),
            ("/mcp/readonly", {"x-chatwright-readonly": "false"}, Selection(read_only=True)),
            (
                "/mcp",
                {"x-chatwright-exclude": "send_message, search_tools"},
                Selection(excluded=frozenset({"send_message", "search_tools"})),
            ),
        ],
    )
    def test_url_and_headers(self, path: str, headers: Mapping[str, str], selection: Selection) -> None:
        assert read_selection(path, headers) == selection

    def test_an_unknown_toolset_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(UnknownToolset, match="'agnt'") as caught:
            read_selection("/mcp/x/agnt", NONE)
        assert "agent, marketer, builder, analyst, admin" in (caught.value.hint or "")

    def test_a_misspelt_tool_is_not_silently_left_in(self) -> None:
        with pytest.raises(UnknownTool) as caught:
            read_selection("/mcp", {"x-chatwright-exclude": "send_mesage"})
        assert "send_message" in (caught.value.hint or "")

    def test_all_tools_can_be_named_and_no_more_than_that_is_read(self) -> None:
        tools = [operation.tool for operation in CATALOGUE if Surface.MCP in operation.surfaces]
        assert read_selection("/mcp", {"x-chatwright-exclude": ", ".join(tools)}).excluded == set(tools)
        with pytest.raises(InvalidInput, match="at most"):
            read_selection("/mcp", {"x-chatwright-toolsets": "tags," * 2_000})

    def test_what_is_neither_yes_nor_no_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="'maybe'"):
            read_selection("/mcp", {"x-chatwright-readonly": "maybe"})

    @pytest.mark.parametrize(
        "path",
        ["/mcp/", "/mcp/x/tags/", "/mcpx", "/mcp/x", "/mcp/x/", "/mcp/tags", "/mcp/x/a/b", "/mcp/readonly/x"],
    )
    def test_other_paths_are_none_of_ours(self, path: str) -> None:
        with pytest.raises(NotFound):
            read_selection(path, NONE)


SELECTIONS = st.builds(
    Selection,
    st.frozensets(st.sampled_from(sorted(TOOLSETS)), max_size=3),
    st.booleans(),
    st.frozensets(st.sampled_from([operation.tool for operation in CATALOGUE]), max_size=3),
)


class TestNarrowing:
    @given(SELECTIONS, st.sampled_from(CATALOGUE))
    def test_only_what_was_chosen_can_be_called_and_only_that_is_shown(
        self, selection: Selection, operation: AnyOperation
    ) -> None:
        if selection.shows(operation):
            assert selection.allows(operation)
        if selection.allows(operation):
            assert operation.tool not in selection.excluded
            assert not (selection.read_only and operation.writes)
            assert not selection.toolsets or operation.name in operations_of(selection.toolsets)

    def test_nothing_chosen_shows_the_default_ones_and_allows_all(self) -> None:
        assert {op.name for op in CATALOGUE if DEFAULT.shows(op)} == TOOLSETS["default"]
        assert all(DEFAULT.allows(operation) for operation in CATALOGUE)
