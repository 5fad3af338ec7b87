"""Servers are killed around the moment in which a confirmed or an approved call happens: once is once."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from tests.e2e.programs import Home, Program, free_port, web

ROUNDS = 6
LATEST_BLOW_SECONDS = 0.03
"""A call takes about as long; the blow falls at a random moment up to then."""
GIVE_UP_SECONDS = 240

pytestmark = pytest.mark.timeout(GIVE_UP_SECONDS + 40)


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest_asyncio.fixture
async def server(home: Home) -> AsyncGenerator[tuple[Program, str]]:
    """A running server and its URL, which stays the same over its restarts."""
    port = free_port()
    program = await web(home, port).up()
    yield program, f"http://127.0.0.1:{port}"
    program.stop()


async def struck(program: Program, call: Awaitable[Any]) -> None:
    """Make a call, and kill its server somewhere on the way."""
    calling = asyncio.ensure_future(call)
    await asyncio.sleep(random.uniform(0, LATEST_BLOW_SECONDS))
    program.kill()
    await asyncio.wait([calling])
    calling.exception()
    await program.up()


async def tag_names(client: httpx2.AsyncClient) -> set[str]:
    return {tag["name"] for tag in (await client.get("/api/v1/tags", params={"limit": 200})).json()["items"]}


async def new_tag(client: httpx2.AsyncClient) -> tuple[str, str]:
    made = (await client.post("/api/v1/tags", json={"name": uuid4().hex})).json()
    return made["id"], made["name"]


async def outcomes(home: Home) -> list[str]:
    """How the calls that delete tags ended, by the audit trail."""
    connection: asyncpg.Connection[asyncpg.Record] = await home.connect()
    try:
        rows = await connection.fetch(
            "select body::jsonb ->> 'outcome' as outcome from audit_records"
            " where body::jsonb ->> 'operation' = 'tags.delete'"
        )
    finally:
        await connection.close()
    return [row["outcome"] for row in rows]


def confirming(client: httpx2.AsyncClient, **arguments: Any) -> Awaitable[httpx2.Response]:
    """Call the tool that deletes a tag, in the older era: one message needs no more than itself."""
    call = {"name": "delete_tag", "arguments": arguments}
    return client.post(
        "/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        headers={"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"},
    )


def problem_of(answer: httpx2.Response) -> dict[str, Any]:
    return json.loads(answer.json()["result"]["content"][0]["text"])


async def test_a_confirm_token_is_neither_lost_nor_good_twice(
    home: Home, server: tuple[Program, str]
) -> None:
    program, url = server
    headers = {"authorization": f"Bearer {home.token()}"}
    async with (
        asyncio.timeout(GIVE_UP_SECONDS),
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=20) as client,
    ):
        for _ in range(ROUNDS):
            tag_id, name = await new_tag(client)
            asked = problem_of(await confirming(client, tag_id=tag_id))
            token = asked["details"]["confirm_token"]
            await struck(program, confirming(client, tag_id=tag_id, confirm_token=token))
            happened = name not in await tag_names(client)
            again = (await confirming(client, tag_id=tag_id, confirm_token=token)).json()["result"]
            if happened:
                assert "CONFIRMATION_INVALID" in again["content"][0]["text"]
            else:
                assert not again["isError"], again
            assert name not in await tag_names(client)
    assert (await outcomes(home)).count("done") == ROUNDS


async def test_an_approved_call_happens_once(home: Home, server: tuple[Program, str]) -> None:
    program, url = server
    headers = {"authorization": f"Bearer {home.token()}"}
    async with (
        asyncio.timeout(GIVE_UP_SECONDS),
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=20) as owner,
        httpx2.AsyncClient(base_url=url, headers={"origin": url}, timeout=20) as person,
    ):
        await _join(owner, person)
        made = await owner.post("/api/v1/tokens", json={"name": "robot", "supervised": True})
        robot = {"authorization": f"Bearer {made.json()['token']}"}
        for _ in range(ROUNDS):
            tag_id, name = await new_tag(owner)
            key = {"idempotency-key": name, **robot}
            asked = await owner.delete(f"/api/v1/tags/{tag_id}", headers=key)
            approval = f"/api/v1/approvals/{asked.json()['details']['approval_id']}"
            await struck(program, person.post(f"{approval}/approve", json={}))
            happened = name not in await tag_names(owner)
            shown = (await person.get(approval)).json()
            assert shown["status"] == ("approved" if happened else "waiting")
            again = await person.post(f"{approval}/approve", json={})
            assert again.status_code == (409 if happened else 200), again.text
            assert name not in await tag_names(owner)
            replayed = await owner.delete(f"/api/v1/tags/{tag_id}", headers=key)
            assert replayed.headers["idempotent-replayed"] == "true"
            assert (await owner.get(approval, headers=robot)).json()["result"]["id"] == tag_id
    assert (await outcomes(home)).count("done") == ROUNDS


async def _join(owner: httpx2.AsyncClient, person: httpx2.AsyncClient) -> None:
    """Have a person sign in who may approve."""
    email = f"{uuid4().hex}@example.com"
    invited = await owner.post("/api/v1/members/invitations", json={"email": email, "role": "admin"})
    link = invited.json()["path"].partition("#")[2]
    words = {"link": link, "email": email, "name": "Mai", "password": "a long password"}
    joined = await person.post("/auth/join", json=words)
    assert joined.status_code == 200, joined.text
