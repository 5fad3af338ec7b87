"""The channel: a mailbox read by IMAP, or fed by another server's calls, and answered by SMTP."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from chatwright.channels.email.checking import check_imap, check_smtp
from chatwright.channels.email.fetching import Cursor, FetchedMail, ImapMailbox, batches, opened_mailbox
from chatwright.channels.email.inbound import Reader
from chatwright.channels.email.reading import LONGEST_TEXT, FoundFile, read_mail
from chatwright.channels.email.sending import send_mail
from chatwright.channels.email.settings import EmailSettings
from chatwright.channels.email.tokens import MailTokens
from chatwright.channels.email.wire import mail_event, stored_mail, unsubscription_event
from chatwright.channels.email.writing import BadAddress, OutgoingFileBytes, Writer, mail_id
from chatwright.kernel.errors import Unauthenticated
from chatwright.net.downloads import FileGone
from chatwright.net.http import Web
from chatwright.ports.channel import (
    Capabilities,
    Download,
    Finding,
    HookRequest,
    InboxView,
    Take,
    Verified,
)
from chatwright.ports.cipher import Cipher
from chatwright.ports.inbound import Inbound, RawEvent
from chatwright.ports.sending import Outgoing, OutgoingFile, Reaction, SendOutcome

EmailInbox = InboxView[EmailSettings]
LARGEST_FILE = 18 * 1024 * 1024
"""Bytes; base64 makes a third more of it, and most providers take mails of up to 25 MB."""


class Email:
    """See `ports.channel`: `Channel`, `Listening`, `Unpacking` and `Unsubscribing`."""

    name: ClassVar[str] = "email"
    Settings = EmailSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        contents=frozenset({"text", "email", "media"}),
        text_limit=LONGEST_TEXT,
        caption_limit=LONGEST_TEXT,
        files=dict.fromkeys(("image", "video", "audio", "voice", "sticker", "file"), LARGEST_FILE),
        bounces=True,
        people_per_hour=20,
    )
    """Mail has no limits of its own; those here are for a mail that every program still opens."""

    def __init__(self, cipher: Cipher, public_url: str, web: Web) -> None:
        self._tokens = MailTokens(cipher)
        self._public_url = public_url
        self._web = web

    def verify(self, inbox: EmailInbox, request: HookRequest) -> Verified:
        """A mail server that delivers by HTTP knows the inbox's `hook_token`."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = inbox.hook_token.encode()
        if scheme.lower() != "bearer" or not known or not hmac.compare_digest(token.strip().encode(), known):
            message = "The call does not carry this inbox's token."
            raise Unauthenticated(message)
        return Verified()

    def split(self, inbox: EmailInbox, request: HookRequest, verified: Verified) -> Sequence[RawEvent]:  # noqa: ARG002 - the port's.
        """The body is one raw mail (message/rfc822)."""
        return [mail_event(request.body)]

    def parse(self, inbox: EmailInbox, payload: Mapping[str, Any]) -> Sequence[Inbound]:
        """Read a mail, or the click on a link to unsubscribe."""
        return Reader(inbox, self._tokens).read(payload)

    async def send(self, inbox: EmailInbox, outgoing: Outgoing) -> SendOutcome:
        """Write the mail and hand it to the SMTP server."""
        file = None if outgoing.file is None else await _in_hand(outgoing.file)
        try:
            envelope = Writer(inbox, self._tokens, self._public_url).write(outgoing, file)
        except BadAddress:
            words = "This is no address that mail can be sent to."
            return SendOutcome(reaction=Reaction.UNREACHABLE, code="ADDRESS", detail=words)
        known_as = mail_id(inbox.settings, outgoing.message_id)
        return await send_mail(self._web, inbox.settings, envelope, known_as)

    def account(self, settings: EmailSettings) -> str | None:
        """The address."""
        return settings.address.lower()

    async def check(self, inbox: EmailInbox) -> Sequence[Finding]:
        """Sign in to both servers."""
        return await asyncio.gather(
            check_imap(self._web, inbox.settings), check_smtp(self._web, inbox.settings)
        )

    async def listen(self, inbox: EmailInbox, cursor: Mapping[str, Any], take: Take) -> None:
        """Hand over what is after the cursor, then wait for more; see `ports.channel.Listening`."""
        at = Cursor.read(cursor)
        async with opened_mailbox(self._web, inbox.settings) as mailbox:
            validity = await mailbox.validity()
            if at.validity != validity:
                at = Cursor(at.since, 0, 0)
            while True:
                at = await _fetch_all(mailbox, at, validity, take, inbox.settings)
                await mailbox.wait()

    async def unpack(self, inbox: EmailInbox, payload: Mapping[str, Any], media: str) -> Download:
        """The file of a stored mail that `InboundMessage.media` names, by its number."""
        stored = stored_mail(payload)
        if stored is None or not media.isdecimal():
            message = "There is no such file in this mail."
            raise FileGone(message)
        found, content = await asyncio.to_thread(_file_in, stored.raw, inbox.settings.address, int(media))
        return Download(found.media_type, _in_chunks(content), found.filename)

    def unsubscription(self, inbox: EmailInbox, token: str) -> RawEvent | None:
        """Whose link this is; None when it was not made here."""
        address = self._tokens.unsubscriber(inbox.id, token)
        return None if address is None else unsubscription_event(address, datetime.now(UTC))


async def _fetch_all(
    mailbox: ImapMailbox, at: Cursor, validity: int, take: Take, settings: EmailSettings
) -> Cursor:
    """Hand over what is new, and return the cursor after it."""
    uids = await mailbox.uids(at)
    async for batch in batches(mailbox, uids, at.since):
        at = Cursor(at.since, validity, batch[-1].uid)
        await take(await asyncio.to_thread(_events_of, batch), at.stored())
        if settings.mark_seen:
            await mailbox.mark_seen([mail.uid for mail in batch])
    at = Cursor(at.since, validity, max([at.uid, *uids]))
    await take([], at.stored())
    return at


def _events_of(mails: Sequence[FetchedMail]) -> list[RawEvent]:
    return [mail_event(mail.raw, mail.received_at, mail.size) for mail in mails]


def _file_in(raw: bytes, own_address: str, number: int) -> tuple[FoundFile, bytes]:
    files = read_mail(raw, own_address=own_address).files
    if not 1 <= number <= len(files):
        message = "There is no such file in this mail."
        raise FileGone(message)
    return files[number - 1], files[number - 1].content()


async def _in_chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 256 * 1024):
        yield content[start : start + 256 * 1024]


async def _in_hand(file: OutgoingFile) -> OutgoingFileBytes:
    content = b"".join([piece async for piece in file.read()])
    return OutgoingFileBytes(file.filename, file.media_type, content)
