"""A message of ours as a mail."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from uuid import UUID

from chatwright.channels.email.pages import safe_html, text_of
from chatwright.channels.email.settings import EmailSettings
from chatwright.channels.email.tokens import MailTokens
from chatwright.channels.email.words import one_line
from chatwright.ports.channel import InboxView
from chatwright.ports.content import EmailContent, MediaContent, TextContent
from chatwright.ports.sending import Outgoing

LONGEST_CHAIN = 40
"""Ids in References; of a longer thread the beginning and the latest, as RFC 5537 advises (section 3.4.4)."""
_LONGEST_LINE = 900
"""Characters of a header's line. The library would put an id that is too long for its line into encoded words."""
_REPLY = re.compile(r"^\s*(re|aw|sv|antw|odp|rif|回复|trả lời)\s*(\[\d+\])?\s*:\s*", re.IGNORECASE)
_ADDED = re.compile(r"(#[0-9a-f]{32})?(#\d+)?$")
"""What we add to an id: of a mail that repeats another one's, and of a file."""
_DOMAIN = re.compile(r"[A-Za-z0-9._-]{1,253}")
_LOCAL = re.compile(r"[^\s<>,;:\"()\[\]@\\]{1,64}")


@dataclass(frozen=True, slots=True)
class OutgoingFileBytes:
    """A file in hand."""

    filename: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail ready to be sent."""

    sender: str
    recipient: str
    raw: bytes
    international: bool
    """Whether it needs SMTPUTF8 (RFC 6531): the address has other letters than ASCII."""


class BadAddress(ValueError):
    """Mail cannot be sent to such an address."""


def mail_id(settings: EmailSettings, message_id: UUID) -> str:
    """The Message-ID of a message of ours, without its angle brackets."""
    return f"{message_id}@{settings.domain()}"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes mails of one inbox."""

    inbox: InboxView[EmailSettings]
    tokens: MailTokens
    public_url: str

    def write(self, outgoing: Outgoing, file: OutgoingFileBytes | None = None) -> Envelope:
        """Build the mail; raises BadAddress."""
        settings = self.inbox.settings
        to = _header_address(outgoing.to)
        international = not to.addr_spec.isascii()
        policy = (SMTPUTF8 if international else SMTP).clone(max_line_length=_LONGEST_LINE, cte_type="7bit")
        mail = EmailMessage(policy=policy)
        local, _, domain = settings.address.rpartition("@")
        mail["From"] = HeaderAddress(one_line(settings.name), local, domain)
        mail["To"] = to
        mail["Subject"] = self._subject(outgoing)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = f"<{mail_id(settings, outgoing.message_id)}>"
        self._add_threading(mail, outgoing)
        if not outgoing.by_person:
            self._add_automatic(mail, outgoing)
        _add_body(mail, outgoing, file)
        return Envelope(settings.address, to.addr_spec, mail.as_bytes(), international)

    def _subject(self, outgoing: Outgoing) -> str:
        own = outgoing.content.subject if isinstance(outgoing.content, EmailContent) else ""
        subject = one_line(own or outgoing.subject or "")
        if not subject:
            return f"Message from {one_line(self.inbox.settings.name) or self.inbox.settings.address}"
        if own or not outgoing.thread:
            return subject
        return f"Re: {_REPLY.sub('', subject)}"

    def _add_threading(self, mail: EmailMessage, outgoing: Outgoing) -> None:
        chain = list(dict.fromkeys(_ADDED.sub("", one) for one in outgoing.thread if "@" in one))
        if outgoing.reply_to and "@" in outgoing.reply_to:
            answered = _ADDED.sub("", outgoing.reply_to)
            chain = [*(one for one in chain if one != answered), answered]
        chain = [one for one in chain if not set(one) & set(" <>\r\n\t")]
        if len(chain) > LONGEST_CHAIN:
            chain = [chain[0], *chain[1 - LONGEST_CHAIN :]]
        if chain:
            mail["In-Reply-To"] = f"<{chain[-1]}>"
            mail["References"] = " ".join(f"<{one}>" for one in chain)
        if outgoing.conversation_id is not None and self.inbox.settings.plus_addresses:
            address = self.inbox.settings.address
            signed = self.tokens.answer_address(self.inbox.id, address, outgoing.conversation_id)
            if signed:
                mail["Reply-To"] = signed

    def _add_automatic(self, mail: EmailMessage, outgoing: Outgoing) -> None:
        """Tell machines that a machine wrote this (RFC 3834), and people's programs how to stop it (RFC 8058)."""
        mail["Auto-Submitted"] = "auto-replied" if outgoing.thread else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        token = self.tokens.unsubscribe_token(self.inbox.id, outgoing.to)
        mail["List-Unsubscribe"] = f"<{self.public_url}/u/{token}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _add_body(mail: EmailMessage, outgoing: Outgoing, file: OutgoingFileBytes | None) -> None:
    match outgoing.content:
        case TextContent(text=text):
            mail.set_content(text)
        case EmailContent(text=text, html=html):
            mail.set_content(text or text_of(safe_html(html or "")))
            if html:
                mail.add_alternative(html, subtype="html")
        case MediaContent(caption=caption, url=url):
            words = [caption or "", url or "" if file is None else ""]
            mail.set_content("\n\n".join(filter(None, words)))
        case other:
            mail.set_content(str(getattr(other, "text", None) or ""))
    if file is not None:
        main, _, sub = file.media_type.partition("/")
        mail.add_attachment(file.content, maintype=main, subtype=sub, filename=one_line(file.filename))


def _header_address(address: str) -> HeaderAddress:
    local, _, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError as error:
        raise BadAddress(address) from error
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(ascii_domain) or domain.endswith(".invalid"):
        raise BadAddress(address)
    return HeaderAddress("", local, ascii_domain)
