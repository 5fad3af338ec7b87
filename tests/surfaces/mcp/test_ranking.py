"""How well requests find their tools: the committed ones, and the rules of reading one by one."""

import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chatwright.catalogue import CATALOGUE
from chatwright.kernel.caller import Surface
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.mcp.finding import described
from chatwright.surfaces.mcp.ranking import Described, Ranking, shipped_vocabulary

SHOWN = [operation for operation in CATALOGUE if Surface.MCP in operation.surfaces]
VOCABULARY = shipped_vocabulary()
REQUESTS: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("requests.toml").read_text("utf-8"))[
    "requests"
]
HELD_OUT = [request for request in REQUESTS if request.get("held_out")]
OTHERS = [request for request in REQUESTS if not request.get("held_out")]


@pytest.fixture(scope="module")
def ranking() -> Ranking[AnyOperation]:
    return Ranking([described(operation, VOCABULARY) for operation in SHOWN], VOCABULARY)


def found(ranking: Ranking[AnyOperation], request: str, limit: int = 3) -> list[str]:
    return [operation.tool for operation in ranking.find(request, lambda _: True, limit)]


def shares(ranking: Ranking[AnyOperation], requests: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """How many of the requests have a right tool first, and among the first three; the others are printed."""
    first = among = 0
    for request in requests:
        tools = found(ranking, request["ask"])
        first += tools[:1] != [] and tools[0] in request["tools"]
        among += not set(tools).isdisjoint(request["tools"])
        if not request.get("held_out") and tools[:1] != request["tools"]:
            print(f"{request['ask']}: {', '.join(tools)}")  # noqa: T201 - for who mends the vocabulary.
    return first / len(requests), among / len(requests)


class TestRequests:
    def test_there_are_enough_of_every_kind(self) -> None:
        assert len(REQUESTS) >= 120
        assert len(HELD_OUT) * 4 >= len(REQUESTS)
        assert sum(bool(request.get("rough")) for request in REQUESTS) * 4 >= len(REQUESTS)
        for language in ("en", "vi"):
            assert sum(request["language"] == language for request in REQUESTS) >= 0.45 * len(REQUESTS)
        assert len({request["ask"] for request in REQUESTS}) == len(REQUESTS)

    def test_their_tools_exist_and_cover_every_noun(self) -> None:
        nouns = {operation.tool: operation.noun for operation in SHOWN}
        asked_for = {tool for request in REQUESTS for tool in request["tools"]}
        assert asked_for <= nouns.keys()
        assert {nouns[tool] for tool in asked_for} == set(nouns.values())

    def test_those_held_out_are_no_phrases_of_the_vocabulary(self) -> None:
        phrases = {phrase.casefold() for phrases in VOCABULARY.tools.values() for phrase in phrases}
        assert phrases.isdisjoint(request["ask"].casefold() for request in HELD_OUT)

    @pytest.mark.parametrize("part", [HELD_OUT, OTHERS], ids=["held out", "others"])
    def test_they_find_their_tools(
        self, ranking: Ranking[AnyOperation], part: Sequence[dict[str, Any]]
    ) -> None:
        first, among = shares(ranking, part)
        print(f"{len(part)} requests: top-1 {first:.3f}, top-3 {among:.3f}")  # noqa: T201 - the measure itself.
        assert first >= 0.80
        assert among >= 0.95

    def test_none_takes_long(self, ranking: Ranking[AnyOperation]) -> None:
        spent = time.process_time()
        for request in REQUESTS:
            found(ranking, request["ask"])
        # Processor time, so that a busy machine does not fail it; usually it is about 1 ms.
        assert (time.process_time() - spent) / len(REQUESTS) < 0.005

    def test_the_longest_takes_not_much_longer(self, ranking: Ranking[AnyOperation]) -> None:
        spent = time.process_time()
        found(ranking, " ".join(f"{number}abcdefghijklmnopqrstuvwxyz" for number in range(20))[:500])
        assert time.process_time() - spent < 0.1


class TestVocabulary:
    def test_every_tool_has_its_words_and_nothing_else_has(self) -> None:
        assert VOCABULARY.tools.keys() == {operation.tool for operation in SHOWN}
        assert all(len(phrases) >= 2 for phrases in VOCABULARY.tools.values())

    def test_a_tool_is_found_by_each_of_its_phrases(self, ranking: Ranking[AnyOperation]) -> None:
        lost = [
            (phrase, tool)
            for tool, phrases in VOCABULARY.tools.items()
            for phrase in phrases
            if tool not in found(ranking, phrase)
        ]
        assert lost == []

    def test_a_tool_is_found_by_its_name(self, ranking: Ranking[AnyOperation]) -> None:
        lost = [each.tool for each in SHOWN if found(ranking, each.tool)[0] != each.tool]
        assert lost == []


class TestReading:
    @pytest.mark.parametrize(
        ("request_", "tool"),
        [
            ("xoá nhãn", "delete_tag"),
            ("xóa nhãn", "delete_tag"),
            ("xoa nhan", "delete_tag"),
            ("XOÁ NHÃN", "delete_tag"),
            ("xo\u0301a nha\u0303n", "delete_tag"),
            ("delete labels", "delete_tag"),
            ("deleting a label", "delete_tag"),
            ("labels deleted", "delete_tag"),
            ("delte lable", "delete_tag"),
            ("đóng hội thoại", "close_conversation"),
            ("dong hoi thoai", "close_conversation"),
            ("dong hoithoai", "close_conversation"),
            ("gộp khách trùng", "merge_contacts"),
            ("gop khahc hang trung", "merge_contacts"),
            ("start_contact_export", "start_contact_export"),
        ],
    )
    def test_however_it_is_written_it_means_the_same(
        self, ranking: Ranking[AnyOperation], request_: str, tool: str
    ) -> None:
        assert found(ranking, request_)[0] == tool

    @pytest.mark.parametrize("request_", ["", "   ", "?!", "qqqq wwww", "the of and", "của và là", "🙂"])
    def test_what_says_nothing_finds_nothing(self, ranking: Ranking[AnyOperation], request_: str) -> None:
        assert found(ranking, request_) == []

    def test_an_english_article_is_no_vietnamese_tag(self, ranking: Ranking[AnyOperation]) -> None:
        assert "list_tags" not in found(ranking, "the workspace")
        assert found(ranking, "thẻ")[0].endswith("_tag") or "tags" in found(ranking, "thẻ")[0]

    def test_names_are_not_taken_for_misspelt_words(self, ranking: Ranking[AnyOperation]) -> None:
        assert found(ranking, "send Sedn a message") == found(ranking, "send a message")
        assert found(ranking, "send sedn a mesage") == found(ranking, "send a message")

    @pytest.mark.parametrize(
        ("request_", "other"),
        [("the message has shipped", "the message has skipped"), ("downgrade contacts", "download contacts")],
    )
    def test_other_words_are_not_taken_for_misspelt_ones(
        self, ranking: Ranking[AnyOperation], request_: str, other: str
    ) -> None:
        assert found(ranking, request_, 20) != found(ranking, other, 20)

    def test_the_same_request_finds_the_same_in_the_same_order(self) -> None:
        twice = [Ranking([described(each, VOCABULARY) for each in SHOWN], VOCABULARY) for _ in range(2)]
        for request in OTHERS:
            one, other = (found(each, request["ask"], 10) for each in twice)
            assert one == other

    def test_only_what_is_among_the_allowed_is_found(self, ranking: Ranking[AnyOperation]) -> None:
        reading = ranking.find("delete a tag", lambda each: not each.writes, 20)
        assert reading
        assert all(not each.writes for each in reading)


class TestExtensions:
    """Things that the vocabulary has no line for."""

    @pytest.mark.parametrize(
        ("request_", "key"),
        [
            ("where is my order", "find_orders"),
            ("refund an ordr", "refund_order"),
            ("pay the sale back", "refund_order"),
            ("hoàn tác đơn", "refund_order"),
            ("warehouses", "count_stock"),
        ],
    )
    def test_they_are_found_by_their_descriptions(self, request_: str, key: str) -> None:
        orders = [
            Described("find_orders", "find_orders", texts=[(0.8, "Find a customer's orders.")], answers=True),
            Described(
                "refund_order", "refund_order", texts=[(0.8, "Pay an order back. It undoes the sale.")]
            ),
            Described(
                "count_stock",
                "count_stock",
                texts=[(0.8, "Say how much is left in the warehouse.")],
                answers=True,
            ),
        ]
        ranking = Ranking(orders, VOCABULARY)
        assert ranking.find(request_, lambda _: True, 1) == [key]

    def test_one_whose_name_says_nothing_is_found_by_its_text(self) -> None:
        ranking = Ranking([Described("it", "it", texts=[(0.8, "Count the stock.")])], VOCABULARY)
        assert ranking.find("stock", lambda _: True, 1) == ["it"]
