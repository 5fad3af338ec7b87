"""Who of the business's apps answers somebody, where the provider has them take turns."""

from chatwright.features.contacts.identities import recognise
from chatwright.features.messaging.inbound.coming import Coming
from chatwright.features.messaging.inbound.conversations import address_of, open_conversation
from chatwright.features.messaging.owners import change_owner
from chatwright.ports.inbound import InboundHandover


async def leave_to_another(coming: Coming, inbound: InboundHandover) -> None:
    """Let the bot pause, as after a word of a person in the provider's app; a person lets it go on."""
    view = coming.view
    contact_id = await recognise(view.workspace_id, view.id, inbound.person)
    conversation = await open_conversation(view, contact_id, address_of(inbound.person))
    if conversation.owner == "bot":
        await change_owner(conversation, "human")
