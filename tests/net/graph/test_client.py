"""Calls of the Graph API over real HTTP: what they carry, and what becomes of a send."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from chatwright.net.forms import FormFile
from chatwright.net.graph.client import GraphClient, Reply, attempt, not_yet_sent, outcome_of, path_of
from chatwright.net.graph.errors import GraphError
from chatwright.net.graph.usage import Usage, read_usage
from chatwright.net.graph.webhooks import proof_of
from chatwright.net.http import NoAnswer, NotSent, Web
from chatwright.net.reading import as_text
from chatwright.ports.sending import Reaction, SendOutcome
from tests.serving import serving


class Meta:
    """A server that keeps what it was asked and answers what it is told."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.bodies: list[bytes] = []
        self.answers: list[Response] = []

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        self.bodies.append(await request.body())
        return self.answers.pop(0)


def body(value: Any, status: int = 200, **headers: str) -> Response:
    return JSONResponse(value, status, {name.replace("_", "-"): text for name, text in headers.items()})


@asynccontextmanager
async def talking(
    *answers: Response, secret: str | None = "s3cret"
) -> AsyncGenerator[tuple[GraphClient, Meta]]:
    meta = Meta()
    meta.answers = list(answers)
    route = Route("/{path:path}", meta.answer, methods=["GET", "POST", "DELETE"])
    async with serving([route]) as url:
        web = Web([urlsplit(url).netloc])
        yield GraphClient(web, "tok", url + "/", "v26.0", secret), meta
        await web.close()


def first_id(answer: Any) -> list[str]:
    return [text] if (text := as_text(answer.get("id"))) else []


async def sent(client: GraphClient) -> SendOutcome:
    return await attempt(client.post("1/messages", {"a": 1}), first_id)


async def test_a_call_carries_the_token_in_a_header_and_the_proof_of_the_app() -> None:
    async with talking(body({"id": "m1"})) as (client, meta):
        reply = await client.get("77/messages", fields="id,name")
    (request,) = meta.asked
    assert reply.body == {"id": "m1"}
    assert request.url.path == "/v26.0/77/messages"
    assert request.headers["authorization"] == "Bearer tok"
    assert dict(request.query_params) == {"fields": "id,name", "appsecret_proof": proof_of("tok", "s3cret")}


async def test_without_a_secret_there_is_no_proof() -> None:
    async with talking(body({"success": True}), secret=None) as (client, meta):
        await client.delete("77")
    (request,) = meta.asked
    assert (request.method, str(request.url.query)) == ("DELETE", "")


def test_nothing_secret_is_shown() -> None:
    shown = repr(GraphClient(Web(), "tok-en", app_secret="s3cret"))
    assert "tok-en" not in shown
    assert "s3cret" not in shown


async def test_a_refusal_that_repeats_a_secret_is_told_without_it() -> None:
    error = {"message": "Malformed access token tok-en, secret s3cret", "code": 190}
    async with talking(body({"error": error}, 400)) as (client, _):
        outcome = await sent(replace(client, token="tok-en"))
    assert outcome.code == "190"
    assert "Malformed access token ***, secret ***" in (outcome.detail or "")


def test_no_value_can_leave_its_place_in_a_path() -> None:
    assert path_of("1/../2", "a?b") == "1%2F..%2F2/a%3Fb"


async def test_a_file_goes_as_a_form() -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        yield b"abc"
        yield b"def"

    file = FormFile("file", "a.txt", "text/plain", pieces(), 6)
    async with talking(body({"id": "f1"})) as (client, meta):
        await client.upload("77/media", {"messaging_product": "whatsapp"}, file)
    assert b"abcdef" in meta.bodies[0]
    assert b"whatsapp" in meta.bodies[0]
    assert meta.asked[0].headers["content-type"].startswith("multipart/form-data")


async def test_an_edge_is_read_to_its_end() -> None:
    first = {"data": [1, 2], "paging": {"cursors": {"after": "c1"}, "next": "https://elsewhere.example"}}
    async with talking(body(first), body({"data": [3], "paging": {"cursors": {"after": "c2"}}})) as (
        client,
        meta,
    ):
        assert [item async for item in client.items("77/things", limit="2")] == [1, 2, 3]
    assert [request.query_params.get("after") for request in meta.asked] == [None, "c1"]
    assert [request.query_params["limit"] for request in meta.asked] == ["2", "2"]


async def test_a_send_goes_through_and_tells_the_load() -> None:
    usage = '{"call_count": 28, "total_time": "91", "total_cputime": 25}'
    async with talking(body({"id": "m1"}, x_app_usage=usage)) as (client, _):
        assert await sent(client) == SendOutcome(external_id="m1", load=0.91)


async def test_a_refusal_says_what_it_asks() -> None:
    error = {"error": {"code": 131056, "type": "OAuthException", "error_data": {"details": "Too fast."}}}
    async with talking(body(error, 400)) as (client, _):
        outcome = await sent(client)
    assert (outcome.reaction, outcome.code, outcome.scope) == (Reaction.RETRY_AFTER, "131056", "pair")
    assert outcome.retry_after == 6
    assert outcome.detail is not None
    assert outcome.detail.endswith("Too fast.")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "17"}, 17.0),
        ({"x_business_use_case_usage": '{"9": [{"estimated_time_to_regain_access": 2}]}'}, 120.0),
        ({}, 300.0),
    ],
)
async def test_it_waits_as_long_as_it_is_told(headers: dict[str, str], seconds: float) -> None:
    async with talking(body({"error": {"code": 80007}}, 400, **headers)) as (client, _):
        outcome = await sent(client)
    assert (outcome.reaction, outcome.retry_after) == (Reaction.RETRY_AFTER, seconds)


async def test_an_answer_without_an_id_leaves_it_unknown() -> None:
    async with talking(body({}), Response(b"", 200), Response(b"<html>", 502)) as (client, _):
        for _ in range(3):
            assert (await sent(client)).reaction is Reaction.UNKNOWN


async def test_a_cut_answer_leaves_it_unknown() -> None:
    async def breaking() -> AsyncGenerator[bytes]:
        yield b'{"id"'

    cut = StreamingResponse(breaking(), headers={"content-length": "50"})
    async with talking(cut) as (client, _):
        outcome = await sent(client)
    assert (outcome.reaction, outcome.code) == (Reaction.UNKNOWN, "NO_ANSWER")
    assert not_yet_sent(NoAnswer("cut")).reaction is Reaction.RETRY


async def test_where_nobody_listens_nothing_was_sent() -> None:
    web = Web(["127.0.0.1"])
    outcome = await sent(GraphClient(web, "tok", "http://127.0.0.1:9"))
    await web.close()
    assert (outcome.reaction, outcome.code) == (Reaction.RETRY, "NOT_SENT")


async def test_an_address_inside_is_not_called() -> None:
    web = Web()
    with pytest.raises(NotSent):
        await GraphClient(web, "tok", "https://127.0.0.1").get("77")
    await web.close()


async def test_a_refused_read_raises() -> None:
    async with talking(body({"error": {"code": 190, "error_subcode": 463}}, 401)) as (client, _):
        with pytest.raises(GraphError) as caught:
            await client.get("77")
    assert outcome_of(caught.value).reaction is Reaction.RECONNECT
    assert not_yet_sent(caught.value).reaction is Reaction.RECONNECT


@pytest.mark.parametrize(
    ("headers", "usage"),
    [
        ({}, Usage()),
        ({"x-app-usage": "nonsense", "x-business-use-case-usage": "[]"}, Usage()),
        ({"x-app-usage": '{"call_count": true, "total_time": -3}'}, Usage()),
        ({"x-app-usage": '{"call_count": 250}'}, Usage(1.0)),
        ({"x-page-usage": '{"call_count": 10}', "x-app-usage": '{"call_count": 5}'}, Usage(0.1)),
        (
            {
                "x-business-use-case-usage": '{"1": [{"call_count": 3}, {"estimated_time_to_regain_access": 1}]}'
            },
            Usage(1.0, 60.0),
        ),
    ],
)
def test_the_fullest_allowance_counts(headers: dict[str, str], usage: Usage) -> None:
    assert read_usage(headers) == usage


def test_a_reply_without_headers_says_nothing_of_usage() -> None:
    assert Reply({}).usage == Usage()
