"""The way out: every call of the product to somebody else's server, by HTTP for the most part.

A call has a deadline, a largest answer, and a guard: it goes to public addresses only, over TLS, unless the
server's settings allow the host by name (the sandbox, a private mail gateway). The name is resolved once and the
connection made to the address that was judged, so that a second answer of the name server changes nothing. Where a
cloud gives out a machine's credentials nobody is ever sent, by whatever name.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

import httpcore2
import httpx2
import orjson

from chatwright.kernel.errors import Unavailable
from chatwright.net.addresses import is_metadata, is_public
from chatwright.net.forms import FormFile, multipart

HTTP_PORT = 80
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
MOST_BYTES = 5 * 1024 * 1024
"""Of an answer that is read whole."""
MOST_REDIRECTS = 3
IDLE_SECONDS = 5.0
"""How long a connection is kept for the next call. A server that closes it at that moment makes a send uncertain,
so it is shorter than what servers usually wait."""


class NotSent(Unavailable):
    """The call certainly did not reach the other side: it may be made again."""

    code = "NOT_SENT"


class NoAnswer(Unavailable):
    """Nobody answered in time, but the other side may have taken the call."""

    code = "NO_ANSWER"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - JSON is whatever it is.
        """The body as JSON; None where it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is read piece by piece."""

    status: int
    headers: Mapping[str, str]
    content: AsyncIterator[bytes]
    """Raises NoAnswer when it breaks off."""


class Web:
    """The way out, one per process; `allowed` are `host` or `host:port` that need not be public nor encrypted."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = frozenset(name.lower() for name in allowed)
        self._client = httpx2.AsyncClient(
            transport=_GuardedTransport(self._allowed),
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            max_redirects=MOST_REDIRECTS,
            headers={"user-agent": "Chatwright"},
            trust_env=False,
            # Here, and not before the call, because a redirect is a request of its own.
            event_hooks={"request": [self._check]},
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    async def call(  # noqa: PLR0913 - what a call may be made of, all named at every use.
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        files: Sequence[FormFile] = (),
        seconds: float = ANSWER_SECONDS,
        most: int = MOST_BYTES,
    ) -> Answer:
        """Make one call and read its answer whole, of at most so many bytes; redirects are not followed.

        `json` goes as a JSON body, `form` as a form, with `files` as multipart. Raises NotSent or NoAnswer, whose
        words name the host and never the path, which may hold a secret.
        """
        body = _body(json, form, files)
        async with self._opened(method, url, seconds, params=params, headers=headers, body=body) as answer:
            return Answer(answer.status, answer.headers, await _whole(answer.content, url, most))

    @asynccontextmanager
    async def stream(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 120.0,
    ) -> AsyncGenerator[Streamed]:
        """Fetch something large; redirects are followed, without credentials to other hosts."""
        body = _Body({}, None)
        async with self._opened(
            "GET", url, seconds, params=params, headers=headers, body=body, follow=True
        ) as answer:
            yield answer

    async def dial(self, host: str, port: int, *, encrypted: bool) -> socket.socket:
        """Connect for another protocol (SMTP, IMAP) under the same guard; the caller closes it.

        `encrypted` says whether TLS will be spoken. Raises NotSent.
        """
        if not encrypted and not _is_allowed(host, port, self._allowed):
            raise NotSent(
                f"The server does not call {host} without encryption.",
                hint="Use TLS, or have the host allowed in CHATWRIGHT_ALLOWED_HOSTS.",
            )
        allowed = _is_allowed(host, port, self._allowed)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await _connected(await _judged(host, port, CONNECT_SECONDS, allowed=allowed), port)
        except (TimeoutError, httpcore2.ConnectTimeout):
            raise NotSent(f"{host} could not be reached in time.") from None
        except (OSError, UnicodeError, httpcore2.ConnectError) as error:
            raise NotSent(f"{host} could not be reached: {_reason(error)}.") from None

    @asynccontextmanager
    async def _opened(
        self,
        method: str,
        url: str,
        seconds: float,
        *,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: "_Body",
        follow: bool = False,
    ) -> AsyncGenerator[Streamed]:
        host = _host_of(url)
        with _told(host):
            request = self._client.build_request(
                method, url, params=params, headers={**(headers or {}), **body.headers}, content=body.content
            )
            async with asyncio.timeout(seconds):
                response = await self._client.send(request, stream=True, follow_redirects=follow)
                try:
                    yield Streamed(response.status_code, dict(response.headers), response.aiter_bytes())
                finally:
                    await response.aclose()

    async def _check(self, request: httpx2.Request) -> None:
        url = request.url
        if url.scheme == "http" and not _is_allowed(url.host, url.port or HTTP_PORT, self._allowed):
            raise NotSent(
                f"The server does not call {url.host} without encryption.",
                hint="Use https, or have the host allowed in CHATWRIGHT_ALLOWED_HOSTS.",
            )


def _host_of(url: str) -> str:
    """The host in words; raises NotSent for what is no address of one."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if not host:
        message = "This is not the address of a server."
        raise NotSent(message)
    return host


def _is_allowed(host: str, port: int, allowed: frozenset[str]) -> bool:
    return host.lower() in allowed or f"{host.lower()}:{port}" in allowed


@dataclass(frozen=True, slots=True)
class _Body:
    headers: Mapping[str, str]
    content: bytes | AsyncIterator[bytes] | None


def _body(json: object, form: Mapping[str, str] | None, files: Sequence[FormFile]) -> _Body:
    if files:
        made = multipart(form or {}, files)
        return _Body(made.headers, made.body)
    if form is not None:
        content = str(httpx2.QueryParams(dict(form))).encode()
        return _Body({"content-type": "application/x-www-form-urlencoded"}, content)
    if json is not None:
        return _Body({"content-type": "application/json"}, orjson.dumps(json))
    return _Body({}, None)


async def _whole(content: AsyncIterator[bytes], url: str, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in content:
        size += len(piece)
        if size > most:
            raise NoAnswer(f"{_host_of(url)} answered with more than {most} bytes.")
        pieces.append(piece)
    return b"".join(pieces)


class _told:  # noqa: N801 - it reads as a word where it is used.
    """Says what went wrong on the way in our own words, and whether the call can have been taken."""

    def __init__(self, host: str) -> None:
        self._host = host

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case httpx2.ConnectTimeout() | httpx2.PoolTimeout():
                raise NotSent(f"{self._host} could not be reached in time.") from None
            case httpx2.ConnectError():
                raise NotSent(f"{self._host} could not be reached: {_reason(error)}.") from None
            case httpx2.UnsupportedProtocol() | httpx2.LocalProtocolError() | httpx2.InvalidURL():
                raise NotSent(f"{self._host} could not be called: the request is not a valid one.") from None
            case httpx2.TimeoutException() | TimeoutError():
                raise NoAnswer(f"{self._host} did not answer in time.") from None
            case httpx2.HTTPError():
                raise NoAnswer(f"{self._host} broke the connection off.") from None
            case _:
                return


async def _connected(addresses: Sequence[str], port: int) -> socket.socket:
    """A connection to the first of these addresses that answers."""
    loop = asyncio.get_running_loop()
    failure = OSError("no address")
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(0)
        try:
            await loop.sock_connect(connection, (address, port))
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure


def _reason(error: Exception) -> str:
    """Why there is no connection, without what a library may have put of the URL into its words."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ForbiddenAddress():
                return "the server may not call this address"
            case socket.gaierror():
                return "there is no such host"
            case ssl.SSLError():
                return "its TLS certificate is not accepted"
            case ConnectionRefusedError():
                return "nobody listens there"
            case _:
                cause = cause.__cause__ or cause.__context__
    return "no connection"


class ForbiddenAddress(httpcore2.ConnectError):
    """The host's address is not public, and the host is not allowed by name."""


class _GuardedTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__(verify=_trust(), trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_trust(),
            max_connections=200,
            max_keepalive_connections=50,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=_GuardedBackend(allowed),
        )


@cache
def _trust() -> ssl.SSLContext:
    """Whose certificates are believed. Reading them takes 40 ms, so it is done once."""
    return httpx2.create_ssl_context(trust_env=False)


class _GuardedBackend(httpcore2.AsyncNetworkBackend):
    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._plain = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's.
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of the host that answers, if all may be called."""
        allowed = _is_allowed(host, port, self._allowed)
        failure: Exception = httpcore2.ConnectError("no address")
        for address in await _judged(host, port, timeout, allowed=allowed):
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


async def _judged(host: str, port: int, seconds: float | None, *, allowed: bool) -> list[str]:
    """The addresses of a host, in the order to try them; raises ForbiddenAddress."""
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout from error
    except (OSError, UnicodeError) as error:
        raise httpcore2.ConnectError(str(error)) from error
    addresses = list(dict.fromkeys(cast("str", address[0]) for *_, address in found))
    # One that may not be called among them is a sign of a trick: then none is used.
    if not addresses or any(map(is_metadata, addresses)) or not (allowed or all(map(is_public, addresses))):
        raise ForbiddenAddress(host)
    return addresses
