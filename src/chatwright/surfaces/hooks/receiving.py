"""POST /hooks/{inbox_id}: one door for the events of every channel.

Verify the bytes, cut them into events, store each once, answer 200. The work comes later, from the ledger.
"""

from dataclasses import replace

from starlette.responses import JSONResponse, Response

from chatwright.features.messaging.receiving import Arrival
from chatwright.features.workspaces.limits import RateLimiter
from chatwright.kernel.operation import RateClass
from chatwright.ports.channel import Answering, HostedChannel
from chatwright.ports.database import Database
from chatwright.surfaces.hooks.intake import Intake
from chatwright.surfaces.hooks.reception import Call, storable

VISITOR_RATE = RateClass(per_minute=600, burst=300)
"""Calls of one visitor of a hosted channel. Providers are not limited: they answer a refusal with copies."""


class Receiving:
    """The handler of the door."""

    def __init__(self, database: Database, limiter: RateLimiter) -> None:
        self._intake = Intake(database)
        self._limiter = limiter

    async def receive(self, call: Call) -> Response:
        """Take one call in; answers how many events it had and how many of them were new."""
        verified = call.verify()
        channel, view = call.inbox.channel, call.inbox.view
        if isinstance(channel, HostedChannel):
            await self._limiter.take(f"visitor:{view.id}:{verified.address}", VISITOR_RATE)
        arrivals = [
            Arrival(view, replace(event, payload=storable(event.payload)))
            for event in channel.split(view, call.request, verified)
        ]
        new = await self._intake.store(arrivals)
        said = channel.answer(view, call.request) if isinstance(channel, Answering) else None
        return JSONResponse(said or {"events": len(arrivals), "new": new})
