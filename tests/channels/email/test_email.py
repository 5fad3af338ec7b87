"""The channel between real mail servers."""

import asyncio
import re
from base64 import b64decode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from pydantic import SecretStr

from chatwright.channels.email import fetching, wire
from chatwright.channels.email.channel import Email
from chatwright.channels.email.settings import EmailSettings
from chatwright.kernel.errors import Unavailable
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import (
    AnyChannel,
    CredentialsLost,
    Downloading,
    HookRequest,
    InboxView,
    Listening,
    Unpacking,
    Unsubscribing,
)
from chatwright.ports.content import EmailContent, MediaContent, TextContent
from chatwright.ports.inbound import (
    DeliveryStatus,
    InboundConsent,
    InboundMessage,
    InboundStatus,
    InboundUnknown,
    RawEvent,
)
from chatwright.ports.sending import Outgoing, OutgoingFile, Reaction
from tests.channels.contract import ChannelContract
from tests.channels.email.conftest import HOOK_TOKEN, SERVER_URL, Mailboxes, an_inbox
from tests.channels.email.test_reading import letter
from tests.mail.servers import MailServers, mail_servers

EmailInbox = InboxView[EmailSettings]


def delivered(raw: bytes, token: str = HOOK_TOKEN) -> HookRequest:
    """A mail that another server delivers by HTTP."""
    return HookRequest("POST", {"authorization": f"Bearer {token}"}, {}, raw)


class TestContract(ChannelContract):
    on_servers: tuple[Email, EmailInbox]

    def channel(self) -> AnyChannel:
        return self.on_servers[0]

    def inbox(self) -> InboxView[Any]:
        return self.on_servers[1]

    def samples(self) -> Sequence[HookRequest]:
        with_file = letter("With a file", Message_ID="<a2@people.test>", In_Reply_To="<a1@people.test>")
        with_file.add_attachment(b"PDF", maintype="application", subtype="pdf", filename="bill.pdf")
        page = letter(Message_ID="<a3@people.test>")
        page.set_content("<p>Hello</p>", subtype="html")
        return [delivered(mail.as_bytes()) for mail in (letter(), with_file, page)]

    def forgeries(self) -> Mapping[str, HookRequest]:
        raw = letter().as_bytes()
        return {
            "no token": HookRequest("POST", {}, {}, raw),
            "an empty token": delivered(raw, ""),
            "another token": delivered(raw, HOOK_TOKEN + "x"),
            "a token of other letters": delivered(raw, "wörd"),
            "another scheme": HookRequest("POST", {"authorization": f"Basic {HOOK_TOKEN}"}, {}, raw),
        }

    def outgoing(self) -> Outgoing:
        return Outgoing(new_id(), "anybody@people.test", TextContent(text="Hello"))


@pytest.fixture(autouse=True, scope="module")
def _contract_on_servers(servers: MailServers, channel: Email) -> None:
    """For the whole module: Hypothesis does not go with a fixture made anew for each test."""
    servers.account("anybody")
    TestContract.on_servers = channel, an_inbox(servers)


def test_it_offers_what_the_product_asks_for(channel: Email) -> None:
    for port in (Listening, Unpacking, Unsubscribing):
        assert isinstance(channel, port)
    assert not isinstance(channel, Downloading)


@dataclass(frozen=True)
class Post:
    """What a listener handed over, as it came."""

    channel: Email
    inbox: EmailInbox
    events: list[RawEvent]
    cursors: list[Mapping[str, Any]]
    news: asyncio.Event

    async def take(self, events: Sequence[RawEvent], cursor: Mapping[str, Any]) -> None:
        self.events.extend(events)
        self.cursors.append(cursor)
        self.news.set()

    async def arrived(self, count: int) -> list[RawEvent]:
        """The events once there are so many; pytest's time-out ends the wait."""
        while len(self.events) < count:
            await self._more()
        return self.events

    async def connected(self) -> None:
        while not self.cursors:
            await self._more()

    async def inbound(self, count: int) -> list[Any]:
        """Everything that the first so many events say."""
        return [
            inbound
            for event in await self.arrived(count)
            for inbound in self.channel.parse(self.inbox, event.payload)
        ]

    async def _more(self) -> None:
        await self.news.wait()
        self.news.clear()


@asynccontextmanager
async def listening(
    channel: Email, inbox: EmailInbox, cursor: Mapping[str, Any] | None = None
) -> AsyncGenerator[Post]:
    """Listen to the inbox during the block."""
    post = Post(channel, inbox, [], [], asyncio.Event())
    since = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    task = asyncio.create_task(channel.listen(inbox, cursor or {"since": since}, post.take))
    try:
        yield post
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class TestListening:
    async def test_mail_that_waits_and_mail_that_comes(self, channel: Email, mailboxes: Mailboxes) -> None:
        inbox = mailboxes.inbox()
        address = inbox.settings.address
        first, second = letter("one"), letter("two", Message_ID="<a2@people.test>")
        mailboxes.servers.post(first, sender="ann@people.test", to=address)
        async with listening(channel, inbox) as post:
            await post.arrived(1)
            mailboxes.servers.post(second, sender="ann@people.test", to=address)
            found = await post.inbound(2)
        assert [inbound.content.text for inbound in found] == ["one", "two"]
        assert [event.lane for event in post.events] == ["ann@people.test"] * 2

    async def test_many_at_once_come_in_order(self, channel: Email, mailboxes: Mailboxes) -> None:
        inbox = mailboxes.inbox()
        for number in range(28):
            mail = letter(f"{number}", Message_ID=f"<a{number}@people.test>")
            await asyncio.to_thread(
                mailboxes.servers.post, mail, sender="ann@people.test", to=inbox.settings.address
            )
        async with listening(channel, inbox) as post:
            found = await post.inbound(28)
        uids = [cursor["uid"] for cursor in post.cursors]
        assert sorted(int(inbound.content.text) for inbound in found) == list(range(28))
        assert uids == sorted(uids)
        assert uids[-1] == 28

    async def test_a_mail_that_we_trip_over_is_kept_and_stops_nothing(
        self, channel: Email, mailboxes: Mailboxes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        head_of = wire.head_of

        def trip(raw: bytes) -> EmailMessage:
            if b"<bad@people.test>" in raw:
                raise RuntimeError("a fault of ours")
            return head_of(raw)

        monkeypatch.setattr(wire, "head_of", trip)
        inbox = mailboxes.inbox()
        for name in ("good", "bad", "better"):
            mail = letter(name, Message_ID=f"<{name}@people.test>")
            mailboxes.servers.post(mail, sender="ann@people.test", to=inbox.settings.address)
        async with listening(channel, inbox) as post:
            good, bad, better = await post.arrived(3)
        assert channel.parse(inbox, bad.payload) == [InboundUnknown("unreadable mail")]
        assert b"<bad@people.test>" in b64decode(bad.payload["unreadable"])
        for event, words in ((good, "good"), (better, "better")):
            (found,) = channel.parse(inbox, event.payload)
            assert isinstance(found, InboundMessage)
            assert isinstance(found.content, EmailContent)
            assert found.content.text == words
        async with listening(channel, inbox, {**post.cursors[-1], "uid": 0}) as again:
            assert {copy.dedupe_key for copy in await again.arrived(3)} == {
                event.dedupe_key for event in (good, bad, better)
            }
        async with listening(channel, inbox, post.cursors[-1]) as later:
            await later.news.wait()
        assert later.events == []

    async def test_it_goes_on_behind_the_cursor(self, channel: Email, mailboxes: Mailboxes) -> None:
        inbox = mailboxes.inbox()
        address = inbox.settings.address
        mailboxes.servers.post(letter("one"), sender="ann@people.test", to=address)
        async with listening(channel, inbox) as post:
            await post.arrived(1)
        mailboxes.servers.post(
            letter("two", Message_ID="<a2@people.test>"), sender="ann@people.test", to=address
        )
        async with listening(channel, inbox, post.cursors[-1]) as again:
            (found,) = await again.inbound(1)
        assert found.content.text == "two"

    async def test_a_mailbox_that_was_made_anew_is_read_from_the_start(
        self, channel: Email, mailboxes: Mailboxes
    ) -> None:
        inbox = mailboxes.inbox()
        mailboxes.servers.post(letter("one"), sender="ann@people.test", to=inbox.settings.address)
        async with listening(channel, inbox) as post:
            (event,) = await post.arrived(1)
        other = {**post.cursors[-1], "uidvalidity": 1, "uid": 999}
        async with listening(channel, inbox, other) as again:
            (copy,) = await again.arrived(1)
        assert copy.dedupe_key == event.dedupe_key

    async def test_mail_from_before_the_inbox_was_connected_stays_where_it_is(
        self, channel: Email, mailboxes: Mailboxes
    ) -> None:
        inbox = mailboxes.inbox()
        with mailboxes.servers.mailbox(inbox.settings.address.partition("@")[0]) as mailbox:
            long_ago = datetime.now(UTC) - timedelta(days=1)
            append = cast("Any", mailbox).append
            append(letter("old").as_bytes(), dt=long_ago)
            append(letter("new", Message_ID="<a2@people.test>").as_bytes())
        async with listening(channel, inbox) as post:
            (found,) = await post.inbound(1)
        assert found.content.text == "new"

    async def test_mail_is_marked_as_read_only_where_that_is_wanted(
        self, channel: Email, mailboxes: Mailboxes
    ) -> None:
        for wanted in (False, True):
            inbox = mailboxes.inbox(mark_seen=wanted)
            mailboxes.servers.post(letter(), sender="ann@people.test", to=inbox.settings.address)
            async with listening(channel, inbox) as post:
                await post.arrived(1)
                while len(post.cursors) < 2:
                    await asyncio.sleep(0.01)
            with mailboxes.servers.mailbox(inbox.settings.address.partition("@")[0]) as mailbox:
                assert len(list(mailbox.fetch("SEEN", mark_seen=False))) == int(wanted)

    async def test_a_connection_that_breaks_is_told(self, channel: Email, mailboxes: Mailboxes) -> None:
        inbox = mailboxes.inbox()
        post = Post(channel, inbox, [], [], asyncio.Event())
        task = asyncio.create_task(channel.listen(inbox, {}, post.take))
        await post.connected()
        await asyncio.to_thread(mailboxes.servers.cut_off, inbox.settings.address.partition("@")[0])
        with pytest.raises(Unavailable):
            await task

    async def test_a_server_without_idle_is_asked_again_and_again(
        self, channel: Email, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fetching, "POLL_SECONDS", 0.1)
        with mail_servers(idle=False) as servers:
            inbox = an_inbox(servers)
            async with listening(channel, inbox) as post:
                await post.connected()
                servers.post(letter("one"), sender="ann@people.test", to=inbox.settings.address)
                (found,) = await post.inbound(1)
        assert found.content.text == "one"

    async def test_a_wrong_password_takes_a_person(self, channel: Email, mailboxes: Mailboxes) -> None:
        inbox = mailboxes.inbox(password="wrong")
        with pytest.raises(CredentialsLost, match="password"):
            await channel.listen(inbox, {}, Post(channel, inbox, [], [], asyncio.Event()).take)


class TestSending:
    async def test_a_message_is_a_mail_in_the_thread(self, channel: Email, mailboxes: Mailboxes) -> None:
        inbox = mailboxes.inbox()
        customer, to = mailboxes.customer()
        outgoing = Outgoing(
            new_id(),
            to,
            TextContent(text="Grüße,\nfrom the shop"),
            conversation_id=new_id(),
            thread=(
                "a1@people.test",
                "a1@people.test#1",
                f"b2@shop.test#{new_id().hex}",
                f"a3@people.test#{new_id().hex}#2",
            ),
            subject="RE: Parcel",
        )
        outcome = await channel.send(inbox, outgoing)
        assert outcome.reaction is None
        assert outcome.external_id == f"{outgoing.message_id}@shop.test"
        mail = await received(mailboxes, customer)
        assert mail["From"] == f"The Shop <{inbox.settings.address}>"
        assert mail["Subject"] == "Re: Parcel"
        assert mail["Message-ID"] == f"<{outgoing.message_id}@shop.test>"
        assert mail["In-Reply-To"] == "<a3@people.test>"
        assert mail["References"].split() == ["<a1@people.test>", "<b2@shop.test>", "<a3@people.test>"]
        assert mail["Auto-Submitted"] is None
        assert mail["List-Unsubscribe"] is None
        assert text_in(mail) == "Grüße,\nfrom the shop"

    @pytest.mark.parametrize("security", ["tls", "starttls"])
    async def test_either_encryption(self, channel: Email, mailboxes: Mailboxes, security: str) -> None:
        ports = mailboxes.servers.ports
        port = {"tls": ports.smtps, "starttls": ports.smtp}[security]
        inbox = mailboxes.inbox(smtp_security=security, smtp_port=port)
        customer, to = mailboxes.customer()
        outcome = await channel.send(inbox, Outgoing(new_id(), to, TextContent(text="Hello")))
        assert outcome.reaction is None
        assert "Hello" in text_in(await received(mailboxes, customer))

    async def test_a_page_and_a_file(self, channel: Email, mailboxes: Mailboxes) -> None:
        inbox = mailboxes.inbox()
        customer, to = mailboxes.customer()

        async def content() -> AsyncGenerator[bytes]:
            yield b"%PDF"
            yield b"-1.7"

        page = EmailContent(subject="Your bill", text="See below", html="<p>See <b>below</b></p>")
        file = OutgoingFile("März.pdf", "application/pdf", 8, content, "")
        await channel.send(inbox, Outgoing(new_id(), to, page))
        mail = await received(mailboxes, customer)
        assert mail["Subject"] == "Your bill"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        bill = MediaContent(kind="file", attachment_id=new_id(), caption="Your bill")
        await channel.send(inbox, Outgoing(new_id(), to, bill, file=file))
        mail = await received(mailboxes, customer, 2)
        (attached,) = mail.iter_attachments()
        assert attached.get_filename() == "März.pdf"
        assert attached.get_content() == b"%PDF-1.7"
        assert text_in(mail) == "Your bill"

    async def test_what_a_machine_wrote_says_so_and_can_be_stopped(
        self, channel: Email, mailboxes: Mailboxes
    ) -> None:
        inbox = mailboxes.inbox()
        customer, to = mailboxes.customer()
        await channel.send(inbox, Outgoing(new_id(), to, TextContent(text="News"), by_person=False))
        mail = await received(mailboxes, customer)
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = re.fullmatch(f"<{SERVER_URL}/u/([A-Za-z0-9_-]+)>", mail["List-Unsubscribe"])
        assert link
        event = channel.unsubscription(inbox, link[1])
        assert event
        (consent,) = channel.parse(inbox, event.payload)
        assert isinstance(consent, InboundConsent)
        assert (consent.person.identities, consent.given) == ({"email": to}, False)
        assert channel.unsubscription(mailboxes.inbox(), link[1]) is None
        assert channel.unsubscription(inbox, link[1][:-1] + ("A" if link[1][-1] != "A" else "Q")) is None

    async def test_a_long_thread_keeps_its_beginning_and_its_end(
        self, channel: Email, mailboxes: Mailboxes
    ) -> None:
        inbox = mailboxes.inbox()
        customer, to = mailboxes.customer()
        ids = tuple(f"{'x' * 150}{number}@people.test" for number in range(60))
        await channel.send(inbox, Outgoing(new_id(), to, TextContent(text="Hello"), thread=ids))
        references = (await received(mailboxes, customer))["References"].split()
        assert references == [f"<{one}>" for one in (ids[0], *ids[-39:])]

    @pytest.mark.parametrize(
        ("name", "reaction", "code"),
        [
            ("refused", Reaction.UNREACHABLE, "550 5.1.1"),
            ("policy", Reaction.BAD_PAYLOAD, "550 5.7.1"),
            ("full", Reaction.RETRY, "550 5.2.2"),
            ("later", Reaction.RETRY, "451 4.7.1"),
        ],
    )
    async def test_what_a_server_says_of_an_address(
        self, channel: Email, mailboxes: Mailboxes, name: str, reaction: Reaction, code: str
    ) -> None:
        outgoing = Outgoing(new_id(), f"{name}@people.test", TextContent(text="Hello"))
        outcome = await channel.send(mailboxes.inbox(), outgoing)
        assert (outcome.reaction, outcome.code) == (reaction, code)

    async def test_what_a_server_says_of_a_mail(self, channel: Email, mailboxes: Mailboxes) -> None:
        _, to = mailboxes.customer()
        spam = EmailContent(subject="refuse this", text="Buy now")
        outcome = await channel.send(mailboxes.inbox(), Outgoing(new_id(), to, spam))
        assert (outcome.reaction, outcome.code) == (Reaction.BAD_PAYLOAD, "550 5.7.1")

    @pytest.mark.parametrize(
        "to",
        ["", "ann", "ann@", "@people.test", "a b@people.test", "a@x\r\nBcc: b@y.test", "a@x> NOTIFY=NEVER"],
    )
    async def test_what_is_no_address(self, channel: Email, mailboxes: Mailboxes, to: str) -> None:
        outcome = await channel.send(mailboxes.inbox(), Outgoing(new_id(), to, TextContent(text="Hello")))
        assert outcome.reaction is Reaction.UNREACHABLE

    async def test_a_subject_cannot_add_headers(self, channel: Email, mailboxes: Mailboxes) -> None:
        customer, to = mailboxes.customer()
        sly = EmailContent(subject="Hello\r\nBcc: everybody@else.test", text="x")
        assert (await channel.send(mailboxes.inbox(), Outgoing(new_id(), to, sly))).reaction is None
        assert (await received(mailboxes, customer))["Bcc"] is None

    async def test_a_wrong_password_takes_a_person(self, channel: Email, mailboxes: Mailboxes) -> None:
        _, to = mailboxes.customer()
        outcome = await channel.send(
            mailboxes.inbox(password="wrong"), Outgoing(new_id(), to, TextContent(text="Hello"))
        )
        assert outcome.reaction is Reaction.RECONNECT
        assert outcome.detail
        assert "wrong" not in outcome.detail

    async def test_a_server_that_is_not_there_may_come_back(
        self, channel: Email, mailboxes: Mailboxes
    ) -> None:
        outgoing = Outgoing(new_id(), "ann@people.test", TextContent(text="Hello"))
        outcome = await channel.send(mailboxes.inbox(smtp_port=1), outgoing)
        assert outcome.reaction is Reaction.RETRY

    async def test_silence_after_the_mail_is_an_unknown_end(
        self, channel: Email, mailboxes: Mailboxes
    ) -> None:
        async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Take the mail and go away without a word."""
            writer.write(b"220 hello\r\n")
            while line := await reader.readline():
                if line == b".\r\n":
                    break
                if line[:4].upper() in {b"EHLO", b"MAIL", b"RCPT"}:
                    writer.write(b"250 fine\r\n")
                elif line[:4].upper() == b"DATA":
                    writer.write(b"354 go on\r\n")
            writer.close()

        server = await asyncio.start_server(swallow, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            inbox = mailboxes.inbox(smtp_port=port, smtp_security="none")
            settings = inbox.settings.model_copy(update={"password": SecretStr("")})
            outgoing = Outgoing(new_id(), "ann@people.test", TextContent(text="Hello"))
            outcome = await channel.send(replace(inbox, settings=settings), outgoing)
        assert outcome.reaction is Reaction.UNKNOWN


class TestBounces:
    async def test_the_report_of_an_unknown_address(self, channel: Email, mailboxes: Mailboxes) -> None:
        inbox = mailboxes.inbox()
        outgoing = Outgoing(new_id(), f"stranger-{new_id().hex}@people.test", TextContent(text="Hello"))
        outcome = await channel.send(inbox, outgoing)
        assert outcome.reaction is None
        async with listening(channel, inbox) as post:
            (status,) = await post.inbound(1)
        assert isinstance(status, InboundStatus)
        assert (status.message_id, status.status) == (str(outgoing.message_id), DeliveryStatus.FAILED)
        assert (status.reaction, status.code) == (Reaction.UNREACHABLE, "550 5.1.1")


class TestConversation:
    async def test_an_answer_from_another_address_comes_back_by_its_recipient(
        self, channel: Email, mailboxes: Mailboxes
    ) -> None:
        inbox, conversation_id = mailboxes.inbox(), new_id()
        customer, to = mailboxes.customer()
        outgoing = Outgoing(new_id(), to, TextContent(text="Hello"), conversation_id=conversation_id)
        await channel.send(inbox, outgoing)
        mail = await received(mailboxes, customer)
        answer = letter("From my other address", From="bob@else.test", To=mail["Reply-To"])
        mailboxes.servers.post(answer, sender="bob@else.test", to=mail["Reply-To"])
        async with listening(channel, inbox) as post:
            (found,) = await post.inbound(1)
        assert isinstance(found, InboundMessage)
        assert found.conversation_id == conversation_id

    async def test_servers_without_plus_addresses_get_none(
        self, channel: Email, mailboxes: Mailboxes
    ) -> None:
        inbox = mailboxes.inbox(plus_addresses=False)
        customer, to = mailboxes.customer()
        outgoing = Outgoing(new_id(), to, TextContent(text="Hello"), conversation_id=new_id())
        await channel.send(inbox, outgoing)
        assert (await received(mailboxes, customer))["Reply-To"] is None


class TestCheck:
    async def test_all_is_well(self, channel: Email, mailboxes: Mailboxes) -> None:
        findings = await channel.check(mailboxes.inbox())
        assert [(finding.name, finding.ok) for finding in findings] == [("imap", True), ("smtp", True)]

    @pytest.mark.parametrize(
        ("changes", "name", "words", "reaction"),
        [
            ({"password": "wrong"}, "imap", "does not accept the name or the password", Reaction.RECONNECT),
            ({"smtp_password": "wrong"}, "smtp", "app password", Reaction.RECONNECT),
            ({"folder": "Nowhere"}, "imap", "no folder", Reaction.RECONNECT),
            ({"imap_port": 1}, "imap", "nobody listens there", Reaction.RETRY),
            ({"smtp_port": 1}, "smtp", "nobody listens there", Reaction.RETRY),
            ({"imap_host": "nowhere.invalid"}, "imap", "no such host", Reaction.RETRY),
            ({"smtp_host": "nowhere.invalid"}, "smtp", "no such host", Reaction.RETRY),
            ({"trusted_certificate": ""}, "imap", "certificate is not accepted", Reaction.RETRY),
            ({"trusted_certificate": ""}, "smtp", "certificate that is not accepted", Reaction.RETRY),
            ({"imap_security": "starttls"}, "imap", "", Reaction.RETRY),
            ({"smtp_host": "10.0.0.1"}, "smtp", "may not call this address", Reaction.RETRY),
            ({"imap_host": "mail.example.com", "imap_security": "none"}, "imap", "without encryption", Reaction.RETRY),
        ],
    )  # fmt: skip
    async def test_what_is_wrong_is_said_in_words(
        self,
        channel: Email,
        mailboxes: Mailboxes,
        changes: dict[str, Any],
        name: str,
        words: str,
        reaction: Reaction,
    ) -> None:
        if "starttls" in changes.values():
            # A server that waits for TLS says nothing, which would take a minute.
            changes = {**changes, "imap_port": mailboxes.servers.ports.smtp}
        findings = await channel.check(mailboxes.inbox(**changes))
        finding = next(finding for finding in findings if finding.name == name)
        assert not finding.ok
        assert words in finding.words
        assert finding.reaction is reaction

    async def test_the_wrong_kind_of_encryption(self, channel: Email, mailboxes: Mailboxes) -> None:
        ports = mailboxes.servers.ports
        findings = await channel.check(mailboxes.inbox(imap_port=ports.imap, smtp_port=ports.smtp))
        assert ["does not speak TLS on this port" in finding.words for finding in findings] == [True, True]


class TestUnpacking:
    async def test_nobody_takes_a_mail_for_something_else(self, channel: Email, mailboxes: Mailboxes) -> None:
        inbox = mailboxes.inbox()
        assert channel.parse(inbox, {"mail": "???"}) == [InboundUnknown("no mail")]
        assert channel.parse(inbox, {"unsubscribe": 1}) == [InboundUnknown("no mail")]


async def received(mailboxes: Mailboxes, name: str, count: int = 1) -> EmailMessage:
    """The newest mail of somebody, once there are so many; pytest's time-out ends the wait."""
    while True:
        mails = await asyncio.to_thread(mailboxes.servers.mails, name)
        if len(mails) >= count:
            return message_from_bytes(mails[-1], policy=default)
        await asyncio.sleep(0.05)


def text_in(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return body.get_content().replace("\r\n", "\n").strip()
