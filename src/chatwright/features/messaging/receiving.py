"""From a channel's raw events to what they mean: stored first, worked later, each once."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chatwright.features.messaging import store
from chatwright.features.messaging.inbound.account import take_account_news, take_template
from chatwright.features.messaging.inbound.changes import edit_message, react, unsend_message
from chatwright.features.messaging.inbound.coming import Coming, NotYet
from chatwright.features.messaging.inbound.handovers import leave_to_another
from chatwright.features.messaging.inbound.leads import take_lead
from chatwright.features.messaging.inbound.messages import add_echo, add_message
from chatwright.features.messaging.inbound.people import (
    take_consent,
    take_identity,
    take_profile,
    take_withdrawal,
)
from chatwright.features.messaging.inbound.receipts import note_status, note_watermark
from chatwright.features.messaging.inbound.referrals import come_by_referral
from chatwright.features.messaging.inboxes.opening import find_inbox, is_large
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import InboxView
from chatwright.ports.database import wake
from chatwright.ports.inbound import (
    Inbound,
    InboundAccount,
    InboundConsent,
    InboundEcho,
    InboundEdit,
    InboundHandover,
    InboundIdentity,
    InboundLead,
    InboundMessage,
    InboundProfile,
    InboundReaction,
    InboundReferral,
    InboundStatus,
    InboundTemplate,
    InboundUnknown,
    InboundUnsend,
    InboundWatermark,
    InboundWithdrawal,
    RawEvent,
)
from chatwright.ports.ledger import Claim, Ledger

INBOUND = "inbound_events"
FOREIGN = "foreign account"
"""What an event is counted as that is for an account without an inbox here, or with one under other secrets."""
MOST_WAITS = 30
"""How often news is looked at again that may be of a message being sent just now: about as many seconds."""
WAIT_SECONDS = 1.0
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
    large = is_large(claim.row["payload"])
    try:
        async with claim.keeping() if large else nullcontext(), claim.settling():
            await _read(claim)
    except NotYet:
        async with claim.settling("queued", again_in=WAIT_SECONDS):
            return


async def _read(claim: Claim) -> None:
    inbox = await find_inbox(claim.row["inbox_id"])
    if inbox is None:
        return
    coming = Coming(inbox, claim.id, patient=claim.attempts <= MOST_WAITS)
    if (unknown := claim.row["unknown"]) is not None:
        await coming.unknown(unknown)
        return
    for inbound in await inbox.read(claim.row["payload"]):
        await _apply(coming, inbound)


async def _apply(coming: Coming, inbound: Inbound) -> None:  # noqa: C901, PLR0912 - one line for each kind.
    match inbound:
        case InboundMessage():
            await add_message(coming, inbound)
        case InboundEcho():
            await add_echo(coming, inbound)
        case InboundEdit():
            await edit_message(coming, inbound)
        case InboundUnsend():
            await unsend_message(coming, inbound)
        case InboundReaction():
            await react(coming, inbound)
        case InboundStatus():
            await note_status(coming, inbound)
        case InboundWatermark():
            await note_watermark(coming, inbound)
        case InboundReferral():
            await come_by_referral(coming, inbound)
        case InboundConsent():
            await take_consent(coming, inbound)
        case InboundIdentity():
            await take_identity(coming, inbound)
        case InboundProfile():
            await take_profile(coming, inbound)
        case InboundLead():
            await take_lead(coming, inbound)
        case InboundTemplate():
            await take_template(coming, inbound)
        case InboundAccount():
            await take_account_news(coming, inbound)
        case InboundHandover():
            await leave_to_another(coming, inbound)
        case InboundWithdrawal():
            await take_withdrawal(coming, inbound)
        case InboundUnknown(kind=kind):
            await coming.unknown(kind)
