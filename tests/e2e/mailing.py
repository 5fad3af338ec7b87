"""A mailbox on real mail servers, to send from in numbers, through a door at which some mails meet with trouble."""

import asyncio
import random
import ssl
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum
from uuid import UUID

from chatwright.kernel.ids import new_id
from tests.channels.email.conftest import settings_for
from tests.e2e.sending import Business, Inbox
from tests.mail.authority import HOST
from tests.mail.servers import MailServers

LARGEST_MAIL = 1024 * 1024
"""Bytes."""


class Trouble(StrEnum):
    """What can happen to somebody who sends a mail."""

    AWAY = "the connection ends before a word"
    LATER = "the recipient is put off"
    CLOSING = "the service is closing"
    FULL = "there is no room for the mail once it is there"
    SILENT = "the mail is taken, and the connection ends before it is said"


DECK = (
    *(Trouble.AWAY, Trouble.LATER),
    *(Trouble.CLOSING, Trouble.FULL),
    *(Trouble.SILENT, Trouble.SILENT),
    *(None,) * 34,
)
"""Of forty connections: one in twenty is put off, in one the server is in trouble, in one it falls silent."""


@dataclass
class Door:
    """Stands before the server that takes mail, with the server's own certificate, and passes on what is said."""

    servers: MailServers
    port: int = 0
    troubled: bool = False
    met: Counter[Trouble] = field(default_factory=Counter[Trouble])
    """What happened how often."""
    guests: int = 0
    """Connections open just now."""
    _deck: list[Trouble | None] = field(default_factory=list[Trouble | None])

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection."""
        self.guests += 1
        try:
            # Whoever is killed breaks off anywhere.
            with suppress(ConnectionError, EOFError, ssl.SSLError):
                await self._meet(reader, writer)
        finally:
            writer.transport.abort()
            self.guests -= 1

    async def quiet(self) -> None:
        """Wait until all mails that were taken are in their mailboxes."""
        while self.guests or any((self.servers.folder / "spool" / "input").glob("*")):
            await asyncio.sleep(0.1)

    async def _meet(self, reader: StreamReader, writer: StreamWriter) -> None:
        trouble = self._draw()
        if trouble is Trouble.AWAY:
            self.met[trouble] += 1
        elif trouble is Trouble.CLOSING:
            self.met[trouble] += 1
            writer.write(b"421 4.3.2 Closing, come back later\r\n")
            await writer.drain()
        else:
            await self._pass_on(reader, writer, trouble)

    def _draw(self) -> Trouble | None:
        if not self.troubled:
            return None
        if not self._deck:
            self._deck = random.sample(DECK, len(DECK))
        return self._deck.pop()

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter, trouble: Trouble | None) -> None:
        trusting = ssl.create_default_context(cadata=self.servers.certificates.authority)
        server_reader, server_writer = await asyncio.open_connection(
            HOST, self.servers.ports.smtps, ssl=trusting
        )
        try:
            talk = _Talk(reader, writer, server_reader, server_writer)
            if await talk.passes(trouble) and trouble is not None:
                self.met[trouble] += 1
        finally:
            server_writer.transport.abort()


@dataclass(frozen=True)
class _Talk:
    """A client's commands, and the server's answer to each."""

    reader: StreamReader
    writer: StreamWriter
    server_reader: StreamReader
    server_writer: StreamWriter

    async def passes(self, trouble: Trouble | None) -> bool:
        """Pass on what is said until somebody leaves; returns whether the trouble came to pass."""
        met = False
        await self._tell(await self._answer())
        while command := await self.reader.readline():
            word = command[:4].upper()
            if word == b"RCPT" and trouble is Trouble.LATER:
                await self._tell(b"451 4.3.0 Try again later\r\n")
                met = True
            elif word == b"DATA" and trouble is Trouble.FULL:
                await self._tell(b"354 Go on\r\n")
                await self._mail()
                await self._tell(b"452 4.3.1 There is no room\r\n")
                met = True
            else:
                answer = await self._ask(command)
                await self._tell(answer)
                if word == b"DATA" and answer.startswith(b"354"):
                    verdict = await self._ask(await self._mail())
                    if trouble is Trouble.SILENT:
                        return verdict.startswith(b"250")
                    await self._tell(verdict)
        return met

    async def _mail(self) -> bytes:
        """All of a mail, with the dot that ends it."""
        return await self.reader.readuntil(b"\r\n.\r\n")

    async def _ask(self, words: bytes) -> bytes:
        self.server_writer.write(words)
        await self.server_writer.drain()
        return await self._answer()

    async def _answer(self) -> bytes:
        """All lines of it: those before the last have a hyphen behind the code."""
        lines = [await self.server_reader.readuntil(b"\n")]
        while lines[-1][3:4] == b"-":
            lines.append(await self.server_reader.readuntil(b"\n"))
        return b"".join(lines)

    async def _tell(self, words: bytes) -> None:
        self.writer.write(words)
        await self.writer.drain()


@asynccontextmanager
async def opened_door(servers: MailServers) -> AsyncGenerator[Door]:
    """A door on a free port."""
    door = Door(servers)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(servers.folder / "server.pem", servers.folder / "key.pem")
    server = await asyncio.start_server(door.serve, "127.0.0.1", 0, ssl=context, limit=LARGEST_MAIL)
    async with server:
        door.port = server.sockets[0].getsockname()[1]
        yield door


@dataclass(frozen=True)
class Arrived:
    """A mail in a customer's mailbox."""

    customer: str
    mail: EmailMessage

    def answer(self) -> EmailMessage:
        """What the customer writes back."""
        answer = EmailMessage()
        answer["From"], answer["To"] = f"{self.customer}@people.test", self.mail["Reply-To"]
        answer["Message-ID"] = f"<{new_id()}@people.test>"
        answer["In-Reply-To"] = self.mail["Message-ID"]
        answer["Subject"] = "Re: Where is my parcel?"
        answer.set_content("Thank you")
        return answer


@dataclass
class Mailbox(Inbox):
    """An inbox whose customers have mailboxes of their own."""

    door: Door
    customers: list[str]
    """The names of their mailboxes."""

    async def took(self) -> Counter[str]:
        """By the text of the message that a mail's Message-ID names."""
        rows = await self.business.database.fetch(
            "select id, content::jsonb ->> 'text' as text from messages where inbox_id = $1 and direction = 'out'",
            self.inbox_id,
        )
        texts = {_mail_id(row["id"]): row["text"] for row in rows}
        return Counter(texts[arrived.mail["Message-ID"]] for arrived in await self.arrived())

    async def arrived(self) -> list[Arrived]:
        """What the customers got."""
        await self.door.quiet()
        return await asyncio.to_thread(self._look)

    async def answer_uncertain(self) -> None:
        """Have each mail answered of which nobody here knows that it arrived, and wait until the answers are in."""
        rows = await self.business.database.fetch(
            "select id from messages where inbox_id = $1 and status = 'unknown'", self.inbox_id
        )
        uncertain = {_mail_id(row["id"]) for row in rows}
        answers = [found.answer() for found in await self.arrived() if found.mail["Message-ID"] in uncertain]
        for answer in answers:
            await asyncio.to_thread(self.door.servers.post, answer, sender=answer["From"], to=answer["To"])
        while await self._heard() < len(self.customers) + len(answers):
            await asyncio.sleep(0.2)

    async def _heard(self) -> int:
        return await self.business.database.fetchval(
            "select count(*) from messages where inbox_id = $1 and direction = 'in'", self.inbox_id
        )

    def _look(self) -> list[Arrived]:
        return [
            Arrived(customer, message_from_bytes(mail, policy=default))
            for customer in self.customers
            for mail in self.door.servers.mails(customer)
        ]


def _mail_id(message_id: UUID) -> str:
    return f"<{message_id}@shop.test>"


async def connected_mailbox(business: Business, door: Door, *, people: int) -> Mailbox:
    """A new mailbox that sends through the door, to which so many customers have written."""
    servers = door.servers
    address = servers.account("help")
    settings = settings_for(servers, address) | {"smtp_port": door.port}
    found = await business.post("/inboxes/connect", channel="email", name="Email", settings=settings)
    assert all(finding["ok"] for finding in found["findings"]), found
    customers = [f"customer-{number}" for number in range(people)]
    for customer in customers:
        servers.account(customer)
        mail = EmailMessage()
        mail["From"], mail["To"] = f"{customer}@people.test", address
        mail["Message-ID"] = f"<{new_id()}@people.test>"
        mail["Subject"] = "Where is my parcel?"
        mail.set_content(f"Hello from {customer}")
        await asyncio.to_thread(servers.post, mail, sender=mail["From"], to=address)
    inbox_id = found["inbox"]["id"]
    conversations = await business.heard_from(inbox_id, people)
    return Mailbox(business, "email", UUID(inbox_id), conversations, door, customers)
