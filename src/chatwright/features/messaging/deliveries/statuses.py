"""How far messages are: the one place where their status moves.

A message's parts move one by one; what people see is the slowest of them. Whoever touches a message's deliveries
locks the message first, so that receipts, workers and people's hands never wait for each other in a circle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from chatwright.features.messaging.deliveries import acting, store
from chatwright.features.messaging.deliveries.reacting import judge_late
from chatwright.features.messaging.deliveries.rules import (
    ARRIVED,
    WAITING,
    PartStatus,
    held_for,
    message_status,
)
from chatwright.features.messaging.deliveries.store import LockedMessage
from chatwright.features.messaging.models import HeldFor
from chatwright.features.messaging.rules import furthest, plain_text
from chatwright.kernel.events import Event
from chatwright.ports.content import Content
from chatwright.ports.database import emit
from chatwright.ports.inbound import DeliveryStatus, InboundStatus, InboundWatermark
from chatwright.ports.sending import SendOutcome

_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


@dataclass(frozen=True, slots=True)
class News:
    """A status that was heard of, or given."""

    status: str
    detail: str | None = None
    code: str | None = None
    at: datetime | None = None
    """By the provider's clock; now when absent."""
    external_ids: Sequence[str] = ()
    """What the channel calls it."""
    held: HeldFor | None = None


async def take_status(inbox_id: UUID, channel: str, inbound: InboundStatus) -> UUID | None:
    """Take a provider's word on a message, and do what a failure asks of us; returns the message's id.

    None when it speaks of nothing that we know. If `sending_now` says that something is just being sent from
    this inbox, that may be what it speaks of, and it is worth asking again in a moment.
    """
    told = [inbound.message_id, *([inbound.external_id] if inbound.external_id else [])]
    found = await store.FIND_SENT.first(inbox_id, _own_id(inbound.message_id), told)
    if found is None:
        return None
    ids = [name for name in told if _own_id(name) not in (found.message_id, found.delivery_id)]
    news = News(inbound.status, inbound.detail, inbound.code, inbound.at, ids)
    message = await move(found.message_id, found.delivery_id, news)
    if inbound.status is DeliveryStatus.FAILED and inbound.reaction is not None:
        outcome = SendOutcome(reaction=inbound.reaction, code=inbound.code, detail=inbound.detail)
        await acting.act(acting.Subject.of(message, channel), judge_late(outcome))
    return found.message_id


async def take_watermark(inbox_id: UUID, conversation_id: UUID, inbound: InboundWatermark) -> int | None:
    """Everything of ours up to a point was delivered or read; returns the position of the last message of it.

    None when it speaks of nothing that we know.
    """
    position = None
    if inbound.up_to is not None:
        found = await store.FIND_SENT.first(inbox_id, _own_id(inbound.up_to), [inbound.up_to])
        position = None if found is None else await store.POSITION.first(found.message_id)
        if position is None:
            return None
    for part in await store.SENT_UP_TO.all(conversation_id, position, inbound.before):
        await move(part.message_id, part.delivery_id, News(inbound.status))
    return await store.LAST_POSITION.first(conversation_id, position, inbound.before)


async def take_echo(
    inbox_id: UUID, message_id: str | None, external_id: str, at: datetime | None
) -> UUID | None:
    """The provider shows us a message of ours: so it went out. None when we do not know of such a message."""
    found = await store.FIND_SENT.first(inbox_id, _own_id(message_id or ""), [external_id])
    if found is None:
        return None
    await move(found.message_id, found.delivery_id, News("sent", at=at, external_ids=(external_id,)))
    return found.message_id


async def take_likeness(
    conversation_id: UUID, content: Content, external_id: str, at: datetime | None
) -> UUID | None:
    """The provider shows us a message that we sent, without our id; returns which one it is, None when none.

    It is the first that says the same among those of which nobody knows whether they went out.
    """
    said = plain_text(content)
    for row in await store.UNCERTAIN.all(conversation_id):
        if plain_text(_CONTENT.validate_python(row["content"])) == said:
            await move(row["message_id"], row["id"], News("sent", at=at, external_ids=(external_id,)))
            return row["message_id"]
    return None


async def sending_now(inbox_id: UUID) -> bool:
    """Whether something is being sent from this inbox whose id nobody knows yet."""
    return await store.SENDING_NOW.one(inbox_id)


async def move(message_id: UUID, delivery_id: UUID | None, news: News) -> LockedMessage:
    """Take news of a message, or of a part of it, into its timeline; its status moves forward, never back."""
    message = await lock(message_id)
    if delivery_id is None:
        await _note(message, news)
        await _show(message, furthest(message.status, news.status), news)
        return message
    parts = await parts_of(message_id)
    before = parts[delivery_id].status
    after = furthest(before, news.status)
    await _settle(message, parts, delivery_id, after, news)
    if before == "unknown" and after in ARRIVED:
        await _call_off(message, parts[delivery_id])
    return message


async def give(message: LockedMessage, delivery_id: UUID, news: News) -> None:
    """Give a part of a locked message the status that delivery decided on, be it forward or back."""
    parts = await parts_of(message.id)
    arrived = parts[delivery_id].status in ARRIVED
    after = furthest(parts[delivery_id].status, news.status) if arrived else news.status
    await _settle(message, parts, delivery_id, after, news)


async def refresh(message: LockedMessage, detail: str | None = None) -> str:
    """Show what a locked message's parts come to now; returns that status."""
    parts = await parts_of(message.id)
    status = message_status(parts.values())
    news = News(status, detail, held=held_for(parts.values()))
    await _note(message, news)
    await _show(message, status, news)
    return status


async def lock(message_id: UUID) -> LockedMessage:
    """The message, locked until the transaction ends; LookupError when there is none."""
    return await store.LOCK_MESSAGE.one(message_id)


async def parts_of(message_id: UUID) -> dict[UUID, PartStatus]:
    """All parts in all rounds."""
    rows = await store.PARTS.all(message_id)
    return {row["id"]: PartStatus(row["part"], row["round"], row["status"], row["held"]) for row in rows}


async def _settle(
    message: LockedMessage, parts: dict[UUID, PartStatus], delivery_id: UUID, status: str, news: News
) -> None:
    part = parts[delivery_id]
    parts[delivery_id] = PartStatus(part.part, part.round, status, news.held)
    await store.MOVE_PART.run(delivery_id, status, message.id, news.status, news.at, news.code, news.detail)
    if news.external_ids:
        await store.KEEP_IDS.run(message.inbox_id, list(news.external_ids), delivery_id)
    await _show(message, message_status(parts.values()), news, part)


async def _note(message: LockedMessage, news: News) -> None:
    await store.ADD_STATUS.run(message.id, news.status, news.at, news.code, news.detail)


async def _show(message: LockedMessage, status: str, news: News, part: PartStatus | None = None) -> None:
    same = status == news.status
    words = ": ".join(word for word in (news.code, news.detail) if word) if same else message.error
    told = words if status in {*WAITING, "failed", "unknown"} else None
    held = news.held if same else message.held
    first_id = next(iter(news.external_ids), None) if part is None or part.part == 1 else None
    await store.SHOW_STATUS.run(
        message.id, status, told or None, held if status == "held" else None, first_id
    )
    if status != message.status:
        emit(status_changed(message, status))


async def _call_off(message: LockedMessage, arrived: PartStatus) -> None:
    """A part was found to have arrived after all: if it only waits to be sent again, it is not."""
    rows = await store.CALL_OFF.all(message.id, arrived.part, arrived.round)
    for row in rows:
        await store.WAKE_LANE.run(row.lane, 0.0)
    if rows:
        await refresh(await lock(message.id))


def status_changed(message: LockedMessage, status: str) -> Event:
    """`message.status`: a step on its way."""
    return Event(
        "message.status",
        message.workspace_id,
        message.id,
        inbox_id=message.inbox_id,
        conversation_id=message.conversation_id,
        data={"status": status},
    )


def _own_id(text: str) -> UUID | None:
    """Our own id of a message, if the channel gave that back; else it is the channel's."""
    try:
        return UUID(text)
    except ValueError:
        return None
