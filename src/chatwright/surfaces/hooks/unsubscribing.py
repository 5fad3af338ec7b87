"""GET and POST /u/{token}: a link that stops what a channel sends (RFC 8058).

Mail programs post to it, without a session and without following redirects, and that is all it takes. Whoever opens
the link sees a page with a button: programs that look at every link beforehand must not unsubscribe anybody.
"""

import html
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from chatwright.features.messaging.inboxes.opening import OpenInbox
from chatwright.features.messaging.receiving import Arrival
from chatwright.kernel.errors import ChatwrightError, NotFound
from chatwright.ports.channel import Unsubscribing
from chatwright.ports.database import Database
from chatwright.ports.inbound import RawEvent
from chatwright.surfaces.hooks.intake import Intake
from chatwright.surfaces.hooks.reception import Reception

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}
ASK = """<h1>Stop these messages?</h1>
<p>{name} will not send you offers and news any more.</p>
<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>"""
DONE = """<h1>Done</h1>
<p>{name} will not send you offers and news any more.</p>"""
STRANGE = """<h1>This link does not work</h1>
<p>Perhaps it was cut off on its way. Answer the message instead, and write that you want no more of them.</p>"""


class Unsubscriptions:
    """The handlers."""

    def __init__(self, database: Database, reception: Reception) -> None:
        self._intake = Intake(database)
        self._reception = reception

    async def ask(self, request: Request) -> Response:
        """Show the button; nothing else happens."""
        try:
            inbox, _ = await self._read(request)
        except ChatwrightError as error:
            return _strange(error)
        return _page(ASK, inbox)

    async def stop(self, request: Request) -> Response:
        """Keep the objection, to be worked like anything that comes in."""
        try:
            inbox, event = await self._read(request)
            await self._intake.store([Arrival(inbox.view, event)])
        except ChatwrightError as error:
            return _strange(error)
        return _page(DONE, inbox)

    async def _read(self, request: Request) -> tuple[OpenInbox, RawEvent]:
        """The inbox of a token and what the token says there; raises NotFound."""
        token = str(request.path_params["token"])
        try:
            inbox = await self._reception.find(UUID(token[:32]))
        except ValueError:
            raise _no_such_link() from None
        channel: object = inbox.channel
        event = channel.unsubscription(inbox.view, token) if isinstance(channel, Unsubscribing) else None
        if event is None:
            raise _no_such_link()
        return inbox, event


def _page(words: str, inbox: OpenInbox, status: int = 200) -> Response:
    return _html(words.format(name=html.escape(inbox.name)), status)


def _strange(error: ChatwrightError) -> Response:
    return _html(STRANGE, error.http_status)


def _html(body: str, status: int) -> Response:
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Unsubscribe</title><body>{body}'
    return HTMLResponse(page, status, HEADERS)


def _no_such_link() -> NotFound:
    return NotFound("There is no such link.")
