"""Secrets that can be found again wherever they have got to, and a provider that repeats what it hears."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.serving import serving


@dataclass
class Canaries:
    """Planted secrets, by where they were planted."""

    by_core: dict[str, str] = field(default_factory=dict[str, str])

    def new(self, place: str, form: str = "{}") -> str:
        """A secret in the form that a place takes, known by the random part of it."""
        core = token_hex(16)
        self.by_core[core] = place
        return form.format(core)

    def add(self, place: str, secret: str) -> str:
        """A secret that somebody else made."""
        assert len(secret) >= 16, place
        self.by_core[secret] = place
        return secret

    def found_in(self, text: str) -> set[str]:
        """The places whose secrets show here, in the clear, in hexadecimal digits or in base64."""
        return {place for core, place in self.by_core.items() if any(form in text for form in _forms(core))}


def _forms(core: str) -> Iterator[str]:
    raw = core.encode()
    yield core
    yield raw.hex()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        # The first and the last letters also depend on what stands around.
        inner = whole[4 if before else 0 : len(whole) // 4 * 4 - 4].decode()
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def words_of(values: Iterable[object]) -> Iterator[str]:
    """Values of a database row as text in which a secret would be found."""
    for value in values:
        yield value.decode("latin-1") if isinstance(value, bytes) else str(value)


async def database_dump(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, str]:
    """All that every table holds, by table."""
    tables = await connection.fetch(
        "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    )
    dump: dict[str, str] = {}
    for schema, table in ((row["schemaname"], row["tablename"]) for row in tables):
        rows = await connection.fetch(f'select * from "{schema}"."{table}"')
        dump[table] = "\n".join(word for row in rows for word in words_of(row.values()))
    return dump


REPEATED = 2000
"""Characters of a request that the provider repeats."""


async def _heard(request: Request) -> str:
    """All that was said, secrets in the path, the query, the headers and the body included."""
    body = (await request.body()).decode("latin-1")
    secret = [
        text
        for name, text in request.headers.items()
        if name in {"authorization", "access_token", "secret_key"}
    ]
    return f"Cannot do {request.url.path} {request.url.query} {' '.join(secret)} {body}"[:REPEATED]


def _as_meta(words: str) -> Response:
    error = {"message": words, "error_user_msg": words, "code": 190, "error_data": {"details": words}}
    return JSONResponse({"error": error}, 400)


def _as_telegram(words: str) -> Response:
    return JSONResponse({"ok": False, "error_code": 400, "description": f"Bad Request: {words}"}, 400)


def _as_zalo(words: str) -> Response:
    return JSONResponse({"error": -201, "message": words, "error_name": words, "error_description": words})


_REFUSALS = {"meta": _as_meta, "telegram": _as_telegram, "zalo": _as_zalo}


async def _refuse(request: Request) -> Response:
    return _REFUSALS[request.path_params["style"]](await _heard(request))


async def _babble(request: Request) -> Response:
    return PlainTextResponse(await _heard(request), 500)


async def _send_away(request: Request) -> Response:
    return RedirectResponse(f"/babble/{request.url.path}?{request.url.query}")


async def _hang(request: Request) -> Response:
    await request.body()
    await asyncio.sleep(60)
    return Response()


@asynccontextmanager
async def parrot() -> AsyncGenerator[str]:
    """A server in the place of a provider that repeats every secret it is told."""
    methods = ["GET", "POST", "DELETE", "PUT"]
    routes = [
        Route("/refuse/{style}/{rest:path}", _refuse, methods=methods),
        Route("/babble/{rest:path}", _babble, methods=methods),
        Route("/away/{rest:path}", _send_away, methods=methods),
        Route("/hang/{rest:path}", _hang, methods=methods),
    ]
    async with serving(Starlette(routes=routes)) as url:
        yield url


async def _mail_session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A mail server, for sending or for reading as the client would have it, that repeats each password."""

    def say(words: str) -> None:
        writer.write(f"{words}\r\n".encode())

    while line := (await reader.readline()).decode("latin-1").rstrip("\r\n"):
        verb, _, rest = line.partition(" ")
        if verb.upper() in {"EHLO", "HELO"}:
            say("250-mail.example")
            say("250 AUTH PLAIN LOGIN")
        elif verb.upper() == "AUTH":
            told = base64.b64decode(rest.split()[-1]).decode("latin-1").replace("\0", " ")
            say(f"535 5.7.8 No: {rest} {told}")
        elif rest.upper().startswith("CAPABILITY"):
            say("* CAPABILITY IMAP4rev1")
            say(f"{verb} OK done")
        elif rest.upper().startswith("LOGIN"):
            say(f"{verb} NO [AUTHENTICATIONFAILED] {rest}")
        elif rest.upper().startswith("LOGOUT"):
            say("* BYE")
            say(f"{verb} OK done")
        elif verb.upper() == "QUIT":
            say("221 bye")
        else:
            say(f"{verb} BAD {rest}" if rest else f"500 {line}")
        await writer.drain()
    writer.close()


@asynccontextmanager
async def mail_parrot(greeting: str) -> AsyncGenerator[int]:
    """The port of such a mail server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{greeting}\r\n".encode())
        try:
            await _mail_session(reader, writer)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
