"""A live look at both servers of an inbox: what is wrong, in words, and what to do about it."""

from chatwright.channels.email.fetching import opened_mailbox
from chatwright.channels.email.sending import Refused, signed_in
from chatwright.channels.email.settings import EmailSettings
from chatwright.kernel.errors import Unavailable
from chatwright.net.http import Web
from chatwright.ports.channel import CredentialsLost, Finding
from chatwright.ports.sending import Reaction


async def check_imap(web: Web, settings: EmailSettings) -> Finding:
    """Whether mail can be read."""
    place = f"{settings.imap_host}:{settings.imap_port}"
    try:
        async with opened_mailbox(web, settings) as mailbox:
            await mailbox.validity()
    except (CredentialsLost, Unavailable) as error:
        lost = isinstance(error, CredentialsLost)
        words = f"{place}: {error.message} {error.hint or ''}".strip()
        return Finding("imap", ok=False, words=words, reaction=Reaction.RECONNECT if lost else Reaction.RETRY)
    return Finding("imap", ok=True, words=f"{place}: mail in '{settings.folder}' can be read.")


async def check_smtp(web: Web, settings: EmailSettings) -> Finding:
    """Whether mail can be sent; none is."""
    place = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        async with signed_in(web, settings):
            return Finding("smtp", ok=True, words=f"{place}: signed in to send as {settings.address}.")
    except Refused as refused:
        words = f"{place}: {refused.outcome.detail} {refused.hint}".strip()
        return Finding("smtp", ok=False, words=words, reaction=refused.outcome.reaction)
