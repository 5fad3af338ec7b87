"""The catalogue over REST: where arguments come from, how answers and errors look."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

import httpx2
import orjson
import pytest

from chatwright.features.workspaces.operations import create_token, export_audit
from chatwright.kernel.errors import Problem
from tests.conftest import Desk
from tests.surfaces.http.conftest import audited, token_of

TOKENS = "/api/v1/tokens"


def problem_of(response: httpx2.Response, status: int, code: str) -> Problem:
    """The problem of an answer, which must be this one and name its request."""
    assert response.status_code == status, response.text
    problem = Problem.model_validate_json(response.content)
    assert problem.code == code
    assert problem.request_id == response.headers["x-request-id"]
    return problem


class TestArguments:
    async def test_a_body_becomes_the_input(self, api: httpx2.AsyncClient) -> None:
        answer = await api.patch("/api/v1/workspace", json={"name": "Cà phê"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["name"] == "Cà phê"
        assert (await api.get("/api/v1/workspace")).json() == answer.json()

    async def test_the_path_becomes_a_field(self, api: httpx2.AsyncClient) -> None:
        made = (await api.post(TOKENS, json={"name": "n8n"})).json()
        token_id = made["access_token"]["id"]
        revoked = await api.delete(f"{TOKENS}/{token_id}")
        assert revoked.json()["id"] == token_id

    async def test_the_query_string_is_converted(self, api: httpx2.AsyncClient) -> None:
        for name in ("a", "b"):
            await api.post(TOKENS, json={"name": name})
        page = (await api.get(TOKENS, params={"limit": "2"})).json()
        assert len(page["items"]) == 2
        rest = (await api.get(TOKENS, params={"limit": 2, "cursor": page["next_cursor"]})).json()
        assert [item["name"] for item in rest["items"]] == ["b"]

    async def test_an_empty_body_is_an_empty_object(self, api: httpx2.AsyncClient) -> None:
        problem = problem_of(await api.post(TOKENS), 422, "INVALID_ARGUMENT")
        assert [field.path for field in problem.fields] == ["name"]

    @pytest.mark.parametrize(
        ("query", "field"),
        [("limit=many", "limit"), ("limit=0", "limit"), ("limt=1", "limt"), ("limit=1&limit=2", "limit")],
    )
    async def test_a_wrong_query_names_its_field(
        self, api: httpx2.AsyncClient, query: str, field: str
    ) -> None:
        problem = problem_of(await api.get(f"{TOKENS}?{query}"), 422, "INVALID_ARGUMENT")
        assert [found.path.partition(".")[0] for found in problem.fields] == [field]

    async def test_a_query_string_on_a_writing_call_is_not_dropped(self, api: httpx2.AsyncClient) -> None:
        answer = await api.post(f"{TOKENS}?read_only=true", json={"name": "n8n"})
        assert [field.path for field in problem_of(answer, 422, "INVALID_ARGUMENT").fields] == ["read_only"]

    async def test_a_field_of_the_path_cannot_be_given_twice(self, api: httpx2.AsyncClient) -> None:
        answer = await api.request("DELETE", f"{TOKENS}/{uuid4()}", json={"token_id": str(uuid4())})
        assert [field.path for field in problem_of(answer, 422, "INVALID_ARGUMENT").fields] == ["token_id"]

    async def test_an_id_that_is_none_is_bad_input(self, api: httpx2.AsyncClient) -> None:
        problem = problem_of(await api.delete(f"{TOKENS}/42"), 422, "INVALID_ARGUMENT")
        assert [field.path for field in problem.fields] == ["token_id"]


class TestBodies:
    @pytest.mark.parametrize("body", [b"{", b"\xff", b'{"name": NaN}', b"[" * 5000])
    async def test_broken_json(self, api: httpx2.AsyncClient, body: bytes) -> None:
        answer = await api.post(TOKENS, content=body, headers={"content-type": "application/json"})
        problem_of(answer, 422, "INVALID_ARGUMENT")

    @pytest.mark.parametrize("body", [b"[]", b'"name"', b"null", b"1"])
    async def test_json_that_is_no_object(self, api: httpx2.AsyncClient, body: bytes) -> None:
        answer = await api.post(TOKENS, content=body, headers={"content-type": "application/json"})
        problem_of(answer, 422, "INVALID_ARGUMENT")

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    async def test_another_type_is_unsupported(self, api: httpx2.AsyncClient, kind: str) -> None:
        answer = await api.post(TOKENS, content=b'{"name": "x"}', headers={"content-type": kind})
        problem_of(answer, 415, "UNSUPPORTED_MEDIA_TYPE")

    async def test_too_large_a_body(self, api: httpx2.AsyncClient) -> None:
        answer = await api.post(TOKENS, json={"name": "x" * (1024 * 1024)})
        problem_of(answer, 413, "PAYLOAD_TOO_LARGE")

    async def test_too_large_a_body_that_does_not_say_so(self, api: httpx2.AsyncClient) -> None:
        async def endless() -> AsyncGenerator[bytes]:
            while True:
                yield b" " * 65536

        answer = await api.post(TOKENS, content=endless(), headers={"content-type": "application/json"})
        problem_of(answer, 413, "PAYLOAD_TOO_LARGE")

    @pytest.mark.parametrize("name", ["a\0b", "\ud800"])
    async def test_text_that_no_database_keeps(self, api: httpx2.AsyncClient, name: str) -> None:
        body = orjson.dumps({"name": "@"}).replace(
            b"@", name.encode("unicode_escape").replace(b"\\x", b"\\u00")
        )
        answer = await api.post(TOKENS, content=body, headers={"content-type": "application/json"})
        problem_of(answer, 422, "INVALID_ARGUMENT")

    async def test_nesting_without_end(self, api: httpx2.AsyncClient) -> None:
        body = b'{"name": ' + b"[" * 900 + b"]" * 900 + b"}"
        answer = await api.post(TOKENS, content=body, headers={"content-type": "application/json"})
        problem_of(answer, 422, "INVALID_ARGUMENT")

    async def test_a_nul_in_a_name_does_not_spoil_the_audit_trail(self, api: httpx2.AsyncClient) -> None:
        problem_of(await api.post(TOKENS, json={"a\0b": 1}), 422, "INVALID_ARGUMENT")
        (record, *_) = (await api.get("/api/v1/audit", params={"outcome": "failed"})).json()["items"]
        assert record["arguments"] == {"<name 3>": 1}


class TestErrors:
    @pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2", "/api/v1/tokens/"])
    async def test_an_unknown_path(self, api: httpx2.AsyncClient, path: str) -> None:
        problem_of(await api.get(path), 404, "NOT_FOUND")

    async def test_a_method_that_the_path_does_not_take(self, api: httpx2.AsyncClient) -> None:
        answer = await api.put(TOKENS, json={})
        problem_of(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "GET, POST"

    async def test_an_operation_that_refuses(self, api: httpx2.AsyncClient) -> None:
        problem_of(await api.delete(f"{TOKENS}/{uuid4()}"), 404, "TOKEN_NOT_FOUND")

    async def test_a_missing_scope_says_which(self, desk: Desk, http: httpx2.AsyncClient) -> None:
        token = await token_of(desk, scopes=["workspace:read"])
        answer = await http.get(TOKENS, headers={"authorization": f"Bearer {token}"})
        problem_of(answer, 403, "INSUFFICIENT_SCOPE")
        assert 'scope="tokens:read"' in answer.headers["www-authenticate"]


class TestIdempotency:
    async def test_a_repeated_call_is_marked_and_has_one_effect(self, api: httpx2.AsyncClient) -> None:
        key = {"idempotency-key": "once"}
        first = await api.post(TOKENS, json={"name": "n8n"}, headers=key)
        again = await api.post(TOKENS, json={"name": "n8n"}, headers=key)
        assert again.json() == first.json()
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        other = await api.post(TOKENS, json={"name": "zapier"}, headers=key)
        problem_of(other, 409, "IDEMPOTENCY_CONFLICT")

    async def test_a_crowd_of_twins_has_one_effect(self, api: httpx2.AsyncClient) -> None:
        calls = [
            api.post(TOKENS, json={"name": "n8n"}, headers={"idempotency-key": "once"}) for _ in range(20)
        ]
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1

    async def test_a_key_that_is_too_long(self, api: httpx2.AsyncClient) -> None:
        answer = await api.post(TOKENS, json={"name": "n8n"}, headers={"idempotency-key": "k" * 256})
        problem_of(answer, 422, "INVALID_ARGUMENT")


class TestRequestIds:
    async def test_a_given_id_comes_back_and_stands_in_the_audit_trail(self, api: httpx2.AsyncClient) -> None:
        answer = await api.patch("/api/v1/workspace", json={"name": "B"}, headers={"x-request-id": "n8n-42"})
        assert answer.headers["x-request-id"] == "n8n-42"
        (record, *_) = (await api.get("/api/v1/audit")).json()["items"]
        assert (record["request_id"], record["surface"], record["client"]) == ("n8n-42", "http", "tests/1")

    @pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b'])
    async def test_a_strange_id_is_replaced(self, api: httpx2.AsyncClient, given: str) -> None:
        answer = await api.get("/api/v1/workspace", headers={"x-request-id": given})
        assert answer.headers["x-request-id"] not in {"", given}

    async def test_the_command_line_is_told_apart(self, api: httpx2.AsyncClient) -> None:
        await api.patch("/api/v1/workspace", json={"name": "B"}, headers={"x-chatwright-surface": "cli"})
        (record, *_) = (await api.get("/api/v1/audit")).json()["items"]
        assert record["surface"] == "cli"


class TestDocument:
    async def test_anyone_may_read_it(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/api/v1/openapi.json")
        assert answer.status_code == 200
        assert answer.json()["openapi"].startswith("3.1")
        again = await http.get("/api/v1/openapi.json", headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


class TestAuditExport:
    async def test_the_whole_trail_as_lines(self, api: httpx2.AsyncClient, desk: Desk) -> None:
        for name in ("a", "b"):
            await api.patch("/api/v1/workspace", json={"name": name})
        answer = await api.get("/api/v1/audit/export")
        assert answer.headers["content-type"] == "application/jsonl"
        records = [orjson.loads(line) for line in answer.content.splitlines()]
        assert [record["seq"] for record in records] == [1, 2, 3]
        assert {record["operation"] for record in records} == {"token.create", "workspace.update"}

    async def test_it_needs_the_scope(self, desk: Desk, http: httpx2.AsyncClient) -> None:
        token = await token_of(desk, scopes=["workspace:write"])
        answer = await http.get("/api/v1/audit/export", headers={"authorization": f"Bearer {token}"})
        problem_of(answer, 403, "INSUFFICIENT_SCOPE")
        assert await audited(desk, "audit.export") == [("refused", "INSUFFICIENT_SCOPE")]

    async def test_a_crowd_of_calls_is_limited(self, api: httpx2.AsyncClient, desk: Desk) -> None:
        crowd = range(3 * export_audit.rate.burst)
        answers = await asyncio.gather(*(api.get("/api/v1/audit/export") for _ in crowd))
        limited = [answer for answer in answers if answer.status_code != 200]
        assert limited
        for answer in limited:
            problem_of(answer, 429, "RATE_LIMIT_EXCEEDED")
        assert await audited(desk, "audit.export") == [("refused", "RATE_LIMIT_EXCEEDED")] * len(limited)

    async def test_another_workspace_sees_its_own(
        self, api: httpx2.AsyncClient, stranger: Desk, http: httpx2.AsyncClient
    ) -> None:
        await api.patch("/api/v1/workspace", json={"name": "ours"})
        token = await token_of(stranger)
        answer = await http.get("/api/v1/audit/export", headers={"authorization": f"Bearer {token}"})
        records = [orjson.loads(line) for line in answer.content.splitlines()]
        assert [record["operation"] for record in records] == ["token.create"]


class TestDryRun:
    async def test_it_answers_and_keeps_nothing(self, api: httpx2.AsyncClient) -> None:
        dry = await api.post(TOKENS, json={"name": "n8n"}, headers={"Dry-Run": "true"})
        assert dry.status_code == 200
        assert dry.headers["dry-run"] == "true"
        assert dry.json()["access_token"]["name"] == "n8n"
        assert len((await api.get(TOKENS)).json()["items"]) == 1
        wet = await api.post(TOKENS, json={"name": "n8n"}, headers={"Dry-Run": "false"})
        assert "dry-run" not in wet.headers
        assert len((await api.get(TOKENS)).json()["items"]) == 2

    async def test_it_says_what_would_go_wrong(self, api: httpx2.AsyncClient) -> None:
        answer = await api.delete(f"{TOKENS}/{uuid4()}", headers={"Dry-Run": "true"})
        problem_of(answer, 404, "TOKEN_NOT_FOUND")

    async def test_a_header_that_says_neither_does_nothing(self, api: httpx2.AsyncClient) -> None:
        answer = await api.post(TOKENS, json={"name": "n8n"}, headers={"Dry-Run": "yes"})
        problem_of(answer, 422, "INVALID_ARGUMENT")
        assert len((await api.get(TOKENS)).json()["items"]) == 1


class TestApproval:
    async def test_a_supervised_program_is_told_where_its_call_waits(
        self, api: httpx2.AsyncClient, desk: Desk
    ) -> None:
        made = await desk.call(create_token, name="robot", supervised=True)
        robot = {"authorization": f"Bearer {made['token']}"}
        victim = (await desk.call(create_token, name="n8n"))["access_token"]["id"]
        answer = await api.delete(f"{TOKENS}/{victim}", headers=robot)
        problem = problem_of(answer, 403, "APPROVAL_REQUIRED")
        assert problem.details is not None
        place = f"/api/v1/approvals/{problem.details['approval_id']}"
        assert (await api.get(place, headers=robot)).json()["status"] == "waiting"
        assert len((await api.get(TOKENS)).json()["items"]) == 3
