"""How far our messages got, as the provider says."""

from dataclasses import asdict

from chatwright.features.messaging import store as messaging
from chatwright.features.messaging.deliveries.statuses import take_status, take_watermark
from chatwright.features.messaging.inbound import store
from chatwright.features.messaging.inbound.coming import Coming
from chatwright.features.messaging.inbound.conversations import address_of
from chatwright.ports.inbound import DeliveryStatus, InboundStatus, InboundWatermark


async def note_status(coming: Coming, inbound: InboundStatus) -> None:
    """Move a message's status forward, and keep what it costs.

    The provider may speak of a message whose id we do not know yet, because it has not answered us: as long as
    something is being sent, that may be it.
    """
    message_id = await take_status(coming.view.id, coming.inbox.channel.name, inbound)
    if message_id is None:
        await coming.wait_for_sends(inbound.person)
        await coming.unknown("status of an unknown message")
        return
    await coming.about(message_id, inbound.status)
    if inbound.pricing is not None:
        await store.SET_PRICING.run(message_id, asdict(inbound.pricing))


async def note_watermark(coming: Coming, inbound: InboundWatermark) -> None:
    """Move everything of ours up to a point forward, and note how far the contact has read."""
    conversation = await messaging.CONVERSATION_BY_ADDRESS.first(coming.view.id, address_of(inbound.person))
    if conversation is None:
        return
    position = await take_watermark(coming.view.id, conversation.id, inbound)
    if position is not None and inbound.status is DeliveryStatus.READ:
        await messaging.CONTACT_READ.run(conversation.id, position)
