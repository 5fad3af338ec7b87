"""The verbs of raw events."""

from chatwright.features.contacts.access import limits_of
from chatwright.features.messaging.arrivals import store
from chatwright.features.messaging.arrivals.models import (
    CountEvents,
    EventCounts,
    InboundEvent,
    ListEvents,
    RetryEvent,
)
from chatwright.features.messaging.errors import EventNotFound
from chatwright.features.messaging.inboxes.access import visible_inbox
from chatwright.features.messaging.receiving import FOREIGN, INBOUND
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.caller import Caller
from chatwright.kernel.operation import Effect, operation
from chatwright.kernel.paging import Page, after_id, page_of
from chatwright.ports.database import wake


@operation(
    "inboxes.list_events",
    tool="list_odd_events",
    scope="conversations:read",
    effect=Effect.READ,
    http="GET /inboxes/{inbox_id}/events",
    errors=(InboxNotFound,),
)
async def list_events(caller: Caller, request: ListEvents) -> Page[InboundEvent]:
    """List what a provider told an inbox that could not be worked, or that nobody here knows."""
    inbox = await visible_inbox(caller, request.inbox_id)
    rows = await store.LIST_EVENTS.all(inbox.id, after_id(request.cursor), request.kind, request.limit + 1)
    return page_of(rows, request.limit, lambda row: (str(row.id),))


@operation(
    "inboxes.count_events",
    tool="count_odd_events",
    scope="inboxes:read",
    effect=Effect.READ,
    http="GET /inboxes/{inbox_id}/events/counts",
    errors=(InboxNotFound,),
)
async def count_events(caller: Caller, request: CountEvents) -> EventCounts:
    """Count an inbox's raw events that wait, that failed, and that have something unknown in them."""
    inbox = await visible_inbox(caller, request.inbox_id)
    states = await store.COUNT_STATES.one(inbox.id)
    return EventCounts(**states, unknown=await store.UNKNOWN_KINDS.all(inbox.id))


@operation(
    "inboxes.retry_event",
    tool="retry_event",
    scope="inboxes:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /inbound-events/{event_id}/retry",
    errors=(EventNotFound,),
)
async def retry_event(caller: Caller, request: RetryEvent) -> InboundEvent:
    """Work a raw event again that failed or had something unknown in it, e.g. after an upgrade.

    What it has had effect already has none again.
    """
    event = await store.RETRY_EVENT.first(caller.workspace_id, request.event_id, limits_of(caller), FOREIGN)
    if event is None:
        raise EventNotFound("There is no such event in this workspace that could be worked again.")
    wake(INBOUND)
    return event
