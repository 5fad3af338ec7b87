"""A mailbox on its server, read and waited for.

The library blocks, so each mailbox has a thread of its own; a cancelled reader shuts the connection down, which
wakes the thread. Where the reader is, is a cursor: the folder's UIDVALIDITY and the last UID (RFC 3501, 2.3.1.1).
UIDs of another UIDVALIDITY mean nothing: then everything since the beginning is fetched again, and the events' keys
tell what was here already.
"""

import asyncio
import contextlib
import imaplib
import re
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError
from imap_tools.idle import IdleManager
from imap_tools.mailbox import BaseMailBox

from chatwright.channels.email.sending import CERTIFICATE, SIGN_IN
from chatwright.channels.email.settings import EmailSettings
from chatwright.kernel.errors import Unavailable
from chatwright.net.http import Web
from chatwright.ports.channel import CredentialsLost

IDLE_SECONDS = 9 * 60.0
"""Servers end an IDLE after 29 minutes (RFC 2177), and many routers forget a silent connection after ten."""
POLL_SECONDS = 30.0
"""How often a server without IDLE is asked."""
COMMAND_SECONDS = 60.0
PORTS = "Most servers speak tls on port 993 and starttls on port 143."
LARGEST_MAIL = 36 * 1024 * 1024
"""Bytes; of a larger one only the beginning is fetched. Providers take 25 to 35 MB."""
BEGINNING = 256 * 1024
CLOCKS = timedelta(minutes=15)
"""How far the server's clock may go after ours without a mail being taken for an old one."""
BATCH_MAILS = 25
BATCH_BYTES = 8 * 1024 * 1024
_PASSING = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]|temporar|too many|try again", re.IGNORECASE)
"""RFC 5530: refusals of a sign-in that have nothing to do with the password."""
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FetchedMail:
    """A mail as the server has it."""

    uid: int
    received_at: datetime | None
    size: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a mailbox was read."""

    since: datetime
    """Older mail is not ours to read: it was there before the inbox was connected."""
    validity: int = 0
    uid: int = 0

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Cursor":
        """A stored cursor; a new one begins now."""
        match stored:
            case {"since": str(since), "uidvalidity": int(validity), "uid": int(uid)}:
                return cls(datetime.fromisoformat(since), validity, uid)
            case {"since": str(since)}:
                return cls(datetime.fromisoformat(since))
            case _:
                return cls(datetime.now(UTC))

    def stored(self) -> dict[str, Any]:
        """As it is kept."""
        return {"since": self.since.isoformat(), "uidvalidity": self.validity, "uid": self.uid}


class ImapMailbox:
    """A selected folder, called from the loop."""

    def __init__(self, box: BaseMailBox, thread: ThreadPoolExecutor) -> None:
        self._box = box
        self._thread = thread

    async def validity(self) -> int:
        """The folder's UIDVALIDITY."""
        return await self._call(self._validity)

    async def uids(self, cursor: Cursor) -> list[int]:
        """UIDs of the mails after a cursor, in order."""
        return await self._call(self._uids, cursor)

    async def fetch(self, uid: int, since: datetime) -> FetchedMail | None:
        """A mail; None when it is gone, or came in before."""
        return await self._call(self._fetch, uid, since)

    async def mark_seen(self, uids: Sequence[int]) -> None:
        """Mark mails as read."""
        await self._call(self._store_seen, uids)

    async def wait(self) -> None:
        """Wait for news, or until it is time to look anyway."""
        if "IDLE" in self._box.client.capabilities:
            await self._call(self._idle)
        else:
            await asyncio.sleep(POLL_SECONDS)
            await self._call(self._box.client.noop)

    def _validity(self) -> int:
        told = cast("list[bytes | None]", self._box.client.response("UIDVALIDITY")[1])
        return int(told[-1] or 0) if told else 0

    def _uids(self, cursor: Cursor) -> list[int]:
        if cursor.validity:
            words = f"UID {cursor.uid + 1}:*"
        else:
            # Days are all that a search knows, and each server has its own time zone.
            words = f"SINCE {imaplib.Time2Internaldate(cursor.since - timedelta(days=2))[1:12].strip()}"
        # A range that ends in * always has the last mail in it, also when that is an old one.
        return sorted(uid for uid in map(int, self._box.uids(words)) if uid > cursor.uid)

    def _fetch(self, uid: int, since: datetime) -> FetchedMail | None:
        head = _first(self._box.client.uid("FETCH", str(uid), "(INTERNALDATE RFC822.SIZE)"))
        received_at = None if head is None else _moment(head)
        if head is None or (received_at is not None and received_at < since - CLOCKS):
            return None
        size = int(found[1]) if (found := _SIZE.search(head)) else 0
        part = f"BODY.PEEK[]<0.{BEGINNING}>" if size > LARGEST_MAIL else "BODY.PEEK[]"
        raw = _literal(self._box.client.uid("FETCH", str(uid), f"({part})"))
        return None if raw is None else FetchedMail(uid, received_at, size, raw)

    def _store_seen(self, uids: Sequence[int]) -> None:
        self._box.client.uid("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", r"(\Seen)")

    def _idle(self) -> None:
        with self._box.idle as idle:
            cast("_Idle", idle).wait_for_news(IDLE_SECONDS)

    async def _call(self, function: Callable[..., T], *arguments: object) -> T:
        with _in_words():
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


@asynccontextmanager
async def opened_mailbox(web: Web, settings: EmailSettings) -> AsyncGenerator[ImapMailbox]:
    """Connect, sign in and open the folder.

    Raises CredentialsLost when a person has to look at it, and Unavailable when it may work later.
    """
    encrypted = settings.imap_security != "none"
    connection = await web.dial(settings.imap_host, settings.imap_port, encrypted=encrypted)
    thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
    opened = _Connection(connection)
    try:
        with _in_words():
            box = await asyncio.get_running_loop().run_in_executor(thread, _signed_in, opened, settings)
        yield ImapMailbox(box, thread)
    finally:
        opened.end()
        # Not here: the thread may be using it until it wakes.
        thread.submit(opened.close)
        thread.shutdown(wait=False)


async def batches(
    mailbox: ImapMailbox, uids: Iterable[int], since: datetime
) -> AsyncGenerator[list[FetchedMail]]:
    """The mails, in parts that fit into memory; what is gone meanwhile, or came in before, is left out."""
    batch: list[FetchedMail] = []
    for uid in uids:
        mail = await mailbox.fetch(uid, since)
        if mail is None:
            continue
        batch.append(mail)
        if len(batch) >= BATCH_MAILS or sum(len(one.raw) for one in batch) >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


class _Connection:
    """A socket that can be ended from outside while a thread waits for it."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(COMMAND_SECONDS)
        self.client: imaplib.IMAP4 | None = None

    def wrapped(self, context: ssl.SSLContext, host: str) -> socket.socket:
        """The same connection under TLS from now on."""
        self.socket = context.wrap_socket(self.socket, server_hostname=host)
        return self.socket

    def end(self) -> None:
        """Wake whoever waits, with the end of the connection."""
        with contextlib.suppress(OSError):
            # The plain part of it: an encrypted goodbye would be for the thread to say.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it, and of what the library has of it."""
        if self.client is None:
            self.socket.close()
            return
        with contextlib.suppress(OSError):
            self.client.shutdown()


class _Client(imaplib.IMAP4):
    """The library's client on a connection that was made already."""

    def __init__(self, host: str, connection: _Connection) -> None:
        self._connection = connection
        connection.client = self
        super().__init__(host)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        del timeout
        return self._connection.socket

    def encrypt(self, context: ssl.SSLContext) -> None:
        """STARTTLS."""
        self.starttls(context)
        self._connection.socket = self.sock


class _Idle(IdleManager):
    """IDLE that misses nothing which the server says in the same breath as its answer."""

    mailbox: Any
    _idle_tag: Any
    _heard = False

    def start(self) -> list[bytes]:
        """Begin, and keep what comes before the server agrees."""
        client = self.mailbox.client
        self._idle_tag = client._command("IDLE")  # noqa: SLF001 - as the library itself does.
        before: list[bytes] = []
        while (line := client._get_response()) is not None:  # noqa: SLF001 - as the library itself does.
            if client.tagged_commands[self._idle_tag]:
                message = "IDLE was refused"
                raise imaplib.IMAP4.abort(message)
            before.append(line)
        self._heard = bool(before) or self._has_buffered()
        return before

    def wait_for_news(self, seconds: float) -> None:
        """Return as soon as there is something to look at."""
        if not self._heard:
            self.poll(seconds)

    def _has_buffered(self) -> bool:
        """Whether something was read together with the answer, of which the socket would not tell any more."""
        connection = self.mailbox.client.sock
        waiting = connection.gettimeout()
        connection.settimeout(0)
        try:
            return bool(self.mailbox.client.file.peek(1))
        except OSError:
            return False
        finally:
            connection.settimeout(waiting)


class _Box(BaseMailBox):
    idle_manager_class = _Idle

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._given = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._given


def _signed_in(connection: _Connection, settings: EmailSettings) -> BaseMailBox:
    if settings.imap_security == "tls":
        connection.wrapped(settings.tls_context(), settings.imap_host)
    client = _Client(settings.imap_host, connection)
    if settings.imap_security == "starttls":
        client.encrypt(settings.tls_context())
    box = _Box(client)
    name, password = settings.imap_login()
    sign_in = box.login if f"{name}{password}".isascii() else box.login_utf8
    sign_in(name, password, initial_folder=None)
    # What is offered may be more now than before.
    _, told = client.capability()
    client.capabilities = tuple(str(told[-1], "ascii", "replace").upper().split())
    cast("Any", box.folder).set(settings.folder, readonly=not settings.mark_seen)
    return box


class _in_words:  # noqa: N801 - it reads as a word where it is used.
    """Says in our own words what a mail server did, and whether it takes a person to mend it."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case MailboxLoginError() if not _PASSING.search(str(error)):
                words = "The mail server does not accept the name or the password."
                raise CredentialsLost(words, hint=SIGN_IN) from None
            case MailboxFolderSelectError():
                words = "The mailbox has no folder of the name that is set."
                raise CredentialsLost(
                    words, hint="The folder that mail arrives in is nearly always INBOX."
                ) from None
            case ssl.SSLCertVerificationError():
                words = f"The mail server's TLS certificate is not accepted: {error.verify_message}."
                raise Unavailable(words, hint=CERTIFICATE) from None
            case ssl.SSLError():
                raise Unavailable("The mail server does not speak TLS on this port.", hint=PORTS) from None
            case ImapToolsError() | imaplib.IMAP4.error():
                raise Unavailable("The mail server broke off, or refused a command.", hint=PORTS) from None
            case OSError():
                raise Unavailable("The connection to the mail server was lost.") from None
            case _:
                return


def _first(answer: tuple[str, list[Any]]) -> bytes | None:
    """The first line of an answer to FETCH; None when there is no such mail."""
    status, data = answer
    line = data[0] if status == "OK" and data else None
    return cast("bytes", line[0]) if isinstance(line, tuple) else cast("bytes | None", line)


def _literal(answer: tuple[str, list[Any]]) -> bytes | None:
    """The literal of an answer to FETCH."""
    status, data = answer
    if status != "OK":
        return None
    return next((cast("bytes", item[1]) for item in data if isinstance(item, tuple)), None)


def _moment(head: bytes) -> datetime | None:
    """INTERNALDATE, which the library gives in this machine's own time."""
    told = imaplib.Internaldate2tuple(head)
    return None if told is None else datetime.fromtimestamp(time.mktime(told), UTC)
