"""How an inbox is: what its provider and our own calls have shown, for people and for delivery."""

from datetime import datetime
from uuid import UUID

from chatwright.features.messaging.inboxes import store
from chatwright.features.messaging.inboxes.models import Health
from chatwright.kernel.events import Event
from chatwright.ports.database import emit

_MAX_WORDS = 500


async def set_health(
    workspace_id: UUID, inbox_id: UUID, health: Health, words: str | None, until: datetime | None = None
) -> None:
    """Note how an inbox is, in the current transaction, and announce `inbox.health_changed` when it is news.

    `words` say what is the matter, never with a secret; `until` is when it is over by itself. Delivery follows
    the event: what waits for an inbox goes on when it is `ok` again.
    """
    words = words[:_MAX_WORDS] if words else None
    before = await store.SET_HEALTH.first(workspace_id, inbox_id, health, words, until)
    if before is not None and before != health:
        emit(health_changed(workspace_id, inbox_id, before, health))


async def end_spells() -> None:
    """Make inboxes well whose limit or pause is over, in the current transaction."""
    for inbox in await store.OVER_HEALTHS.all():
        await set_health(inbox.workspace_id, inbox.id, "ok", None)


def health_changed(workspace_id: UUID, inbox_id: UUID, before: Health, health: Health) -> Event:
    """`inbox.health_changed`, with what it was and what it is."""
    return Event(
        "inbox.health_changed",
        workspace_id,
        inbox_id,
        inbox_id=inbox_id,
        data={"health": health, "before": before},
    )
