"""News of people themselves: other names, more about them, what they allow, and that they want to be forgotten."""

from uuid import UUID

from chatwright.features.contacts.consents import note_consent
from chatwright.features.contacts.forgetting import forget_contact
from chatwright.features.contacts.identities import known_contact, recognise, recognise_moved
from chatwright.features.contacts.told import put_answers
from chatwright.features.messaging.inbound import store
from chatwright.features.messaging.inbound.coming import Coming
from chatwright.features.messaging.inbound.conversations import address_of, open_conversation, open_window
from chatwright.features.messaging.store import CONVERSATION_BY_ADDRESS
from chatwright.kernel.events import Event
from chatwright.ports.database import emit
from chatwright.ports.inbound import InboundConsent, InboundIdentity, InboundProfile, InboundWithdrawal

MARKETING = "marketing"


async def take_consent(coming: Coming, inbound: InboundConsent) -> None:
    """Write down what somebody allowed or forbade on the channel itself.

    What is said of marketing alone is kept under a channel of its own, e.g. `whatsapp_marketing`.
    """
    view, channel = coming.view, coming.inbox.channel.name
    contact_id = await _consenting(coming, inbound)
    if contact_id is None:
        await coming.unknown("consent in an unknown conversation")
        return
    await note_consent(
        view.workspace_id,
        contact_id,
        channel if inbound.purpose == "all" else f"{channel}_{MARKETING}",
        "opted_in" if inbound.given else "opted_out",
        source=inbound.source or channel,
        given_at=inbound.at,
        recorded_by="Chatwright",
    )
    if inbound.opens_window:
        conversation = await open_conversation(view, contact_id, address_of(inbound.person))
        await open_window(coming, conversation.id, inbound.at)


async def _consenting(coming: Coming, inbound: InboundConsent) -> UUID | None:
    """Whose consent it is; None when the conversation that proves it is gone."""
    view = coming.view
    if inbound.conversation_id is None:
        return await recognise(view.workspace_id, view.id, inbound.person)
    proven = await store.LOCK_CONVERSATION_OF.first(view.id, inbound.conversation_id)
    return None if proven is None else proven.contact_id


async def take_identity(coming: Coming, inbound: InboundIdentity) -> None:
    """Know somebody by new names too, and answer them there from now on; no second contact is made of them."""
    view = coming.view
    contact_id = await recognise_moved(view.workspace_id, view.id, inbound.person, inbound.now)
    before, now = address_of(inbound.person), address_of(inbound.now)
    known = await store.LOCK_CONVERSATION_AT.first(view.id, before, contact_id)
    if known is None or known.address == now:
        return
    if await CONVERSATION_BY_ADDRESS.first(view.id, now) is None:
        await store.MOVE_CONVERSATION.run(known.id, contact_id, now)
    emit(
        Event(
            "contact.renamed",
            view.workspace_id,
            contact_id,
            inbox_id=view.id,
            conversation_id=known.id,
            data={"reason": inbound.reason[:200]},
        )
    )


async def take_profile(coming: Coming, inbound: InboundProfile) -> None:
    """Keep what somebody told about themselves, where the contact has nothing yet."""
    view = coming.view
    contact_id = await recognise(view.workspace_id, view.id, inbound.person)
    await put_answers(view.workspace_id, contact_id, inbound.fields)


async def take_withdrawal(coming: Coming, inbound: InboundWithdrawal) -> None:
    """Delete somebody who asked for it; their conversations follow, as with any deleted contact."""
    view = coming.view
    contact_id = await known_contact(view.workspace_id, view.id, inbound.person)
    if contact_id is not None:
        await forget_contact(view.workspace_id, contact_id)
    await store.PURGE_EVENT.run(coming.event_id)
