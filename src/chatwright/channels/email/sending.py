"""A mail handed to the server that sends it on, once."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPResponseException

from chatwright.channels.email.codes import reaction_to, read_answer
from chatwright.channels.email.settings import EmailSettings
from chatwright.channels.email.words import one_line
from chatwright.channels.email.writing import Envelope
from chatwright.kernel.errors import Unavailable
from chatwright.net.http import Web
from chatwright.ports.sending import Reaction, SendOutcome

ANSWER_SECONDS = 30.0
GOODBYE_SECONDS = 2.0
DATA_SECONDS = 180.0
"""A server may look at a mail for long before it takes it (RFC 5321, section 4.5.3.2.6, asks for ten minutes)."""
PORTS = "Most servers speak tls on port 465 and starttls on port 587."
SIGN_IN = "Check name and password; with two-factor sign-in the provider wants an app password."
CERTIFICATE = "Give the name that the certificate is for, or a private authority in trusted_certificate."


class Refused(Exception):
    """The server did not take the mail, and it is known that it did not."""

    def __init__(self, reaction: Reaction, code: str, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.outcome = SendOutcome(reaction=reaction, code=code, detail=detail[:500])
        self.hint = hint


async def send_mail(web: Web, settings: EmailSettings, envelope: Envelope, mail_id: str) -> SendOutcome:
    """Hand it over; says what became of it, and never raises for what the server may do."""
    try:
        async with signed_in(web, settings) as smtp:
            await _address(smtp, envelope)
            return await _hand_over(smtp, envelope, mail_id)
    except Refused as refused:
        return refused.outcome


@asynccontextmanager
async def signed_in(web: Web, settings: EmailSettings) -> AsyncGenerator[SMTP]:
    """A connection to the server that sends for us; raises Refused."""
    encrypted = settings.smtp_security != "none"
    try:
        connection = await web.dial(settings.smtp_host, settings.smtp_port, encrypted=encrypted)
    except Unavailable as error:
        raise Refused(Reaction.RETRY, "NOT_REACHED", error.message, error.hint or "") from error
    smtp = SMTP(
        hostname=settings.smtp_host,
        sock=connection,
        local_hostname=settings.domain(),
        timeout=ANSWER_SECONDS,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        tls_context=settings.tls_context(),
    )
    try:
        await _sign_in(smtp, settings)
        yield smtp
    finally:
        # What became of the mail is known by now, so nobody waits long for a goodbye.
        with contextlib.suppress(SMTPException, OSError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await smtp.quit()
        smtp.close()


async def _sign_in(smtp: SMTP, settings: EmailSettings) -> None:
    name, password = settings.smtp_login()
    try:
        await smtp.connect()
        if password:
            await smtp.login(name, password)
    except SMTPResponseException as error:
        raise _refusal(error) from error
    except (SMTPException, OSError) as error:
        raise _unreached(settings.smtp_host, error) from error


async def _address(smtp: SMTP, envelope: Envelope) -> None:
    if envelope.international and not smtp.supports_extension("smtputf8"):
        words = "The server cannot send to addresses with other letters than a to z."
        raise Refused(Reaction.BAD_PAYLOAD, "SMTPUTF8", words)
    options = ["SMTPUTF8"] if envelope.international else []
    encoding = "utf-8" if envelope.international else "ascii"
    try:
        await smtp.mail(envelope.sender, options=options, encoding=encoding)
        await smtp.rcpt(envelope.recipient, encoding=encoding)
    except SMTPResponseException as error:
        raise _refusal(error) from error
    except (SMTPException, OSError) as error:
        raise Refused(Reaction.RETRY, "BROKEN_OFF", "The server broke the connection off.") from error


async def _hand_over(smtp: SMTP, envelope: Envelope, mail_id: str) -> SendOutcome:
    try:
        await smtp.data(envelope.raw, timeout=DATA_SECONDS)
    except SMTPResponseException as error:
        raise _refusal(error) from error
    except (SMTPException, OSError):
        words = "The server did not say whether it took the mail."
        return SendOutcome(reaction=Reaction.UNKNOWN, code="NO_ANSWER", detail=words)
    return SendOutcome(external_id=mail_id)


def _refusal(error: SMTPResponseException) -> Refused:
    if error.code < 200:
        # The library's sign of an answer that is none.
        return Refused(
            Reaction.RETRY, "NO_MAIL_SERVER", "It does not answer as a server for sending mail does.", PORTS
        )
    verdict = read_answer(error.code, error.message)
    reaction = reaction_to(verdict)
    words = f'The server says "{one_line(verdict.words)}".'
    return Refused(reaction, verdict.code, words, SIGN_IN if reaction is Reaction.RECONNECT else "")


def _unreached(host: str, error: Exception) -> Refused:
    """No connection, or none that we may use."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            words = f"{host} shows a TLS certificate that is not accepted: {cause.verify_message}."
            return Refused(Reaction.RETRY, "CERTIFICATE", words, CERTIFICATE)
        if isinstance(cause, ssl.SSLError):
            return Refused(Reaction.RETRY, "TLS", f"{host} does not speak TLS on this port.", PORTS)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, SMTPException) and not isinstance(error, OSError):
        words = f"{host} offers no sign-in, or not the encryption that was asked for."
        return Refused(Reaction.RECONNECT, "NOT_OFFERED", words, PORTS)
    return Refused(Reaction.RETRY, "NOT_REACHED", f"{host} did not answer as a mail server does.", PORTS)
