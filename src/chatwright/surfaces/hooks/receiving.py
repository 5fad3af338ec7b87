"""/hooks/{inbox_id}: one door for the events of every channel.

GET is a provider's handshake. POST: verify the bytes, cut them into events, route each to the inbox of its account,
store each once, answer 200. The work comes later, from the ledger.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog
from pydantic import BaseModel
from starlette.responses import JSONResponse, PlainTextResponse, Response

from chatwright.features.messaging.inboxes.opening import OpenInbox
from chatwright.features.messaging.inboxes.secrets import hook_token, hook_url
from chatwright.features.messaging.receiving import FOREIGN, Arrival
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.kernel.errors import ChatwrightError, Forbidden, InvalidInput, NotFound
from chatwright.kernel.operation import RateClass
from chatwright.ports.channel import (
    Answering,
    Handshaking,
    HookRequest,
    HostedChannel,
    InboxView,
    Verified,
    channel_named,
    channel_names,
)
from chatwright.ports.database import Database
from chatwright.ports.inbound import RawEvent
from chatwright.surfaces.hooks.intake import Intake
from chatwright.surfaces.hooks.reception import Call, Reception, storable, verified

VISITOR_RATE = RateClass(per_minute=600, burst=300)
"""Calls of one visitor of a hosted channel. Providers are not limited: they answer a refusal with copies."""
UNREADABLE = "unreadable"
"""Where a call is kept that nobody could cut into events: its body as text."""
LONGEST_NAME = 500
_NOBODY = UUID(int=0)

_log = structlog.get_logger(__name__)


class _NotYet(BaseModel):
    """Settings of an inbox that is being connected, as far as others can see them."""


class Receiving:
    """The handlers of the door."""

    def __init__(self, database: Database, limiter: RateLimiter, reception: Reception) -> None:
        self._intake = Intake(database)
        self._limiter = limiter
        self._reception = reception

    async def receive(self, call: Call) -> Response:
        """Take one call in; answers how many events it had and how many of them were new."""
        proof = call.verify()
        channel, view = call.inbox.channel, call.inbox.view
        if isinstance(channel, HostedChannel):
            await self._limiter.take(f"visitor:{view.id}:{proof.address}", VISITOR_RATE)
            arrivals = [Arrival(view, _storable(event)) for event in channel.split(view, call.request, proof)]
        else:
            arrivals = await self._routed(call, _events_of(call, proof))
        new = await self._intake.store(arrivals)
        return JSONResponse(_answer(call) or {"events": len(arrivals), "new": new})

    async def handshake(self, call: Call) -> Response:
        """Answer a provider that wants to know whether this is the place."""
        channel: object = call.inbox.channel
        if not isinstance(channel, Handshaking):
            message = "Nothing is to be read here."
            raise NotFound(message)
        return PlainTextResponse(channel.handshake(call.inbox.view, call.request))

    def early_handshake(self, inbox_id: UUID, request: HookRequest) -> Response:
        """Answer for an inbox that is being connected: some providers call while we set the webhook up.

        The token alone proves the call. It is made of the id and this server's key, so whoever knows it was told.
        """
        view = InboxView(inbox_id, _NOBODY, _NotYet(), hook_url(inbox_id), hook_token(inbox_id))
        for channel in map(channel_named, channel_names()):
            asked: object = channel
            if isinstance(asked, Handshaking):
                try:
                    return PlainTextResponse(asked.handshake(view, request))
                except Forbidden:
                    continue
        message = "There is no such inbox."
        raise InboxNotFound(message)

    async def _routed(self, call: Call, events: Sequence[RawEvent]) -> list[Arrival]:
        """Each event with the inbox of its account; what is nobody's stays here, marked as foreign."""
        own = call.inbox.channel.account(call.inbox.view.settings)
        elsewhere = {event.account for event in events if own is not None} - {None, own}
        inboxes = {account: await self._inbox_of(call, account) for account in elsewhere if account}
        arrivals: list[Arrival] = []
        for event in events:
            inbox = inboxes[event.account] if event.account in elsewhere and event.account else call.inbox
            if inbox is None:
                arrivals.append(Arrival(call.inbox.view, event, unknown=FOREIGN))
            else:
                arrivals.append(Arrival(inbox.view, event))
        return arrivals

    async def _inbox_of(self, call: Call, account: str) -> OpenInbox | None:
        """The inbox of another account, if the call is signed with that inbox's own secrets as well."""
        inbox = await self._reception.find_account(call.inbox.channel.name, account)
        if inbox is None:
            return None
        try:
            verified(inbox, call.request)
        except ChatwrightError:
            return None
        return inbox


def _events_of(call: Call, proof: Verified) -> list[RawEvent]:
    """The events of a provider's call. Whatever is in it, nothing is refused: it would only come again."""
    try:
        events = call.inbox.channel.split(call.inbox.view, call.request, proof)
        return [_storable(event) for event in events]
    except InvalidInput:
        pass
    except Exception as error:  # noqa: BLE001 - whatever it is, the call has to be kept.
        _log.warning("hooks.not_split", channel=call.inbox.channel.name, exc_info=error)
    body = call.request.body
    text = storable(body.decode(errors="replace"))
    return [RawEvent(f"{UNREADABLE}:{hashlib.sha256(body).hexdigest()}", UNREADABLE, {UNREADABLE: text})]


def _storable(event: RawEvent) -> RawEvent:
    return replace(
        event,
        payload=storable(event.payload),
        dedupe_key=_short(storable(event.dedupe_key)),
        lane=_short(storable(event.lane)),
        account=storable(event.account),
    )


def _short(name: str) -> str:
    """A name as an index takes it: a very long one by its hash."""
    return name if len(name) <= LONGEST_NAME else f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def _answer(call: Call) -> dict[str, object] | None:
    channel: object = call.inbox.channel
    if not isinstance(channel, Answering):
        return None
    try:
        said = channel.answer(call.inbox.view, call.request)
    except Exception as error:  # noqa: BLE001 - the events are stored, so the call went well whatever this is.
        _log.warning("hooks.not_answered", channel=call.inbox.channel.name, exc_info=error)
        return None
    return dict(said) if said else None
