"""From an intended send to the wire, at most once.

Three steps: commit the intent (`sending`), call the channel, commit the outcome. A worker that dies between
two and three leaves a message that may or may not have gone out: `unknown`, shown to people and never
repeated blindly, unless the channel says that repeating is harmless.
"""

from uuid import UUID

import structlog
from pydantic import TypeAdapter

from chatwright.features.messaging import store
from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox
from chatwright.features.messaging.receiving import move_status
from chatwright.features.messaging.store import DeliveryRow
from chatwright.kernel.errors import ChatwrightError, Unavailable
from chatwright.kernel.ids import new_id
from chatwright.ports.content import Content
from chatwright.ports.database import wake
from chatwright.ports.ledger import Claim, LeaseLost, Ledger
from chatwright.ports.sending import Outgoing, Reaction, SendOutcome

DELIVERIES = "deliveries"
MOST_ATTEMPTS = 14
"""With the waits between them this lets a provider be away for an hour. The lane stands still meanwhile."""
FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 600.0

_log = structlog.get_logger(__name__)
_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


async def intend(workspace_id: UUID, conversation_id: UUID, message_id: UUID) -> None:
    """Queue a message for its channel, behind the earlier ones of its conversation."""
    await store.INSERT_DELIVERY.run(new_id(), str(conversation_id), workspace_id, message_id)
    wake(DELIVERIES)


def delivery_ledger() -> Ledger:
    """The ledger of intended sends, in order per conversation."""
    return Ledger(DELIVERIES, _work, max_attempts=MOST_ATTEMPTS)


async def _work(claim: Claim) -> None:
    try:
        await _deliver(claim)
    except (LeaseLost, Unavailable):
        raise
    except ChatwrightError as error:
        await _give_up(claim, error.message)
    except Exception:
        if claim.attempts < MOST_ATTEMPTS:
            raise
        _log.exception("delivery.given_up", id=str(claim.id))
        await _give_up(claim, "Something went wrong on our side.")


async def _deliver(claim: Claim) -> None:
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
        case Reaction.RETRY if claim.attempts < MOST_ATTEMPTS:
            async with claim.settling("queued", again_in=_wait_after(claim, outcome), error=words):
                await store.SET_STATUS.run(delivery.message_id, "queued", words, None)
        case Reaction.UNKNOWN:
            async with claim.settling("unknown", error=words):
                await _move(delivery, "unknown", words)
        case _:
            async with claim.settling("failed", error=words):
                await _move(delivery, "failed", words)


def _wait_after(claim: Claim, outcome: SendOutcome) -> float:
    """Seconds: as the provider wishes, else longer after each attempt."""
    return outcome.retry_after or min(FIRST_WAIT_SECONDS * 2 ** (claim.attempts - 1), LONGEST_WAIT_SECONDS)


async def _give_up(claim: Claim, words: str) -> None:
    """End a message that cannot be sent; one that was being sent may have gone out all the same."""
    async with claim.settling("failed", error=words):
        delivery = await store.DELIVERY.one(claim.row["message_id"])
        await _move(delivery, "unknown" if delivery.status == "sending" else "failed", words)


async def _move(
    delivery: DeliveryRow, news: str, detail: str | None = None, external_id: str | None = None
) -> None:
    """Move the status on from where it is now: a receipt may have come in while we were sending."""
    message = await store.LOCK_MESSAGE.one(delivery.inbox_id, delivery.message_id, None)
    await move_status(delivery.workspace_id, message, news, detail=detail, external_id=external_id)
