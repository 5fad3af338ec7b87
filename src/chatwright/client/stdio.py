"""`chatwright mcp`: an MCP server on stdin and stdout that is a running Chatwright's `/mcp`.

An MCP client starts this anew for every session and waits for it, so it is the standard library and nothing
else: it reads JSON-RPC messages line by line, posts each to the server, and writes the answers as they come.
It follows both eras of the protocol by what the messages say of themselves, and decides nothing.

Nothing but the protocol goes to stdout; what a person should know goes to stderr.
"""

import base64
import json
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from chatwright.client.profiles import Profile, ProfileError, choose_profile

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 300.0
"""How long a server may say nothing; on a stream it says at least a comment every 15 seconds."""
LEAVING_SECONDS = 5.0
"""How long calls under way may still take once the client has closed stdin."""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
SERVER_ERROR = -32000

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CLIENT_KEY = "io.modelcontextprotocol/clientInfo"
LISTEN = "subscriptions/listen"
CANCELLED = "notifications/cancelled"
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Methods whose subject goes into a header, and the parameter that names it."""

Json = dict[str, Any]
Send = Callable[[bytes], None]


def main(arguments: list[str] | None = None) -> int:
    """Serve stdin until it ends; returns the exit code."""
    profile, selection = _read_arguments(sys.argv[1:] if arguments is None else arguments)
    bridge = Bridge(lambda: choose_profile(profile), _to_stdout(), selection)
    try:
        bridge.serve(sys.stdin.buffer)
    except KeyboardInterrupt:
        return 130
    return 0


def _read_arguments(arguments: list[str]) -> tuple[str | None, dict[str, str]]:
    """The profile to use, and the headers that choose tools."""
    if not arguments:
        return None, {}
    import argparse  # noqa: PLC0415 - most clients start this without arguments.

    parser = argparse.ArgumentParser(
        prog="chatwright mcp",
        description="Serve MCP on stdin and stdout, for a running Chatwright.",
        epilog="'chatwright mcp inspect' shows the tools and what they cost.",
    )
    parser.add_argument("--profile", help="name of the server's profile; else the default one")
    parser.add_argument("--toolsets", default="", help="show these toolsets only, e.g. agent,segments")
    parser.add_argument("--read-only", action="store_true", help="leave out every tool that writes")
    parser.add_argument("--exclude", default="", help="leave these tools out, e.g. send_message")
    chosen = parser.parse_args(arguments)
    headers = {
        "X-Chatwright-Toolsets": chosen.toolsets,
        "X-Chatwright-Readonly": "true" if chosen.read_only else "",
        "X-Chatwright-Exclude": chosen.exclude,
    }
    return chosen.profile, {name: header_value(value) for name, value in headers.items() if value}


def _to_stdout() -> Send:
    lock = threading.Lock()
    out = sys.stdout.buffer

    def send(line: bytes) -> None:
        with lock:
            out.write(line + b"\n")
            out.flush()

    return send


class Failure(Exception):
    """A message that got no proper answer: what to tell the client instead."""

    def __init__(self, code: str, message: str, *, hint: str, retryable: bool = False) -> None:
        super().__init__(message)
        self.data = {"code": code, "message": message, "hint": hint, "retryable": retryable}


class Call:
    """One message on its way."""

    def __init__(self, message: Json) -> None:
        self.message = message
        self.method: str = message["method"] if isinstance(message.get("method"), str) else ""
        self.params = _object(message.get("params"))
        self.meta = _object(self.params.get("_meta"))
        self.socket: socket.socket | None = None
        self.abandoned = False

    @property
    def version(self) -> str | None:
        """The revision a message of the modern era names."""
        version = self.meta.get(VERSION_KEY)
        return version if isinstance(version, str) else None

    @property
    def expects_answer(self) -> bool:
        return self.message.get("id") is not None and self.method != ""

    @property
    def key(self) -> str:
        """The id, with its type: 1 and "1" are two calls."""
        return json.dumps(self.message.get("id"))

    def abandon(self) -> None:
        """Hang up: in the modern era that is how a call over HTTP is cancelled."""
        self.abandoned = True
        if self.socket is not None:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                # It has hung up already.
                self.socket = None


class Bridge:
    """Carries messages between one client and one server."""

    def __init__(
        self, choose: Callable[[], Profile], send: Send, selection: Mapping[str, str] | None = None
    ) -> None:
        """`selection` are headers that choose tools, sent with every message."""
        self._choose = choose
        self._send = send
        self._selection = selection or {}
        self._lines = Lines()
        self._lock = threading.Lock()
        self._profile: Profile | None = None
        self._version: str | None = None
        """The revision that initialize agreed on, or the one that the latest message named."""
        self._client = "chatwright-mcp"
        self._calls: dict[str, Call] = {}
        self._threads: set[threading.Thread] = set()

    def serve(self, lines: Iterable[bytes]) -> None:
        """Carry every message until the lines end, each in a thread of its own."""
        for line in lines:
            if line.strip():
                self._take(line)
        with self._lock:
            calls, threads = list(self._calls.values()), list(self._threads)
        for call in calls:
            if call.method == LISTEN:
                call.abandon()
        leave_at = time.monotonic() + LEAVING_SECONDS
        for thread in threads:
            thread.join(max(0.0, leave_at - time.monotonic()))

    def _take(self, line: bytes) -> None:
        try:
            message: object = json.loads(line)
        except (ValueError, RecursionError):
            self._tell_error(None, PARSE_ERROR, "This line is not JSON.")
            return
        if not isinstance(message, dict):
            self._tell_error(None, INVALID_REQUEST, "A line is one JSON-RPC message; batches are not served.")
            return
        call = Call(cast("Json", message))
        if call.method == CANCELLED and self._hang_up(call):
            return
        self._note(call)
        thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        with self._lock:
            self._threads.add(thread)
            if call.expects_answer:
                self._calls[call.key] = call
        thread.start()

    def _hang_up(self, cancelled: Call) -> bool:
        """Cancel a call of the modern era; False for the older one, whose server is told by the message."""
        with self._lock:
            call = self._calls.get(json.dumps(cancelled.params.get("requestId")))
        if call is None or call.version is None:
            return False
        call.abandon()
        return True

    def _note(self, call: Call) -> None:
        """Remember what later messages do not repeat."""
        if call.version is not None:
            self._version = call.version
        info = _object(call.meta.get(CLIENT_KEY) or call.params.get("clientInfo"))
        if isinstance(info.get("name"), str):
            name = f"{info['name']}/{info.get('version', '')}".rstrip("/")
            self._client = (
                name.encode("ascii", "replace").decode().replace("\r", " ").replace("\n", " ")[:200]
            )

    def _run(self, call: Call) -> None:
        try:
            self._carry(call)
        except Failure as failure:
            # A call that hung up on purpose is owed no answer.
            if call.expects_answer and not call.abandoned:
                self._tell_error(call.message["id"], SERVER_ERROR, str(failure), failure.data)
            if not call.abandoned:
                sys.stderr.write(f"chatwright mcp: {failure}\n")
        except Exception as error:
            # Whatever it is, the client waits for an answer.
            if call.expects_answer:
                self._tell_error(
                    call.message["id"], SERVER_ERROR, f"The bridge tripped: {type(error).__name__}."
                )
            raise
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                if self._calls.get(call.key) is call:
                    del self._calls[call.key]

    def _carry(self, call: Call) -> None:
        profile = self._current_profile()
        address = Address.of(profile.url)
        body = json.dumps(call.message, separators=(",", ":")).encode()
        headers = self._headers(call, profile)
        try:
            line, response = self._lines.post(address, body, headers, call)
        except ConnectionLost as lost:
            self._profile = None
            raise _failure_of(lost, profile) from lost
        if response.status in {401, 403}:
            # The file may hold a new token by the next call.
            self._profile = None
        try:
            body = self._read(call, response)
        except (OSError, HTTPException) as error:
            raise _failure_of(ConnectionLost(error, sent=True), profile) from error
        finally:
            # Before the answer is passed on: the client's next message may follow at once.
            self._lines.keep(address, line, response)
        if body is not None and call.expects_answer:
            self._pass_on(call, _answer_in(response.status, body), body)

    def _current_profile(self) -> Profile:
        """The profile, read anew after a failure: the server may have been started or moved since."""
        profile = self._profile
        if profile is None:
            try:
                profile = self._profile = self._choose()
            except ProfileError as error:
                raise Failure(error.code, f"{error.message} {error.hint}", hint=error.hint) from error
        return profile

    def _headers(self, call: Call, profile: Profile) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "User-Agent": self._client,
            **self._selection,
        }
        if profile.token:
            headers["Authorization"] = f"Bearer {profile.token}"
        version = call.version or self._version
        if version is not None and call.method != "initialize":
            headers["MCP-Protocol-Version"] = header_value(version)
        if call.version is not None:
            headers["Mcp-Method"] = header_value(call.method)
            name = call.params.get(NAMED_BY.get(call.method, ""))
            if isinstance(name, str):
                headers["Mcp-Name"] = header_value(name)
        return headers

    def _read(self, call: Call, response: HTTPResponse) -> bytes | None:
        """The answer, once it is whole; None for a stream, whose messages are passed on as they come."""
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "text/event-stream":
            return response.read()
        self._relay_stream(call, response)
        return None

    def _relay_stream(self, call: Call, response: HTTPResponse) -> None:
        answered = False
        for event in _events(response):
            message = _object(_parsed(event))
            if not message:
                continue
            answered = answered or ("method" not in message and message.get("id") == call.message.get("id"))
            self._pass_on(call, message, event)
        if call.expects_answer and not answered:
            raise Failure(
                "ANSWER_LOST",
                "The stream ended before the answer came.",
                hint="Ask again; repeat a writing call with the same idempotency_key.",
                retryable=True,
            )

    def _pass_on(self, call: Call, message: Json, text: bytes) -> None:
        """Write a message of the server, as it came where that is one line with the right id."""
        if call.abandoned:
            return
        changed = False
        if "method" not in message:
            if call.method == "initialize":
                version = _object(message.get("result")).get("protocolVersion")
                self._version = version if isinstance(version, str) else self._version
            if message.get("id") is None:
                # Refused before its id was read.
                message["id"] = call.message["id"]
                changed = True
        if changed or b"\n" in text.strip():
            text = json.dumps(message, separators=(",", ":")).encode()
        self._send(text.strip())

    def _tell_error(self, id_: object, code: int, message: str, data: Json | None = None) -> None:
        error: Json = {"code": code, "message": message}
        if data is not None:
            error["data"] = data
        self._send(json.dumps({"jsonrpc": "2.0", "id": id_, "error": error}).encode())


class Address(NamedTuple):
    """Where `/mcp` is."""

    secure: bool
    host: str
    port: int | None
    path: str

    @classmethod
    def of(cls, url: str) -> "Address":
        """Read a server's URL; raises Failure for one that is none."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Failure(
                "BAD_URL",
                f"'{url}' is not the address of a server.",
                hint="It begins with http:// or https://.",
            )
        path = parts.path.rstrip("/").removesuffix("/mcp")
        return cls(parts.scheme == "https", parts.hostname, port, f"{path}/mcp")

    def connection(self) -> HTTPConnection:
        """A connection, not yet open."""
        kind = HTTPSConnection if self.secure else HTTPConnection
        return kind(self.host, self.port, timeout=CONNECT_SECONDS)


class ConnectionLost(Exception):
    """A connection that broke, and whether the message may have reached the server."""

    def __init__(self, reason: BaseException, *, sent: bool) -> None:
        super().__init__(str(reason) or type(reason).__name__)
        self.sent = sent


class Lines:
    """Connections to the server, kept for the next message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[Address, HTTPConnection]] = []

    def post(
        self, address: Address, body: bytes, headers: dict[str, str], call: Call
    ) -> tuple[HTTPConnection, HTTPResponse]:
        """Send a message and wait for the beginning of the answer. Raises ConnectionLost.

        A kept connection may be closed by the server just then. A message that may have arrived is only
        repeated when it cannot do a thing twice.
        """
        line = self._kept(address)
        if line is not None:
            try:
                return line, _posted(line, address, body, headers, call)
            except ConnectionLost:
                if call.method == "tools/call" or call.abandoned:
                    raise
        line = address.connection()
        return line, _posted(line, address, body, headers, call)

    def keep(self, address: Address, line: HTTPConnection, response: HTTPResponse) -> None:
        """Keep a connection whose answer was read to its end, and close any other."""
        whole = response.isclosed()
        response.close()
        if line.sock is None or not whole:
            line.close()
            return
        with self._lock:
            self._idle.append((address, line))

    def _kept(self, address: Address) -> HTTPConnection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                kept, line = self._idle.pop()
            # Between answers a server has nothing to say: what can be read then is that it hung up.
            if kept == address and line.sock and not select.select([line.sock], [], [], 0)[0]:
                return line
            line.close()


def _posted(
    line: HTTPConnection, address: Address, body: bytes, headers: dict[str, str], call: Call
) -> HTTPResponse:
    sent = False
    try:
        if line.sock is None:
            line.connect()
        call.socket = opened = cast("socket.socket", line.sock)
        opened.settimeout(SILENCE_SECONDS)
        if call.abandoned:
            message = "hung up"
            raise ConnectionAbortedError(message)
        sent = True
        line.request("POST", address.path, body, headers)
        return line.getresponse()
    except (OSError, HTTPException, ValueError) as error:
        line.close()
        raise ConnectionLost(error, sent=sent) from error


def _failure_of(lost: ConnectionLost, profile: Profile) -> Failure:
    if lost.sent:
        return Failure(
            "ANSWER_LOST",
            f"The connection to {profile.url} broke before the answer came ({lost}).",
            hint="The call may have been carried out; repeat a writing one with the same idempotency_key.",
            retryable=True,
        )
    return Failure(
        "SERVER_UNREACHABLE",
        f"No answer from {profile.url}: {lost}. Is it running? Start it with 'chatwright up'.",
        hint="Start the server, or name another with --profile.",
        retryable=True,
    )


def _events(response: HTTPResponse) -> Iterator[bytes]:
    """The data of each server-sent event."""
    data: list[bytes] = []
    while line := response.readline():
        text = line.rstrip(b"\r\n")
        if text.startswith(b"data:"):
            data.append(text[5:].removeprefix(b" "))
        elif not text and data:
            yield b"\n".join(data)
            data = []


def _answer_in(status: int, body: bytes) -> Json:
    """The JSON-RPC answer in a body; raises Failure for anything else."""
    message = _object(_parsed(body))
    if message.get("jsonrpc") != "2.0" or not message.keys() & {"result", "error"}:
        raise Failure(
            "NOT_CHATWRIGHT",
            f"The server answered {status}, but not as a Chatwright server does.",
            hint="Check the address in the profile, and what stands in front of the server.",
        )
    return message


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _object(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}


def header_value(text: str) -> str:
    """A text as a header carries it: plain where it can be, else as `=?base64?...?=`."""
    plain = all(" " <= letter <= "~" for letter in text) and text == text.strip()
    if plain and not (text.startswith("=?base64?") and text.endswith("?=")):
        return text
    return f"=?base64?{base64.b64encode(text.encode(errors='replace')).decode()}?="
