"""From a stored event to what it means."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatwright.channels.email import reports
from chatwright.channels.email.codes import Verdict, reaction_to
from chatwright.channels.email.reading import CUT, NOBODY, FoundFile, Mail, read_mail
from chatwright.channels.email.reports import Complaint, Fate
from chatwright.channels.email.settings import EmailSettings
from chatwright.channels.email.tokens import MailTokens
from chatwright.channels.email.wire import UNREADABLE, stored_mail
from chatwright.ports.channel import InboxView
from chatwright.ports.content import EmailContent, MediaContent
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundConsent,
    InboundMessage,
    InboundStatus,
    InboundUnknown,
    Person,
)
from chatwright.ports.sending import Reaction

IDENTITY = "email"
_TOKEN = re.compile(r"/u/([A-Za-z0-9_-]{32,})")
_STATUSES = {
    "failed": DeliveryStatus.FAILED,
    "delayed": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
}


def person_at(address: str, name: str | None = None) -> Person:
    """Whoever has an address."""
    return Person({IDENTITY: address}, name=name, email=address)


def own_id(mail_id: str) -> str | None:
    """Our message's id in the id of a mail of ours; None for other people's."""
    try:
        return str(UUID(mail_id.partition("@")[0]))
    except ValueError:
        return None


def repeated_id(mail: Mail) -> str:
    """The id of a mail whose own id another mail has already."""
    return f"{mail.message_id}#{mail.digest[:32]}"


def file_id(mail_id: str, number: int) -> str:
    """The id of the message that carries a file of a mail, counted from 1."""
    return f"{mail_id}#{number}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads events of one inbox."""

    inbox: InboxView[EmailSettings]
    tokens: MailTokens

    def read(self, payload: Mapping[str, Any]) -> list[Inbound]:
        """What an event says; at least one thing."""
        match payload.get("unsubscribe"):
            case str(address) if "@" in address:
                return [_consent(address, "one-click unsubscribe")]
            case _:
                pass
        if UNREADABLE in payload:
            return [InboundUnknown("unreadable mail")]
        stored = stored_mail(payload)
        if stored is None:
            return [InboundUnknown("no mail")]
        cut = stored.size > len(stored.raw)
        own = self.inbox.settings.address
        mail = read_mail(stored.raw, own_address=own, received_at=stored.received_at, cut=cut)
        messages = self._messages(mail, cut=cut)
        return self._report(mail) or [*messages, *self._answered(mail)]

    def _report(self, mail: Mail) -> list[Inbound]:
        """What a server's report comes to; empty when it is none, or says nothing that we understand."""
        complaint = reports.complaint_in(mail.source)
        if complaint is not None:
            return [self._complained(complaint) or InboundUnknown("complaint")]
        return [self._status(fate, mail) for fate in reports.fates_in(mail.source)]

    def _status(self, fate: Fate, mail: Mail) -> InboundStatus:
        failed = fate.verdict if fate.outcome in {"failed", "delayed"} else None
        return InboundStatus(
            own_id(fate.message_id) or fate.message_id,
            _STATUSES[fate.outcome],
            external_id=fate.message_id,
            at=mail.sent_at,
            reaction=_asked_by(failed) if failed and fate.outcome == "failed" else None,
            code=failed.code if failed else None,
            detail=failed.words[:500] if failed else None,
        )

    def _answered(self, mail: Mail) -> Iterator[InboundStatus]:
        """Who answers a mail of ours has got it, also one of which we never heard that it went out."""
        nearest = next(iter(mail.answers), "")
        ours = own_id(nearest)
        if ours is not None and nearest.endswith(f"@{self.inbox.settings.domain()}"):
            status = DeliveryStatus.READ if mail.automatic is None else DeliveryStatus.DELIVERED
            yield InboundStatus(ours, status, external_id=nearest, at=mail.sent_at)

    def _complained(self, complaint: Complaint) -> InboundConsent | None:
        """Who complained, as the mail that comes back proves: anybody can write a report, about anybody."""
        source = "spam complaint"
        for link in complaint.links:
            for token in _TOKEN.findall(link):
                if address := self.tokens.unsubscriber(self.inbox.id, token):
                    return _consent(address, source)
        proven = self.tokens.conversation_of(self.inbox.id, complaint.answer_addresses)
        if proven is None:
            return None
        return _consent(next(iter(complaint.recipients), NOBODY), source, proven)

    def _messages(self, mail: Mail, *, cut: bool) -> Iterator[Inbound]:
        person = person_at(mail.sender.address, mail.sender.name)
        in_thread = tuple(dict.fromkeys(_known_names(mail.answers)))
        conversation_id = self.tokens.conversation_of(self.inbox.id, mail.recipients)
        spare_id = repeated_id(mail)
        yield InboundMessage(
            external_id=mail.message_id,
            spare_id=spare_id,
            person=person,
            content=_content(mail, cut=cut),
            sent_at=mail.sent_at,
            reply_to=mail.answers[0] if mail.answers else None,
            automatic=mail.automatic is not None,
            in_thread=in_thread,
            conversation_id=conversation_id,
        )
        for number, found in enumerate(mail.files, start=1):
            yield InboundMessage(
                external_id=file_id(mail.message_id, number),
                spare_id=file_id(spare_id, number),
                person=person,
                content=_file(found),
                sent_at=mail.sent_at,
                media=str(number),
                automatic=mail.automatic is not None,
                in_thread=(spare_id, mail.message_id, *in_thread),
                conversation_id=conversation_id,
            )


def _known_names(answers: tuple[str, ...]) -> Iterator[str]:
    """Each mail under our own id too, under which it is known even if we never heard that it went out."""
    for mail_id in answers:
        if ours := own_id(mail_id):
            yield ours
        yield mail_id


def _content(mail: Mail, *, cut: bool) -> EmailContent:
    return EmailContent(
        subject=mail.subject,
        text=f"{mail.text}\n{CUT}" if cut else mail.text,
        html=mail.html,
        quoted=mail.quoted or None,
    )


def _file(found: FoundFile) -> MediaContent:
    return MediaContent(kind=found.kind, filename=found.filename)


def _asked_by(report: Verdict) -> Reaction:
    """What a report asks of us. Anybody can write one: it says nothing of whether our own server lets us in."""
    reaction = reaction_to(report)
    return Reaction.BAD_PAYLOAD if reaction is Reaction.RECONNECT else reaction


def _consent(address: str, source: str, proven: UUID | None = None) -> InboundConsent:
    person = person_at(address)
    return InboundConsent(person, given=False, purpose="marketing", source=source, conversation_id=proven)
