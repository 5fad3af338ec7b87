"""A server is killed between effects and answers, on both faces: repeated calls have none further."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e import falling
from tests.e2e.programs import SERVING, Home, free_port, web

GIVE_UP_SECONDS = 120
FACES = ("rest", "mcp")
CALLS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "tags.create": ("/tags", "create_tag", {}),
    "contacts.create": ("/contacts", "create_contact", {}),
    "inboxes.create": ("/inboxes", "create_inbox", {"channel": "webchat"}),
    "token.create": ("/tokens", "create_access_token", {}),
    "segments.create": (
        "/segments",
        "create_segment",
        {"filter": {"type": "boolean", "field": "blocked", "operator": "is_false"}},
    ),
}
"""By operation: its path, its tool, and what it wants beside a name."""

pytestmark = pytest.mark.timeout(GIVE_UP_SECONDS + 40)


async def call(
    client: httpx2.AsyncClient, face: str, operation: str, *, fall: int | None = None
) -> tuple[dict[str, Any], bool]:
    """Make one call, always the same for a face and an operation; gives the result, and whether it is told again."""
    path, tool, more = CALLS[operation]
    arguments = {"name": f"made by {face}", **more}
    headers = {} if fall is None else {falling.HEADER: str(fall)}
    if face == "rest":
        headers["idempotency-key"] = "once"
        answer = await client.post(f"/api/v1{path}", json=arguments, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json(), answer.headers.get("idempotent-replayed") == "true"
    headers |= {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}
    params = {"name": tool, "arguments": {**arguments, "idempotency_key": "once-by-mcp"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    result = (await client.post("/mcp/x/all", json=message, headers=headers)).json()["result"]
    assert not result.get("isError"), result
    return result["structuredContent"], False


async def started(home: Home, port: int) -> "subprocess.Popen[bytes]":
    """A server that falls, ready for calls."""
    log = home.folder / "falling.log"
    words = ("serve", "--port", str(port), "--data", str(home.data))
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, falling.__file__, *words],
            env={**home.environment(), "PYTHONPATH": str(Path(__file__).parents[2])},
            cwd=home.folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    while SERVING not in log.read_text():
        assert process.poll() is None, log.read_text()
        await asyncio.sleep(0.02)
    return process


async def recorded(home: Home) -> Counter[tuple[str, str]]:
    """How often the audit trail has each end of each operation."""
    connection = await home.connect()
    try:
        rows = await connection.fetch(
            "select body::jsonb ->> 'operation', body::jsonb ->> 'outcome' from audit_records"
        )
    finally:
        await connection.close()
    return Counter((operation, outcome) for operation, outcome in rows)


async def made(client: httpx2.AsyncClient, operation: str) -> Counter[str]:
    """The names of what there is of a kind, as far as our calls gave them."""
    page = (await client.get(f"/api/v1{CALLS[operation][0]}", params={"limit": 200})).json()
    return Counter(item["name"] for item in page["items"] if str(item["name"]).startswith("made by"))


async def test_what_was_done_before_the_fall_is_answered_after_it_and_done_once(tmp_path: Path) -> None:
    home, port = Home(tmp_path), free_port()
    process = await started(home, port)
    everything = [(face, operation) for face in FACES for operation in CALLS]
    url = f"http://127.0.0.1:{port}"
    headers = {"authorization": f"Bearer {home.token()}"}
    async with asyncio.timeout(GIVE_UP_SECONDS):
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
            fallen = await asyncio.gather(
                *(call(client, *one, fall=len(everything)) for one in everything), return_exceptions=True
            )
        assert all(isinstance(end, httpx2.TransportError) for end in fallen), fallen
        assert process.wait(20) == -9
        before = await recorded(home)
        program = await web(home, port).up()
        try:
            async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
                again = {one: await call(client, *one) for one in everything}
                names = [await made(client, operation) for operation in CALLS]
        finally:
            program.stop()
    assert [replayed for (face, _), (_, replayed) in again.items() if face == "rest"] == [True] * len(CALLS)
    assert names == [Counter({f"made by {face}": 1 for face in FACES})] * len(CALLS)
    after = await recorded(home)
    for operation in CALLS:
        assert (before[operation, "done"], before[operation, "replayed"]) == (len(FACES), 0)
        assert (after[operation, "done"], after[operation, "replayed"]) == (len(FACES), len(FACES))
