"""What each of Meta's codes asks of us, from the body of an answer and from a webhook alike."""

from collections import Counter
from collections.abc import Mapping
from itertools import chain
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from chatwright.net.graph.errors import Refusal, read_refusal, refusal_in
from chatwright.net.graph.reactions import RULES
from chatwright.net.http import Answer
from chatwright.ports.sending import Reaction

EXPECTED: Mapping[Reaction, str] = {
    Reaction.RETRY: "1 2 131000 131016 131053 133004 131057 135000 100/2018008",
    Reaction.RETRY_AFTER: "4 17 32 341 613 80001 80005 80007 130429 131056 131048 133016",
    Reaction.REFRESH_TOKEN: "190 190/0 190/12345 102 0",
    Reaction.RECONNECT: "190/463 190/460 190/458 190/467 190/459 190/464 100/33 33 3 10 200 229 299 131005 10/2018065",
    Reaction.WINDOW_CLOSED: "131047 10/2018278 10/2534022 100/2018028",
    Reaction.OPTED_OUT: "131050",
    Reaction.UNREACHABLE: "230 131026 131021 131030 130497 551 551/1545041 200/1545041 10/2018108 100/2018001",
    Reaction.BAD_PAYLOAD: (
        "100 131008 131009 131051 131052 132000 132001 132005 132007 132008 132012 132018 131055 131062"
        " 134100 134101 134102 132068 132069 132015 132016 131063 131049 130472 131020 131041 131059 131201 131215"
        " 100/2018047 100/2018015 100/2018053 100/2018040 100/2018041 100/2018109 100/2388019 100/2494010 10900 10903"
    ),
    Reaction.PAUSE_CHANNEL: "131031 368 131042 131064 131037 131045 133010 10/1893063 2/2018344 2022 10904",
}
CASES = [(label, reaction) for reaction, labels in EXPECTED.items() for label in labels.split()]


def refusal(label: str, status: int | None = 400) -> Refusal:
    """As a body words it, with the type that Meta gives nearly all of them."""
    code, _, subcode = label.partition("/")
    error: dict[str, Any] = {"message": "No.", "type": "OAuthException", "code": int(code)}
    return read_refusal(error | ({"error_subcode": int(subcode)} if subcode else {}), status)


def answer(status: int, body: object) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else orjson.dumps(body))


@pytest.mark.parametrize(("label", "reaction"), CASES)
def test_a_code_asks_for_the_same_in_an_answer_and_in_a_webhook(label: str, reaction: Reaction) -> None:
    assert refusal(label).reaction is reaction
    assert refusal(label, None).reaction is reaction
    assert refusal(label, 500).reaction is reaction


def test_no_code_stands_twice_in_the_table() -> None:
    found = Counter(chain.from_iterable(rule.codes for rule in RULES))
    assert [code for code, times in found.items() if times > 1] == []


def test_every_rule_names_its_source_and_has_words() -> None:
    assert [rule for rule in RULES if not rule.source or not rule.words.endswith(".")] == []


def test_only_the_pair_waits_where_the_pair_is_at_fault() -> None:
    assert refusal("131056").scope == "pair"
    assert refusal("130429").scope == "inbox"


@pytest.mark.parametrize(
    ("status", "error", "reaction"),
    [
        (400, {"code": 7_777_777}, Reaction.BAD_PAYLOAD),
        (400, {"code": 7_777_777, "is_transient": True}, Reaction.RETRY),
        (429, {"code": 7_777_777}, Reaction.RETRY_AFTER),
        (401, {"code": 7_777_777}, Reaction.REFRESH_TOKEN),
        (403, {"code": 7_777_777}, Reaction.BAD_PAYLOAD),
        (500, {"code": 7_777_777}, Reaction.RETRY),
        (503, {}, Reaction.RETRY),
        (500, {}, Reaction.UNKNOWN),
    ],
)
def test_an_unknown_code_is_judged_by_its_status(
    status: int, error: Mapping[str, Any], reaction: Reaction
) -> None:
    found = refusal_in(answer(status, {"error": {"type": "OAuthException", **error}}))
    assert found is not None
    assert found.reaction is reaction


@pytest.mark.parametrize(
    ("status", "reaction"),
    [(502, Reaction.UNKNOWN), (504, Reaction.UNKNOWN), (503, Reaction.RETRY), (413, Reaction.BAD_PAYLOAD)],
)
def test_a_page_of_a_server_on_the_way_is_no_word_of_the_api(status: int, reaction: Reaction) -> None:
    found = refusal_in(answer(status, b"<html>Bad gateway</html>"))
    assert found is not None
    assert found.reaction is reaction
    assert found.label == f"HTTP {status}"


def test_a_good_answer_is_no_refusal() -> None:
    assert refusal_in(answer(200, {"success": True})) is None
    assert refusal_in(answer(200, b"")) is None


def test_an_error_with_a_status_of_success_is_one() -> None:
    found = refusal_in(answer(200, {"error": {"code": 131047}}))
    assert found is not None
    assert found.reaction is Reaction.WINDOW_CLOSED


def test_details_are_read_whether_they_are_an_object_or_a_text() -> None:
    inside = read_refusal(
        {"code": "100", "error_data": {"messaging_product": "whatsapp", "details": "Too long"}}
    )
    plain = read_refusal({"code": 100, "error_data": "Too long", "error_subcode": "33"})
    assert inside.details == plain.details == "Too long"
    assert (inside.label, plain.label) == ("100", "100/33")
    assert "Too long" in inside.words


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["code", "error_subcode", "message", "error_data", "details", "is_transient"]
                ),
                inner,
            )
        ),
    )
)
def test_any_error_is_read(error: object) -> None:
    found = read_refusal(error, 400)
    assert found.reaction in Reaction
    assert found.words
