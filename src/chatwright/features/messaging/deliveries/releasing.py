"""Letting go what was held, in the order it was meant to go."""

from typing import Final
from uuid import UUID

from chatwright.features.messaging.deliveries import pacing, statuses, store
from chatwright.features.messaging.deliveries.intending import DELIVERIES
from chatwright.features.messaging.deliveries.store import HeldRow
from chatwright.kernel.events import Event
from chatwright.ports.database import wake
from chatwright.ports.eventlog import Following

PROBE_SECONDS: Final = 20.0
"""How long one message goes ahead of the others, where a provider had stopped the inbox for a while."""


async def release_inbox(inbox_id: UUID) -> int:
    """Queue what waits for the inbox to be well again, in the current transaction; returns how many rows.

    After a pause that was to end by itself, one message goes ahead to see whether it has.
    """
    message_ids = await store.HELD_MESSAGES.all(inbox_id)
    paused = await store.PAUSE_OF.first(inbox_id)
    if paused:
        await store.MARK_PROBE.run(inbox_id)
        await pacing.block(inbox_id, pacing.INBOX, PROBE_SECONDS)
    released = await store.RELEASE_INBOX.all(inbox_id)
    if paused and not released:
        await store.UNBLOCK.run(inbox_id)
    await _let_go(released)
    for message_id in message_ids:
        await statuses.refresh(await statuses.lock(message_id))
    return len(released)


async def release_window(conversation_id: UUID) -> int:
    """Queue what waits for the contact to write, in the current transaction; returns how many rows.

    The caller has locked the conversation, and its window is open.
    """
    held = await store.HELD_IN_LANE.all(str(conversation_id), "window")
    for message_id in sorted({row.message_id for row in held}):
        message = await statuses.lock(message_id)
        await _let_go(await store.RELEASE.all(message_id, "window"))
        await statuses.refresh(message)
    return len(held)


async def release_approved(message_id: UUID) -> int:
    """Queue a message that waits for approval, in the current transaction; returns how many rows."""
    message = await statuses.lock(message_id)
    released = await store.RELEASE.all(message_id, "approval")
    await _let_go(released)
    await statuses.refresh(message)
    return len(released)


async def _let_go(rows: list[HeldRow]) -> None:
    for lane in sorted({row.lane for row in rows}):
        await store.WAKE_LANE.run(lane, 0.0)
    if rows:
        wake(DELIVERIES)


async def _health_changed(event: Event) -> None:
    if event.data.get("health") == "ok":
        await release_inbox(event.subject_id)


RELEASING = Following("messaging.releasing", frozenset({"inbox.health_changed"}), _health_changed)
"""What waits for an inbox goes on when it is well again."""
