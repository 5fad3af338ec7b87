"""Messages that change after they came: edited, taken back, reacted to."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import TypeAdapter

from chatwright.features.contacts.identities import recognise
from chatwright.features.messaging import events
from chatwright.features.messaging.inbound import store
from chatwright.features.messaging.inbound.coming import Coming
from chatwright.features.messaging.inbound.messages import UNSENT, add_message, add_unsent
from chatwright.features.messaging.inbound.store import KnownMessage
from chatwright.features.messaging.rules import preview
from chatwright.features.messaging.store import FIND_CONVERSATION
from chatwright.ports.content import Content, MediaContent
from chatwright.ports.database import emit
from chatwright.ports.inbound import InboundEdit, InboundMessage, InboundReaction, InboundUnsend

_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


async def edit_message(coming: Coming, inbound: InboundEdit) -> None:
    """Show what a message says now; how it was is not kept. One that was taken back stays so."""
    message = await _named(coming, inbound.external_id)
    if message is None:
        # The edit overtook its message, which will be known by its id when it comes.
        await add_message(
            coming,
            InboundMessage(inbound.external_id, inbound.person, inbound.content, sent_at=inbound.edited_at),
        )
        return
    content = _with_file(inbound.content, message)
    changed = await store.EDIT_MESSAGE.first(message.id, content.model_dump(mode="json"), inbound.edited_at)
    if changed is None:
        return
    await coming.about(message.id, "edited")
    await store.SET_LAST_TEXT.run(message.conversation_id, message.position, preview(content))
    await _announce(coming, message, "edited")


async def unsend_message(coming: Coming, inbound: InboundUnsend) -> None:
    """Forget what a message said, wherever it is kept: itself, its raw events, its file, the conversation's preview."""
    message = await _named(coming, inbound.external_id)
    if message is not None:
        await _forget(coming, message)
    elif not await add_unsent(coming, inbound):
        await coming.unknown("taking back of an unknown message")
    for part in inbound.parts:
        if (message := await _named(coming, part)) is not None:
            await _forget(coming, message)


async def _forget(coming: Coming, message: KnownMessage) -> None:
    gone = await store.UNSEND_MESSAGE.first(message.id, UNSENT.model_dump(mode="json"), datetime.now(UTC))
    if gone is None:
        return
    await coming.about(message.id, "unsent")
    await store.SET_LAST_TEXT.run(message.conversation_id, message.position, "")
    await _announce(coming, message, "unsent")


async def react(coming: Coming, inbound: InboundReaction) -> None:
    """Show what somebody thinks of a message; late news never replaces newer."""
    message = await _named(coming, inbound.external_id)
    if message is None:
        await coming.wait_for_sends(inbound.person)
        await coming.unknown("reaction to an unknown message")
        return
    contact_id = await recognise(coming.view.workspace_id, coming.view.id, inbound.person)
    author = f"contact:{contact_id}"
    await coming.about(message.id, "reaction")
    if await store.SET_REACTION.first(message.id, author, inbound.emoji, inbound.at) is not None:
        await _announce(coming, message, "reaction", emoji=inbound.emoji)


async def _named(coming: Coming, name: str) -> KnownMessage | None:
    return await store.LOCK_NAMED.first(coming.view.id, name, own_id(name))


def own_id(text: str) -> UUID | None:
    """Our own id of a message, if the channel gave that back; else it is the channel's."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _with_file(content: Content, message: KnownMessage) -> Content:
    """An edited caption comes without the file, which stays the same."""
    before = _CONTENT.validate_python(message.content)
    if isinstance(content, MediaContent) and isinstance(before, MediaContent) and content.kind == before.kind:
        return content.model_copy(update={"attachment_id": content.attachment_id or before.attachment_id})
    return content


async def _announce(coming: Coming, message: KnownMessage, what: str, **data: object) -> None:
    conversation = await FIND_CONVERSATION.one(coming.view.workspace_id, message.conversation_id)
    emit(events.message_changed(conversation, message.id, what, position=message.position, **data))
