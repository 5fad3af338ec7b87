"""The caller of a running server, where the network and strangers in between misbehave."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from chatwright.client import server as module
from chatwright.client.errors import CallFailed
from chatwright.client.server import Server
from chatwright.features.messaging.operations import list_conversations
from chatwright.features.workspaces.operations import create_token, get_workspace, update_workspace
from chatwright.kernel.caller import Caller
from chatwright.kernel.operation import Effect, Input, Output, operation


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_SECONDS", (0.0, 0.0))


class Wire:
    """Stands where the network is: plays answers and failures in turn, and keeps the requests."""

    def __init__(self, *turns: httpx2.Response | Exception) -> None:
        self._turns: Iterator[httpx2.Response | Exception] = iter(turns)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        turn = next(self._turns)
        if isinstance(turn, Exception):
            raise turn
        return turn

    def server(self) -> Server:
        return Server("http://chat.example/", "cw_token", transport=httpx2.MockTransport(self))


def good(**value: object) -> httpx2.Response:
    return httpx2.Response(200, json=value)


BROKEN = httpx2.ReadError("connection reset")


class TestLostConnections:
    def test_a_reading_call_is_tried_again(self) -> None:
        wire = Wire(httpx2.ConnectError("refused"), BROKEN, good(name="Test"))
        assert wire.server().call(get_workspace, {}).value == {"name": "Test"}
        assert len(wire.requests) == 3

    def test_an_idempotent_change_is_tried_again(self) -> None:
        wire = Wire(BROKEN, good(name="Mine"))
        assert wire.server().call(update_workspace, {"name": "Mine"}).value == {"name": "Mine"}

    def test_a_call_that_adds_is_never_repeated_blindly(self) -> None:
        wire = Wire(BROKEN, good(token="cw_second"))
        with pytest.raises(CallFailed) as caught:
            wire.server().call(create_token, {"name": "n8n"})
        assert caught.value.problem.code == "SERVER_UNREACHABLE"
        assert len(wire.requests) == 1

    def test_a_call_that_adds_is_repeated_under_its_key(self) -> None:
        wire = Wire(
            BROKEN, httpx2.Response(200, json={"token": "cw_x"}, headers={"idempotent-replayed": "true"})
        )
        answer = wire.server().call(create_token, {"name": "n8n"}, idempotency_key="k1")
        assert answer.replayed
        assert [request.headers["idempotency-key"] for request in wire.requests] == ["k1", "k1"]

    def test_it_gives_up(self) -> None:
        wire = Wire(BROKEN, BROKEN, BROKEN, good())
        with pytest.raises(CallFailed) as caught:
            wire.server().call(get_workspace, {})
        assert (caught.value.status, caught.value.problem.retryable) == (503, True)


class Tag(Input):
    """Tags of a thing."""

    thing_id: str
    """Id of the thing."""
    tags: list[str]
    """Its tags."""
    until: str | None
    """How long."""


class Tagged(Output):
    """Done."""


@operation(
    "things.untag",
    tool="untag_thing",
    scope="contacts:write",
    effect=Effect.CHANGE,
    http="DELETE /things/{thing_id}/tags",
)
async def untag(caller: Caller, request: Tag) -> Tagged:
    """Take tags off."""
    raise NotImplementedError


class TestRequests:
    def test_a_body_goes_along_whatever_the_method(self) -> None:
        wire = Wire(good())
        wire.server().call(untag, {"thing_id": "a/b?c", "tags": ["x"], "until": None})
        (request,) = wire.requests
        assert request.method == "DELETE"
        assert str(request.url) == "http://chat.example/api/v1/things/a%2Fb%3Fc/tags"
        assert json.loads(request.content) == {"tags": ["x"], "until": None}

    def test_a_query_holds_numbers_flags_and_text(self) -> None:
        wire = Wire(good())
        wire.server().call(list_conversations, {"unread": True, "limit": 5, "state": "open", "cursor": None})
        assert wire.requests[0].url.query.decode() == "unread=true&limit=5&state=open"

    def test_it_says_who_calls(self) -> None:
        wire = Wire(good())
        wire.server().call(get_workspace, {})
        headers = wire.requests[0].headers
        assert headers["authorization"] == "Bearer cw_token"
        assert headers["x-chatwright-surface"] == "cli"


class TestAnswers:
    def test_a_problem_comes_back_as_it_was(self) -> None:
        problem: dict[str, Any] = {
            "code": "RATE_LIMIT_EXCEEDED",
            "message": "Too fast.",
            "retryable": True,
            "retry_after_ms": 1500,
            "fields": [],
            "details": {"limit": 10},
            "hint": None,
            "request_id": "r1",
        }
        with pytest.raises(CallFailed) as caught:
            Wire(httpx2.Response(429, json=problem)).server().call(get_workspace, {})
        assert caught.value.status == 429
        assert caught.value.problem.model_dump() == problem

    @pytest.mark.parametrize(
        "answer",
        [
            httpx2.Response(502, text="<html>Bad gateway</html>"),
            httpx2.Response(500, json={"detail": "boom"}),
            httpx2.Response(200, text="<html>Welcome to nginx</html>"),
            httpx2.Response(200, json=["not", "an", "object"]),
            httpx2.Response(302, headers={"location": "http://elsewhere.example/"}),
        ],
        ids=["proxy", "other JSON", "other page", "list", "redirect"],
    )
    def test_what_no_chatwright_says_is_no_result(self, answer: httpx2.Response) -> None:
        with pytest.raises(CallFailed) as caught:
            Wire(answer).server().call(get_workspace, {})
        assert caught.value.problem.code == f"HTTP_{answer.status_code}"

    def test_a_stream_that_breaks_does_not_pass_for_a_whole_one(self) -> None:
        class Breaking(httpx2.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                yield b'{"seq":1}\n{"se'
                raise BROKEN

        lines = Wire(httpx2.Response(200, stream=Breaking())).server().lines("/audit/export")
        assert next(lines) == '{"seq":1}'
        with pytest.raises(CallFailed):
            list(lines)
