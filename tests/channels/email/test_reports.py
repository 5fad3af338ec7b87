"""What servers write: bounces, complaints and receipts, in the shapes of several mail servers."""

import pytest
from hypothesis import given, settings, strategies as st

from chatwright.channels.email.codes import reaction_to, read_report
from chatwright.kernel.ids import new_id
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundConsent,
    InboundMessage,
    InboundStatus,
    InboundUnknown,
)
from chatwright.ports.sending import Reaction
from tests.channels.email.test_reading import INBOX, OWN, TOKENS, letter, read

OURS = new_id()
RETURNED = f"From: {OWN}\r\nTo: ann@people.test\r\nMessage-ID: <{OURS}@shop.test>\r\nSubject: Parcel\r\n"


def report(
    kind: str,
    fields: str,
    *,
    returned: str | None = RETURNED,
    as_: str = "message/rfc822",
    fields_as: str | None = None,
    headers: str = "",
) -> bytes:
    """A report of some kind with its fields and the mail it is about."""
    parts = [
        "Content-Type: text/plain\r\n\r\nThis is what happened.\r\n",
        f"Content-Type: {fields_as or f'message/{kind}'}\r\n\r\n{fields}\r\n",
    ]
    if returned is not None:
        parts.append(f"Content-Type: {as_}\r\n\r\n{returned}\r\nHello\r\n")
    body = "".join(f"--r\r\n{part}" for part in parts) + "--r--\r\n"
    return (
        f"From: MAILER-DAEMON@mx.people.test\r\nTo: {OWN}\r\nMessage-ID: <r1@mx.people.test>\r\n"
        f"Date: Fri, 20 Nov 2026 10:00:00 +0100\r\n{headers}"
        f'Content-Type: multipart/report; report-type={kind}; boundary="r"\r\n\r\n{body}'
    ).encode()


def bounce(status: str, diagnostic: str = "", action: str = "failed") -> str:
    told = f"Diagnostic-Code: {diagnostic}\r\n" if diagnostic else ""
    return (
        "Reporting-MTA: dns; mx.people.test\r\nArrival-Date: Fri, 20 Nov 2026 09:00:00 +0100\r\n\r\n"
        f"Final-Recipient: rfc822; ann@people.test\r\nAction: {action}\r\nStatus: {status}\r\n{told}"
    )


def the_status(found: list[Inbound]) -> InboundStatus:
    (status,) = found
    assert isinstance(status, InboundStatus)
    return status


class TestBounces:
    @pytest.mark.parametrize(
        ("status", "diagnostic", "reaction", "code"),
        [
            ("5.1.1", "smtp; 550 5.1.1 No such user", Reaction.UNREACHABLE, "550 5.1.1"),
            ("5.1.1 (bad mailbox)", "", Reaction.UNREACHABLE, "500 5.1.1"),
            ("5.0.0", "smtp; 550 5.1.1 <ann@people.test> User unknown", Reaction.UNREACHABLE, "550 5.1.1"),
            ("5.0.0", "smtp; 550 Mailbox not found", Reaction.UNREACHABLE, "550"),
            ("5.1.2", "dns; no such domain", Reaction.UNREACHABLE, "500 5.1.2"),
            ("5.1.10", "smtp; 556 5.1.10 Null MX", Reaction.UNREACHABLE, "556 5.1.10"),
            ("5.2.1", "smtp; 550 5.2.1 Disabled", Reaction.UNREACHABLE, "550 5.2.1"),
            ("5.2.2", "smtp; 552 5.2.2 Over quota", Reaction.RETRY, "552 5.2.2"),
            ("4.4.1", "smtp; 421 Connection timed out", Reaction.RETRY, "421 4.4.1"),
            ("4.2.2", "", Reaction.RETRY, "400 4.2.2"),
            ("5.7.1", "smtp; 554 5.7.1 Spam", Reaction.BAD_PAYLOAD, "554 5.7.1"),
            ("5.7.26", "smtp; 550 5.7.26 Unauthenticated", Reaction.BAD_PAYLOAD, "550 5.7.26"),
            ("5.3.4", "smtp; 552 5.3.4 Too big", Reaction.BAD_PAYLOAD, "552 5.3.4"),
            ("nonsense", "smtp; 550 Blocked", Reaction.BAD_PAYLOAD, "550"),
            ("", "", Reaction.BAD_PAYLOAD, "500"),
            ("5.7.8", "smtp; 535 5.7.8 Sign in first", Reaction.BAD_PAYLOAD, "535 5.7.8"),
            ("5.7.0", "smtp; 530 5.7.0 Authentication required", Reaction.BAD_PAYLOAD, "530 5.7.0"),
        ],
    )
    def test_what_a_failure_asks_of_us(
        self, status: str, diagnostic: str, reaction: Reaction, code: str
    ) -> None:
        found = the_status(read(report("delivery-status", bounce(status, diagnostic))))
        assert (found.message_id, found.status) == (str(OURS), DeliveryStatus.FAILED)
        assert (found.reaction, found.code) == (reaction, code)

    @pytest.mark.parametrize("as_", ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers"])
    def test_the_mail_comes_back_in_several_ways(self, as_: str) -> None:
        assert the_status(read(report("delivery-status", bounce("5.1.1"), as_=as_))).message_id == str(OURS)

    def test_a_report_without_the_mail_may_answer_it(self) -> None:
        headers = f"In-Reply-To: <{OURS}@shop.test>\r\n"
        found = read(report("delivery-status", bounce("5.1.1"), returned=None, headers=headers))
        assert the_status(found).message_id == str(OURS)

    def test_a_report_of_nothing_we_know_is_shown_as_a_machine_s_mail(self) -> None:
        found = read(report("delivery-status", bounce("5.1.1"), returned=None))
        message = found[0]
        assert isinstance(message, InboundMessage)
        assert message.automatic

    def test_fields_that_were_sent_as_text_are_read_too(self) -> None:
        raw = report("delivery-status", bounce("5.1.1").replace("\r\n", "\n"))
        assert the_status(read(raw)).reaction is Reaction.UNREACHABLE

    def test_a_delay_is_no_failure(self) -> None:
        found = the_status(read(report("delivery-status", bounce("4.4.1", action="delayed"))))
        assert (found.status, found.reaction) == (DeliveryStatus.SENT, None)

    @pytest.mark.parametrize("action", ["delivered", "relayed", "Delivered (to mailbox)"])
    def test_a_delivery_is_told(self, action: str) -> None:
        found = the_status(read(report("delivery-status", bounce("2.0.0", action=action))))
        assert (found.status, found.reaction) == (DeliveryStatus.DELIVERED, None)

    @settings(deadline=None)
    @given(status=st.text(max_size=30), diagnostic=st.text(max_size=80))
    def test_any_words_come_to_a_reaction(self, status: str, diagnostic: str) -> None:
        assert reaction_to(read_report(status, diagnostic)) in Reaction


class TestReceipts:
    def test_a_mail_that_was_read(self) -> None:
        fields = f"Original-Message-ID: <{OURS}@shop.test>\r\nDisposition: manual-action/MDN-sent-manually; displayed"
        found = the_status(read(report("disposition-notification", fields, returned=None)))
        assert (found.message_id, found.status) == (str(OURS), DeliveryStatus.READ)

    def test_a_mail_that_was_deleted_unread_says_nothing(self) -> None:
        disposition = "Disposition: automatic-action/MDN-sent-automatically; deleted"
        fields = f"Original-Message-ID: <{OURS}@shop.test>\r\n{disposition}"
        (found,) = read(report("disposition-notification", fields, returned=None))[:1]
        assert isinstance(found, InboundMessage)


class TestComplaints:
    FIELDS = "Feedback-Type: abuse\r\nVersion: 1\r\nUser-Agent: Loop/1\r\nOriginal-Rcpt-To: <ann@people.test>"

    def complained(self, *headers: str) -> list[Inbound]:
        return read(report("feedback-report", self.FIELDS, returned=RETURNED + "".join(headers)))

    def test_the_link_in_the_mail_says_who_complained(self) -> None:
        token = TOKENS.unsubscribe_token(INBOX.id, "bob@people.test")
        (found,) = self.complained(f"List-Unsubscribe: <https://chat.example/u/{token}>\r\n")
        assert isinstance(found, InboundConsent)
        assert (found.given, found.purpose, found.source) == (False, "marketing", "spam complaint")
        assert found.person.identities == {"email": "bob@people.test"}

    def test_else_the_address_for_answers_says_that_the_mail_was_ours(self) -> None:
        conversation_id = new_id()
        address = TOKENS.answer_address(INBOX.id, OWN, conversation_id)
        (found,) = self.complained(f"Reply-To: {address}\r\n")
        assert isinstance(found, InboundConsent)
        # Not of whom the report names: whoever got one mail of ours could have others opted out.
        assert found.conversation_id == conversation_id

    @pytest.mark.parametrize(
        "header",
        [
            "",
            f"List-Unsubscribe: <https://chat.example/u/{INBOX.id.hex}{'A' * 40}>\r\n",
            f"Reply-To: help+c{'a' * 39}@shop.test\r\n",
        ],
    )
    def test_a_report_that_anybody_could_have_written_changes_nothing(self, header: str) -> None:
        assert self.complained(header) == [InboundUnknown("complaint")]


class TestOddReports:
    @settings(deadline=None)
    @given(fields=st.text(max_size=200), returned=st.none() | st.text(max_size=200))
    def test_any_report_is_read(self, fields: str, returned: str | None) -> None:
        for kind in ("delivery-status", "feedback-report", "disposition-notification"):
            assert read(report(kind, fields, returned=returned).replace(b"\0", b""))

    def test_an_ordinary_mail_is_no_report(self) -> None:
        assert isinstance(read(letter().as_bytes())[0], InboundMessage)
