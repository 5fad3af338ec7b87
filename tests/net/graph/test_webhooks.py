"""Meta's webhooks: who may bring them, and what is cut out of them."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from chatwright.kernel.errors import Forbidden, InvalidInput, Unauthenticated
from chatwright.net.graph.webhooks import (
    Change,
    changes_in,
    fingerprint,
    handshake,
    is_replay,
    proof_of,
    verify_signature,
)
from chatwright.net.reading import as_code, as_moment, as_text

# As Meta writes it: escaped, so that whoever makes it anew gets other bytes.
BODY = b'{"object":"page","entry":[{"id":"1","note":"caf\\u00e9 \\ud83d\\ude00 a\\/b"}]}'


def signed(secret: str, body: bytes = BODY) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class TestSignature:
    def test_any_of_several_secrets_will_do(self) -> None:
        for secret in ("old", "new"):
            verify_signature(BODY, signed(secret), ["old", "new"])

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "sha256=",
            signed("other"),
            signed("old").upper(),
            signed("old")[:-1],
            signed("old").removeprefix("sha256="),
            "sha1=" + hmac.new(b"old", BODY, hashlib.sha1).hexdigest(),
            "sha256=é",
            signed("old", orjson.dumps(orjson.loads(BODY))),
        ],
    )
    def test_anything_else_is_refused(self, header: str | None) -> None:
        with pytest.raises(Unauthenticated):
            verify_signature(BODY, header, ["old", "new"])

    @pytest.mark.parametrize("secrets", [[], [""]])
    def test_without_a_secret_nothing_is_believed(self, secrets: list[str]) -> None:
        with pytest.raises(Unauthenticated):
            verify_signature(BODY, signed(""), secrets)

    @given(at=st.integers(0, len(BODY) - 1), other=st.integers(1, 255))
    def test_one_byte_altered_is_too_much(self, at: int, other: int) -> None:
        altered = BODY[:at] + bytes([BODY[at] ^ other]) + BODY[at + 1 :]
        with pytest.raises(Unauthenticated):
            verify_signature(altered, signed("old"), ["old"])

    def test_the_proof_of_a_call_is_the_token_under_the_secret(self) -> None:
        # `printf token | openssl dgst -sha256 -hmac secret`
        assert proof_of("token", "secret") == hmac.new(b"secret", b"token", "sha256").hexdigest()


ASKED = {"hub.mode": "subscribe", "hub.verify_token": "tök", "hub.challenge": "1158201444"}


class TestHandshake:
    def test_the_challenge_comes_back_as_it_is(self) -> None:
        assert handshake(ASKED, "tök") == "1158201444"

    @pytest.mark.parametrize(
        "wrong", [{"hub.verify_token": "x"}, {"hub.mode": "unsubscribe"}, {"hub.mode": ""}]
    )
    def test_whoever_does_not_know_the_token_is_refused(self, wrong: dict[str, str]) -> None:
        with pytest.raises(Forbidden):
            handshake(ASKED | wrong, "tök")

    def test_an_empty_token_opens_nothing(self) -> None:
        with pytest.raises(Forbidden):
            handshake(ASKED | {"hub.verify_token": ""}, "")


def cut(*entries: object, about: str = "page") -> list[Change]:
    return changes_in(orjson.dumps({"object": about, "entry": entries}))


class TestCutting:
    def test_several_entries_with_several_parts_each(self) -> None:
        found = cut(
            {
                "id": "1",
                "time": 5,
                "changes": [{"field": "feed", "value": {"a": 1}}, {"field": "mention", "value": 2}],
            },
            {"id": 2, "messaging": [{"m": 1}, {"m": 2}], "standby": [{"s": 1}]},
        )
        assert found == [
            Change("page", "1", "feed", {"a": 1}, 5),
            Change("page", "1", "mention", 2, 5),
            Change("page", "2", "messaging", {"m": 1}),
            Change("page", "2", "messaging", {"m": 2}),
            Change("page", "2", "standby", {"s": 1}),
        ]

    def test_instagram_puts_the_change_on_the_entry(self) -> None:
        assert cut({"id": "1", "field": "comments", "value": {"id": "9"}}, about="instagram") == [
            Change("instagram", "1", "comments", {"id": "9"})
        ]

    @pytest.mark.parametrize(
        "call",
        [
            [],
            1,
            None,
            {"object": "page"},
            {"object": "page", "entry": {}},
            {"object": "page", "entry": [7]},
            {"object": "page", "entry": [{"id": "1", "changes": [{"value": 1}]}]},
            {"object": "page", "entry": [{"id": "1", "surprise": 1}]},
        ],
    )
    def test_another_shape_is_kept_whole(self, call: Any) -> None:
        (found,) = changes_in(orjson.dumps(call))
        assert found.field == ""
        assert orjson.dumps(found.value) in orjson.dumps(call)

    def test_half_an_emoji_does_not_lose_the_webhook(self) -> None:
        (found,) = changes_in(
            b'{"object":"page","entry":[{"id":"1","field":"f","value":{"text":"hi \\ud83d"}}]}'
        )
        assert found.value == {"text": "hi \N{REPLACEMENT CHARACTER}"}

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
    def test_what_is_no_json_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidInput):
            changes_in(body)

    @given(st.binary())
    def test_any_bytes_are_cut_or_refused(self, body: bytes) -> None:
        try:
            changes_in(body)
        except InvalidInput:
            return

    def test_equal_events_have_one_fingerprint(self) -> None:
        assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1}) != fingerprint({"a": 1})


class TestReading:
    def test_seconds_and_milliseconds_are_told_apart(self) -> None:
        for value in (1_790_000_000, "1790000000", 1_790_000_000_000, "1790000000000"):
            assert as_moment(value) == datetime.fromtimestamp(1_790_000_000, UTC)

    @pytest.mark.parametrize("value", [None, "", "soon", 0, -5, True, "nan", "inf", 10**40, {}, 1e300])
    def test_what_is_no_time_is_none(self, value: object) -> None:
        assert as_moment(value) is None

    def test_ids_are_texts_however_they_come(self) -> None:
        assert (as_text(17), as_text("17"), as_text(value=True), as_text(""), as_text([])) == (
            "17",
            "17",
            None,
            None,
            None,
        )
        assert (as_code("190"), as_code(190.0), as_code("x"), as_code(float("inf"))) == (190, 190, None, None)

    def test_only_what_is_older_than_every_retry_was_played_back(self) -> None:
        now = datetime.now(UTC)
        assert is_replay(now - timedelta(days=30))
        assert not is_replay(now - timedelta(days=7))
        assert not is_replay(now + timedelta(days=1))
        assert not is_replay(None)
