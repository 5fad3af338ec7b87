"""Where people came from."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from chatwright.features.contacts.identities import recognise
from chatwright.features.messaging.inbound import store
from chatwright.features.messaging.inbound.coming import Coming
from chatwright.features.messaging.inbound.conversations import address_of, open_conversation, open_window
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit
from chatwright.ports.inbound import InboundReferral, Referral

_FACTS = ("source", "ref", "ad_id", "click_id")


async def come_by_referral(coming: Coming, inbound: InboundReferral) -> None:
    """Somebody came through a link or an ad, without a message."""
    view = coming.view
    contact_id = await recognise(view.workspace_id, view.id, inbound.person)
    conversation = await open_conversation(view, contact_id, address_of(inbound.person))
    if inbound.opens_window:
        await open_window(coming, conversation.id, inbound.at)
    await add_referral(coming, conversation.id, contact_id, inbound.referral, inbound.at)


async def add_referral(
    coming: Coming,
    conversation_id: UUID,
    contact_id: UUID,
    referral: Referral,
    at: datetime | None,
    message_id: UUID | None = None,
) -> None:
    """Keep it, and announce `contact.referred` for those who act on it or count it."""
    view = coming.view
    kept = asdict(referral)
    await store.ADD_REFERRAL.run(
        new_id(), view.workspace_id, view.id, contact_id, conversation_id, message_id, kept, at
    )
    emit(
        Event(
            "contact.referred",
            view.workspace_id,
            contact_id,
            inbox_id=view.id,
            conversation_id=conversation_id,
            data={name: kept[name] for name in _FACTS},
        )
    )
