"""The lowest floor: an ASGI function that does the product's own SQL and nothing else.

No routes, no tokens, no scopes, no limits, no checks of what came in: what a server costs that only moves bytes. It is
sent the very requests that the product is sent, headers and body, and finds in them what to look up.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from chatwright.features.contacts.store import NAMES_OF
from chatwright.features.messaging.replies.store import SAVE_REPLY
from chatwright.features.messaging.store import FIND_CONVERSATION
from chatwright.features.workspaces.audit import GENESIS
from chatwright.features.workspaces.store import APPEND_AUDIT, KEEP_RESULT, STORED_RESULT, TRY_LOCK

NOBODY = UUID(int=0)
"""The workspace that the floor writes under, so as not to touch the product's rows."""
ACCEPT = """
    insert into inbound_events (id, lane, workspace_id, inbox_id, dedupe_key, payload)
    values ($1, $2, $3, $3, $4, $5) on conflict (inbox_id, dedupe_key) do nothing
"""
POOL = 16
"""Connections, as many as the product has."""


class Floor:
    """One connection pool and one function for each measured call; and an answer that it was given to keep."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: Any = None
        self._kept = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        _, what, *ids = scope["path"].split("/")
        body = (await receive()).get("body", b"")
        if what == "keep":
            self._kept = body
        text = self._kept if what in {"keep", "kept"} else await self._answer(what, body, ids)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    async def _answer(self, what: str, body: bytes, ids: list[str]) -> bytes:
        async with self._pool.acquire() as connection:
            return orjson.dumps(await WAYS.get(what, _nothing)(connection, body, ids), default=str)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._pool = await asyncpg.create_pool(self._dsn, min_size=1, max_size=POOL, init=prepare)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


def application(dsn: str) -> ASGIApp:
    """The floor as an ASGI application."""
    return Floor(dsn)


async def prepare(connection: Any) -> None:
    """JSON columns as the product reads and writes them."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, encoder=_encoded, decoder=orjson.loads, schema="pg_catalog", format="text"
        )


def _encoded(value: object) -> str:
    return orjson.dumps(value).decode()


async def _nothing(_: Any, body: bytes, ids: list[str]) -> object:
    del body, ids
    return {}


async def _read(connection: Any, body: bytes, ids: list[str]) -> object:
    """What showing a conversation asks for; its id comes in the path, or in a tool's arguments."""
    if body:
        ids = [*ids, orjson.loads(body)["params"]["arguments"]["conversation_id"]]
    workspace, conversation = (UUID(text) for text in ids)
    row = await connection.fetchrow(FIND_CONVERSATION.sql, workspace, conversation)
    names = await connection.fetch(NAMES_OF.sql, workspace, [row["contact_id"]])
    return {**row, "contact_name": names[0]["name"]}


async def _write(connection: Any, body: bytes, _: list[str]) -> object:
    """What saving a reply under an idempotency key writes, its audit record included."""
    arguments = orjson.loads(body)["params"]["arguments"]
    key = arguments["idempotency_key"]
    lock = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)
    async with connection.transaction():
        await connection.fetchrow(TRY_LOCK.sql, lock)
        await connection.fetchrow(STORED_RESULT.sql, "floor", "save", key)
        row = await connection.fetchrow(
            SAVE_REPLY.sql, uuid4(), NOBODY, arguments["shortcut"], arguments["text"]
        )
        result = orjson.dumps(dict(row), default=str)
        await connection.execute(KEEP_RESULT.sql, "floor", "save", key, key.encode(), result)
        await connection.execute(APPEND_AUDIT.sql, NOBODY, body.decode(), GENESIS)
    return dict(row)


async def _accept(connection: Any, body: bytes, _: list[str]) -> object:
    """What storing one event takes: one insert."""
    event = orjson.loads(body)
    await connection.execute(ACCEPT, uuid4(), event["client_id"], NOBODY, event["client_id"], event)
    return {"events": 1}


WAYS: dict[str, Callable[[Any, bytes, list[str]], Awaitable[object]]] = {
    "read": _read,
    "write": _write,
    "accept": _accept,
}
