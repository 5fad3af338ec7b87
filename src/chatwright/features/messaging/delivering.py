"""From an intended send to the wire, at most once.

Three steps: commit the intent (`sending`), call the channel, commit the outcome. A worker that dies between
two and three leaves a message that may or may not have gone out: `unknown`, shown to people and never
repeated blindly, unless the channel says that repeating is harmless.
"""

from uuid import UUID

from pydantic import TypeAdapter

from chatwright.features.messaging import store
from chatwright.features.messaging.receiving import OpenInbox, find_inbox, move_status
from chatwright.features.messaging.store import DeliveryRow
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import Outgoing, Reaction, SendOutcome
from chatwright.ports.content import Content
from chatwright.ports.database import wake
from chatwright.ports.ledger import Claim, Ledger

DELIVERIES = "deliveries"
_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


async def intend(workspace_id: UUID, conversation_id: UUID, message_id: UUID) -> None:
    """Queue a message for its channel, behind the earlier ones of its conversation."""
    await store.INSERT_DELIVERY.run(new_id(), str(conversation_id), workspace_id, message_id)
    wake(DELIVERIES)


def delivery_ledger() -> Ledger:
    """The ledger of intended sends, in order per conversation."""
    return Ledger(DELIVERIES, _work)


async def _work(claim: Claim) -> None:
    prepared = await _commit_intent(claim)
    if prepared is None:
        return
    inbox, delivery = prepared
    outgoing = Outgoing(delivery.message_id, delivery.address, _CONTENT.validate_python(delivery.content))
    outcome = await inbox.channel.send(inbox.view, outgoing)
    await _commit_outcome(claim, delivery, outcome)


async def _commit_intent(claim: Claim) -> tuple[OpenInbox, DeliveryRow] | None:
    """Mark the message `sending`; None when it must not be sent, with the claim settled."""
    async with claim.holding():
        delivery = await store.DELIVERY.one(claim.row["message_id"])
        inbox = await find_inbox(delivery.inbox_id)
        uncertain = delivery.status == "sending" and not (inbox and inbox.channel.capabilities.repeatable)
        if inbox is not None and not uncertain:
            await _move(delivery, "sending")
            return inbox, delivery
    gone = "The inbox was disconnected."
    died = "The process stopped while sending; whether it went out is not known."
    async with claim.settling("unknown" if uncertain else "failed"):
        news, detail = ("unknown", died) if uncertain else ("failed", gone)
        await _move(delivery, news, detail)
    return None


async def _commit_outcome(claim: Claim, delivery: DeliveryRow, outcome: SendOutcome) -> None:
    words = ": ".join(part for part in (outcome.code, outcome.detail) if part) or None
    match outcome.reaction:
        case None:
            async with claim.settling():
                await _move(delivery, "sent", None, outcome.external_id)
        case Reaction.RETRY:
            async with claim.settling("queued", again_in=outcome.retry_after or 5.0, error=words):
                await store.SET_STATUS.run(delivery.message_id, "queued", words, None)
        case Reaction.GIVE_UP:
            async with claim.settling("failed", error=words):
                await _move(delivery, "failed", words)
        case Reaction.UNKNOWN:
            async with claim.settling("unknown", error=words):
                await _move(delivery, "unknown", words)


async def _move(
    delivery: DeliveryRow, news: str, detail: str | None = None, external_id: str | None = None
) -> None:
    """Move the status on from where it is now: a receipt may have come in while we were sending."""
    message = await store.LOCK_MESSAGE.one(delivery.inbox_id, delivery.message_id, None)
    await move_status(delivery.workspace_id, message, news, detail=detail, external_id=external_id)
