"""Doing what a refusal asks of us besides what becomes of the message itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from uuid import UUID

from chatwright.features.contacts.consents import note_consent
from chatwright.features.messaging import store as messaging
from chatwright.features.messaging.deliveries import pacing, store
from chatwright.features.messaging.deliveries.reacting import Verdict
from chatwright.features.messaging.deliveries.store import LockedMessage, Turn
from chatwright.features.messaging.inboxes.health import set_health
from chatwright.kernel.events import Event
from chatwright.ports.channel import channel_named
from chatwright.ports.database import emit

SUSPENDED_AFTER: Final = 3
"""How often in a row a provider has to say that nobody is at an address until we believe it; where it takes
messages before it knows, once is enough."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a refusal is about."""

    workspace_id: UUID
    inbox_id: UUID
    conversation_id: UUID
    channel: str

    @classmethod
    def of(cls, about: LockedMessage | Turn, channel: str) -> Self:
        return cls(about.workspace_id, about.inbox_id, about.conversation_id, channel)


async def act(about: Subject, verdict: Verdict) -> None:
    """Do it, in the current transaction."""
    if verdict.health is not None:
        await _set_health(about, verdict)
    if verdict.closes_window:
        await store.CLOSE_WINDOW.run(about.conversation_id)
    if verdict.opts_out:
        await _opt_out(about, verdict)
    if verdict.unreachable:
        await _mark_unreachable(about, verdict)


async def _set_health(about: Subject, verdict: Verdict) -> None:
    until = None
    if verdict.pause_seconds is not None:
        until = datetime.now(UTC) + timedelta(seconds=verdict.pause_seconds)
        await store.NOTE_PAUSE.run(about.inbox_id, verdict.pause_seconds)
        await pacing.block(about.inbox_id, pacing.INBOX, 0.0)
    await set_health(about.workspace_id, about.inbox_id, verdict.health or "ok", verdict.words, until)


async def _opt_out(about: Subject, verdict: Verdict) -> None:
    conversation = await messaging.FIND_CONVERSATION.one(about.workspace_id, about.conversation_id)
    await note_consent(
        about.workspace_id,
        conversation.contact_id,
        about.channel,
        "opted_out",
        source=f"refused by {about.channel}",
        evidence=verdict.words,
        recorded_by="Delivery",
    )


async def _mark_unreachable(about: Subject, verdict: Verdict) -> None:
    channel = channel_named(about.channel)
    weight = SUSPENDED_AFTER if channel is not None and channel.capabilities.bounces else 1
    times = await store.MARK_UNREACHABLE.one(about.conversation_id, verdict.words, weight)
    if times - weight < SUSPENDED_AFTER <= times:
        emit(
            Event(
                "conversation.unreachable",
                about.workspace_id,
                about.conversation_id,
                inbox_id=about.inbox_id,
                conversation_id=about.conversation_id,
            )
        )
