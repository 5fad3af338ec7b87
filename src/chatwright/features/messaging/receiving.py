"""From a channel's raw events to messages in conversations: stored first, worked later, each once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chatwright.features.contacts.identities import is_blocked, recognise
from chatwright.features.messaging import events, store
from chatwright.features.messaging.deliveries import statuses
from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox
from chatwright.features.messaging.rules import preview
from chatwright.features.messaging.store import ConversationRow
from chatwright.kernel.errors import Unavailable
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import InboxView
from chatwright.ports.database import emit, wake
from chatwright.ports.inbound import (
    DeliveryStatus,
    Inbound,
    InboundMessage,
    InboundStatus,
    InboundUnknown,
    InboundWatermark,
    Person,
    RawEvent,
)
from chatwright.ports.ledger import Claim, Ledger

INBOUND = "inbound_events"
FOREIGN = "foreign account"
"""What an event is counted as that is for an account without an inbox here, or with one under other secrets."""
SOON_ATTEMPTS = 4
"""How often a status is looked at whose message is not known: for some seconds, as attempts lie ever further apart."""
LEASE_SECONDS = 5.0
"""An event is worked inside the database in milliseconds, so a dead worker's are soon given to another."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A raw event that came in for an inbox."""

    inbox: InboxView[Any]
    event: RawEvent
    unknown: str | None = None
    """Why it is not for this inbox, where that is known already."""
    id: UUID = field(default_factory=new_id)


async def accept(arrivals: Sequence[Arrival]) -> set[UUID]:
    """Store raw events, each under its key once, in order per lane; returns the ids of those that were new.

    It is one statement, and may run outside of a transaction.
    """
    new = await store.ACCEPT_EVENTS.all(
        [arrival.id for arrival in arrivals],
        [f"{arrival.inbox.id}:{arrival.event.lane}" for arrival in arrivals],
        [arrival.inbox.workspace_id for arrival in arrivals],
        [arrival.inbox.id for arrival in arrivals],
        [arrival.event.dedupe_key for arrival in arrivals],
        [dict(arrival.event.payload) for arrival in arrivals],
        [arrival.unknown for arrival in arrivals],
    )
    if new:
        wake(INBOUND)
    return set(new)


def inbound_ledger() -> Ledger:
    """The ledger of raw events, worked in order per lane."""
    return Ledger(INBOUND, _work, lease_seconds=LEASE_SECONDS)


async def _work(claim: Claim) -> None:
    async with claim.settling():
        inbox = await find_inbox(claim.row["inbox_id"])
        if inbox is None:
            return
        if (unknown := claim.row["unknown"]) is not None:
            await store.COUNT_UNKNOWN.run(inbox.view.id, unknown, claim.id)
            return
        for inbound in inbox.channel.parse(inbox.view, claim.row["payload"]):
            await _apply(inbox, inbound, claim)


async def _apply(inbox: OpenInbox, inbound: Inbound, claim: Claim) -> None:
    view = inbox.view
    match inbound:
        case InboundMessage():
            await _add_message(view, inbound)
        case InboundStatus():
            await _note_status(inbox, inbound, claim)
        case InboundWatermark():
            await _note_watermark(view, inbound)
        case InboundUnknown(kind=kind):
            await store.COUNT_UNKNOWN.run(view.id, kind[:100], claim.id)
        case _:
            await store.COUNT_UNKNOWN.run(view.id, type(inbound).__name__, claim.id)


async def _add_message(inbox: InboxView[Any], inbound: InboundMessage) -> None:
    if await store.KNOWN_MESSAGE.first(inbox.id, inbound.external_id) is not None:
        return
    contact_id = await recognise(inbox.workspace_id, inbox.id, inbound.person)
    conversation = await open_conversation(inbox, contact_id, address_of(inbound.person))
    blocked = await is_blocked(inbox.workspace_id, contact_id)
    position = await store.ADVANCE_CONVERSATION.one(conversation.id, preview(inbound.content), not blocked)
    message = await store.INSERT_MESSAGE.one(
        new_id(),
        inbox.workspace_id,
        inbox.id,
        conversation.id,
        position,
        "in",
        "contact",
        str(contact_id),
        inbound.author or inbound.person.name or "",
        inbound.content.model_dump(mode="json"),
        inbound.external_id,
        "received",
    )
    if conversation.state != "open" and not blocked:
        emit(events.conversation_changed(conversation, "reopened"))
    emit(events.message_changed(conversation, message.id, "created", direction="in", position=position))


async def open_conversation(inbox: InboxView[Any], contact_id: UUID, address: str) -> ConversationRow:
    """The conversation of a contact in an inbox, made if it is the first, locked until the commit.

    It is known by its address, and goes along when its contact was merged into this one. A contact that writes
    from a new address keeps its conversation, which is answered there from now on.
    """
    known = await store.LOCK_CONVERSATION_AT.first(inbox.id, address, contact_id)
    if known is not None:
        if (known.contact_id, known.address) != (contact_id, address):
            await store.MOVE_CONVERSATION.run(known.id, contact_id, address)
        return known
    made = await store.INSERT_CONVERSATION.first(new_id(), inbox.workspace_id, inbox.id, contact_id, address)
    conversation = await store.LOCK_CONVERSATION_AT.one(inbox.id, address, contact_id)
    if made is not None:
        emit(events.conversation_changed(conversation, "created", contact_id=str(contact_id)))
    return conversation


def address_of(person: Person) -> str:
    """The value of the first identity, which is where the person is answered."""
    return next(iter(person.identities.values()))


async def _note_status(inbox: OpenInbox, inbound: InboundStatus, claim: Claim) -> None:
    """Take a status; one that comes before its send was committed is looked at again a little later."""
    if await statuses.take_status(inbox.view.id, inbox.channel.name, inbound) is not None:
        return
    if claim.attempts < SOON_ATTEMPTS and await statuses.sending_now(inbox.view.id):
        message = "This status may be of a message that is being sent just now."
        raise Unavailable(message)


async def _note_watermark(inbox: InboxView[Any], inbound: InboundWatermark) -> None:
    conversation = await store.CONVERSATION_BY_ADDRESS.first(inbox.id, address_of(inbound.person))
    if conversation is None:
        return
    position = await statuses.take_watermark(inbox.id, conversation.id, inbound)
    if position is not None and inbound.status is DeliveryStatus.READ:
        await store.CONTACT_READ.run(conversation.id, position)
