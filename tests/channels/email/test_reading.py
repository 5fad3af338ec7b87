"""Raw mails, read: well-behaved ones exactly, all others without a loss."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings, strategies as st

from chatwright.channels.email.channel import Email
from chatwright.channels.email.inbound import Reader
from chatwright.channels.email.reading import NOBODY, read_mail
from chatwright.channels.email.settings import EmailSettings
from chatwright.channels.email.tokens import MailTokens
from chatwright.channels.email.wire import mail_event
from chatwright.infra.cipher import MasterKeyCipher
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import InboxView
from chatwright.ports.content import EmailContent, MediaContent
from chatwright.ports.inbound import Inbound, InboundMessage, InboundStatus
from tests.channels.email.odd import ODD, OddMail

OWN = "help@shop.test"
TOKENS = MailTokens(MasterKeyCipher(bytes(range(32))))
SETTINGS = EmailSettings.model_validate(
    {"address": OWN, "password": "x", "imap_host": "mail.shop.test", "smtp_host": "mail.shop.test"}
)
INBOX = InboxView(new_id(), new_id(), SETTINGS)
READER = Reader(INBOX, TOKENS)


def read(raw: bytes) -> list[Inbound]:
    """What a mail comes to after it was stored."""
    payload = orjson.loads(orjson.dumps(dict(mail_event(raw).payload)))
    return READER.read(payload)


def read_message(raw: bytes) -> InboundMessage:
    (message,) = read(raw)
    assert isinstance(message, InboundMessage)
    return message


def letter(text: str = "Hello", **headers: str) -> EmailMessage:
    """A mail as programs write it; give headers with underscores for hyphens."""
    mail = EmailMessage()
    usual = {
        "From": "Ann <ann@people.test>",
        "To": OWN,
        "Subject": "Parcel",
        "Message-ID": "<a1@people.test>",
    }
    for name, value in {**usual, **{key.replace("_", "-"): value for key, value in headers.items()}}.items():
        mail[name] = value
    mail.set_content(text)
    return mail


def shown(found: list[Inbound]) -> str:
    """Everything that people see of a mail."""
    words: list[str] = []
    for inbound in found:
        assert isinstance(inbound, InboundMessage)
        match inbound.content:
            case EmailContent(subject=subject, text=text, html=html, quoted=quoted):
                words.extend([subject, text, html or "", quoted or ""])
            case MediaContent(filename=filename):
                words.append(filename or "")
            case _:
                pytest.fail(f"{inbound.content} is no part of a mail")
    return "\n".join(words)


class TestOddMails:
    @pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
    def test_nothing_is_lost(self, odd: OddMail) -> None:
        found = read(odd.raw)
        assert [word for word in odd.words if word not in shown(found)] == []
        self.check(found)

    @pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
    def test_it_can_be_stored(self, odd: OddMail) -> None:
        event = mail_event(odd.raw)
        for text in (event.dedupe_key, event.lane):
            assert "\0" not in text
            assert text.encode()
        for inbound in read(odd.raw):
            assert isinstance(inbound, InboundMessage)
            stored = inbound.content.model_dump_json()
            assert "\\u0000" not in stored
            assert stored.encode()

    @pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
    async def test_its_files_can_be_unpacked(self, channel: Email, odd: OddMail) -> None:
        payload = mail_event(odd.raw).payload
        for message in read(odd.raw):
            if isinstance(message, InboundMessage) and message.media:
                file = await channel.unpack(INBOX, payload, message.media)
                assert file.media_type
                async for _ in file.content:
                    pass

    @settings(deadline=None)
    @given(raw=st.binary(max_size=2000))
    def test_any_bytes_are_a_mail(self, raw: bytes) -> None:
        self.check(read(raw))

    @settings(deadline=None, max_examples=200)
    @given(data=st.data())
    def test_a_mail_with_a_piece_exchanged_is_a_mail(self, data: st.DataObject) -> None:
        raw = data.draw(st.sampled_from([odd.raw for odd in ODD if 0 < len(odd.raw) < 2000]))
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, len(raw)))
        piece = data.draw(
            st.binary(max_size=40) | st.sampled_from([b"\r\n", b"--b", b"=?utf-8?Q?", b"<", b"\0"])
        )
        self.check(read(raw[:start] + piece + raw[end:]))

    @settings(deadline=None)
    @given(
        name=st.sampled_from(
            ["From", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "Content-Type"]
        ),
        value=st.text(max_size=60),
    )
    @example(name="Content-Type", value='multipart/report; report-type="')
    def test_any_header_is_read(self, name: str, value: str) -> None:
        self.check(read(f"{name}: {value}\r\n".encode("utf-8", "replace") + ODD[9].raw))

    def check(self, found: list[Inbound]) -> None:
        """A mail is one message first, and then its files, each from somebody and under an id of its own."""
        messages = [inbound for inbound in found if isinstance(inbound, InboundMessage)]
        assert messages == found != []
        assert isinstance(messages[0].content, EmailContent)
        assert all("@" in next(iter(message.person.identities.values())) for message in messages)
        assert len({message.external_id for message in messages}) == len(messages)


class TestContent:
    def test_what_is_new_is_parted_from_what_is_quoted(self) -> None:
        text = "Still nothing.\n\n-- \nAnn\n\nOn Monday, The Shop <help@shop.test> wrote:\n> It is on its way"
        content = read_message(letter(text).as_bytes()).content
        assert isinstance(content, EmailContent)
        assert (content.subject, content.text) == ("Parcel", "Still nothing.")
        assert content.quoted
        assert "It is on its way" in content.quoted

    def test_a_page_is_made_safe(self) -> None:
        mail = letter()
        mail.set_content(
            "<p>Hi <script>x</script><img src='https://spy.test/p.gif'><img src='cid:logo'>"
            "<a href='javascript:x()' onclick='y()'>there</a><a href='/oauth/authorize'></a>"
            "<a href=' //spy.test'></a><a href='https://shop.test'></a></p><blockquote>Old</blockquote>",
            subtype="html",
        )
        content = read_message(mail.as_bytes()).content
        assert isinstance(content, EmailContent)
        assert content.text == "Hi there"
        assert content.quoted == "> Old"
        assert content.html
        assert "cid:logo" in content.html
        assert re.findall('href="([^"]*)"', content.html) == ["https://shop.test"]
        for word in ("script", "spy", "onclick"):
            assert word not in content.html

    async def test_files_follow_as_messages_that_can_be_unpacked(self, channel: Email) -> None:
        mail = letter("See below")
        mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="label.png")
        inner = letter("Old words", Subject="The old one", Message_ID="<old@people.test>")
        mail.add_attachment(inner)
        first, picture, forwarded = read(mail.as_bytes())
        assert isinstance(picture, InboundMessage)
        assert isinstance(forwarded, InboundMessage)
        assert isinstance(first, InboundMessage)
        assert picture.content == MediaContent(kind="image", filename="label.png")
        assert picture.external_id == "a1@people.test#1"
        assert picture.person == first.person
        payload = mail_event(mail.as_bytes()).payload
        assert await self.unpacked(channel, payload, picture) == b"\x89PNG"
        assert b"Old words" in await self.unpacked(channel, payload, forwarded)

    async def unpacked(self, channel: Email, payload: Mapping[str, Any], message: InboundMessage) -> bytes:
        assert message.media
        file = await channel.unpack(INBOX, payload, message.media)
        return b"".join([piece async for piece in file.content])

    def test_a_mail_that_was_too_large_says_so(self) -> None:
        event = mail_event(letter("The beginning").as_bytes(), size=50_000_000)
        (message,) = READER.read(event.payload)
        assert isinstance(message, InboundMessage)
        assert isinstance(message.content, EmailContent)
        assert message.content.text.endswith("[…]")


class TestSender:
    @pytest.mark.parametrize(
        ("headers", "address", "name"),
        [
            (b"From: Ann <ANN@People.test>", "ann@people.test", "Ann"),
            (b"From: ann@people.test", "ann@people.test", None),
            (b'From: "Doe, Ann" <ann@people.test>', "ann@people.test", "Doe, Ann"),
            (b"From: =?utf-8?Q?=C3=84nna?= <ann@people.test>", "ann@people.test", "Änna"),
            (b"From: Form <form@web.test>\r\nReply-To: ann@people.test", "ann@people.test", "Form"),
            (b"From: ann@people.test\r\nReply-To: broken", "ann@people.test", None),
            (b"From: ann@people.test\r\nReply-To: help@shop.test", "ann@people.test", None),
            (b"From: ann@people.test\r\nReply-To: l@lists.test\r\nList-Id: <l>", "ann@people.test", None),
            (b"From: Ann\r\nSender: ann@people.test", "ann@people.test", "Ann"),
            (b"From: Ann\r\nReturn-Path: <ann@people.test>", "ann@people.test", "Ann"),
            (b"Subject: no sender", NOBODY, None),
        ],
    )
    def test_who_is_answered(self, headers: bytes, address: str, name: str | None) -> None:
        person = read_message(headers + b"\r\n\r\nHello").person
        assert (next(iter(person.identities.values())), person.name) == (address, name)


class TestThread:
    @pytest.mark.parametrize(
        ("headers", "answers"),
        [
            ({"In_Reply_To": "<b@x.test>", "References": "<a@x.test> <b@x.test>"}, ("b@x.test", "a@x.test")),
            ({"In_Reply_To": "<a@x.test> <b@x.test>"}, ("a@x.test", "b@x.test")),
            ({"In_Reply_To": "your letter of Monday", "References": "<a@x.test>"}, ("a@x.test",)),
            ({"References": "<a@x.test>  <b@x.test>\t<c@x.test>"}, ("c@x.test", "b@x.test", "a@x.test")),
            ({"In_Reply_To": "b@x.test"}, ("b@x.test",)),
            ({}, ()),
        ],
    )
    def test_what_it_answers(self, headers: dict[str, str], answers: tuple[str, ...]) -> None:
        assert read_message(letter(**headers).as_bytes()).in_thread == answers

    def test_our_own_mails_are_known_by_our_own_id_too(self) -> None:
        ours = new_id()
        message, _ = read(letter(In_Reply_To=f"<{ours}@shop.test>").as_bytes())
        assert isinstance(message, InboundMessage)
        assert message.in_thread == (str(ours), f"{ours}@shop.test")

    @pytest.mark.parametrize(("submitted", "status"), [("no", "read"), ("auto-replied", "delivered")])
    def test_an_answer_says_that_our_mail_arrived(self, submitted: str, status: str) -> None:
        ours = new_id()
        mail = letter(In_Reply_To=f"<{ours}@shop.test>", Auto_Submitted=submitted)
        _, arrived = read(mail.as_bytes())
        assert isinstance(arrived, InboundStatus)
        assert (arrived.message_id, arrived.status) == (str(ours), status)

    def test_an_answer_to_somebody_else_says_nothing_of_ours(self) -> None:
        (_,) = read(letter(In_Reply_To=f"<{new_id()}@else.test>").as_bytes())

    @pytest.mark.parametrize("header", ["To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To"])
    def test_the_address_proves_the_conversation(self, header: str) -> None:
        conversation_id = new_id()
        address = TOKENS.answer_address(INBOX.id, OWN, conversation_id)
        assert address
        mail = letter()
        del mail[header]
        mail[header] = address.upper()
        assert read_message(mail.as_bytes()).conversation_id == conversation_id

    def test_an_address_of_another_inbox_proves_nothing(self) -> None:
        address = TOKENS.answer_address(new_id(), OWN, new_id())
        assert read_message(letter(Cc=address or "").as_bytes()).conversation_id is None

    @settings(deadline=None)
    @given(detail=st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=30, max_size=50))
    def test_a_guessed_address_proves_nothing(self, detail: str) -> None:
        assert TOKENS.conversation_of(INBOX.id, [f"help+c{detail}@shop.test"]) is None


class TestAutomatic:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Auto_Submitted": "auto-replied"},
            {"Auto_Submitted": "auto-generated; owner=x"},
            {"X_Auto_Response_Suppress": "OOF"},
            {"Precedence": "bulk"},
            {"Precedence": "List"},
            {"List_Id": "<news.people.test>"},
            {"Return_Path": "<>"},
            {"From": OWN},
        ],
    )
    def test_machines_are_recognised(self, headers: dict[str, str]) -> None:
        mail = letter()
        for name, value in headers.items():
            del mail[name.replace("_", "-")]
            mail[name.replace("_", "-")] = value
        assert read_message(mail.as_bytes()).automatic

    @pytest.mark.parametrize("headers", [{}, {"Auto_Submitted": "no"}, {"Return_Path": "<ann@people.test>"}])
    def test_people_are_not_taken_for_machines(self, headers: dict[str, str]) -> None:
        assert not read_message(letter(**headers).as_bytes()).automatic


class TestDate:
    RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("date", "sent_at"),
        [
            (b"Date: Fri, 20 Nov 2026 10:00:00 +0100", datetime(2026, 11, 20, 9, tzinfo=UTC)),
            (b"Date: Fri, 20 Nov 2026 10:00:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
            (b"Date: Fri, 20 Nov 2099 10:00:00 +0000", RECEIVED),
            (b"Date: nonsense", RECEIVED),
            (b"X: no date", RECEIVED),
        ],
    )
    def test_when_it_was_written(self, date: bytes, sent_at: datetime) -> None:
        assert read_mail(date + b"\r\n\r\nHi", own_address=OWN, received_at=self.RECEIVED).sent_at == sent_at


class TestCopies:
    def test_a_copy_has_the_same_key_whatever_servers_added(self) -> None:
        raw = letter().as_bytes()
        assert mail_event(b"Received: from elsewhere\r\n" + raw).dedupe_key == mail_event(raw).dedupe_key

    def test_a_program_that_gives_every_mail_the_same_id_loses_none(self) -> None:
        assert (
            mail_event(letter(Subject="one").as_bytes()).dedupe_key
            != mail_event(letter().as_bytes()).dedupe_key
        )
