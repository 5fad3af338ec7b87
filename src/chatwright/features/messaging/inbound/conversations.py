"""Where news belongs: the conversation of a person in an inbox, and how long we may answer there."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chatwright.features.messaging import events
from chatwright.features.messaging.deliveries.releasing import release_window
from chatwright.features.messaging.inbound import store
from chatwright.features.messaging.inbound.coming import Coming
from chatwright.features.messaging.store import ConversationRow
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import InboxView
from chatwright.ports.database import emit
from chatwright.ports.inbound import InboundMessage, Person


def address_of(person: Person) -> str:
    """The value of the first identity, which is where the person is answered."""
    return next(iter(person.identities.values()))


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


async def conversation_for(coming: Coming, inbound: InboundMessage, contact_id: UUID) -> ConversationRow:
    """The conversation a message belongs to, locked: proven by where it was sent to, or by what it answers.

    Else it is the writer's own. An answer in somebody else's conversation stays there, and is answered there.
    """
    view = coming.view
    proven = inbound.conversation_id
    if proven is None and inbound.in_thread:
        proven = await store.CONVERSATION_OF_THREAD.first(view.id, list(inbound.in_thread))
    known = None if proven is None else await store.LOCK_CONVERSATION_OF.first(view.id, proven)
    return known or await open_conversation(view, contact_id, address_of(inbound.person))


async def open_window(
    coming: Coming, conversation_id: UUID, at: datetime | None, free_for: timedelta | None = None
) -> None:
    """The contact did something that lets us answer freely for a while; `at` is when, by the provider's clock.

    What has waited for it goes out. The conversation is locked.
    """
    rule = coming.inbox.channel.capabilities.window
    now = datetime.now(UTC)
    opened_at = min(at or now, now)
    ends_in = None if rule is None else max(rule.open_for, free_for or rule.open_for)
    if await store.OPEN_WINDOW.one(conversation_id, opened_at, ends_in):
        await release_window(conversation_id)
