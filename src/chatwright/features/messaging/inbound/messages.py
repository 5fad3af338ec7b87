"""Messages: of contacts, and of our own side as the provider shows them to us."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chatwright.features.contacts.consents import note_consent
from chatwright.features.contacts.identities import is_blocked, recognise
from chatwright.features.messaging import events, store as messaging
from chatwright.features.messaging.attachments.downloading import want_download
from chatwright.features.messaging.courtesies import want_courtesy
from chatwright.features.messaging.deliveries.answers import meant_by
from chatwright.features.messaging.deliveries.statuses import take_echo, take_likeness
from chatwright.features.messaging.inbound import store
from chatwright.features.messaging.inbound.coming import Coming
from chatwright.features.messaging.inbound.conversations import (
    address_of,
    conversation_for,
    open_conversation,
    open_window,
)
from chatwright.features.messaging.inbound.keywords import consent_in
from chatwright.features.messaging.inbound.referrals import add_referral
from chatwright.features.messaging.owners import change_owner
from chatwright.features.messaging.rules import plain_text, preview
from chatwright.features.messaging.store import ConversationRow
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import HostedChannel
from chatwright.ports.content import MediaContent, UnsupportedContent
from chatwright.ports.database import emit
from chatwright.ports.inbound import InboundEcho, InboundMessage, InboundUnsend

LONGEST_RETRY = timedelta(days=8)
"""Nothing comes later: providers repeat what was not taken for a week at most."""
LOOK_BACK = 10
"""How many times the limit of a loop is looked back, in messages: our own and files are among them."""
OUTSIDE = "outside"
"""Kind of author: a person of ours, in the provider's own app."""
UNSENT = UnsupportedContent(kind="unsent")
"""What stands where a message was taken back."""


async def add_message(coming: Coming, inbound: InboundMessage) -> None:
    """Somebody wrote to us. A copy under the same id changes nothing."""
    view = coming.view
    known = await store.KNOWN_MESSAGE.first(view.id, inbound.external_id, coming.event_id)
    if known is not None and inbound.spare_id is not None and not known["by_this"]:
        inbound = replace(inbound, external_id=inbound.spare_id)
        known = await store.KNOWN_MESSAGE.first(view.id, inbound.external_id, coming.event_id)
    if known is not None:
        if known["unsent_at"] is not None:
            await store.PURGE_EVENT.run(coming.event_id)
        return
    contact_id = await recognise(view.workspace_id, view.id, inbound.person)
    conversation = await conversation_for(coming, inbound, contact_id)
    if await _is_loop(coming, conversation):
        inbound = replace(inbound, automatic=True)
    blocked = await is_blocked(view.workspace_id, contact_id)
    position = await messaging.ADVANCE_CONVERSATION.one(
        conversation.id, preview(inbound.content), not blocked
    )
    message_id = await _insert(coming, inbound, conversation.id, contact_id, position)
    if inbound.opens_window:
        await open_window(coming, conversation.id, inbound.sent_at, inbound.free_for)
    if inbound.referral is not None:
        await add_referral(coming, conversation.id, contact_id, inbound.referral, inbound.sent_at, message_id)
    await _want_file(coming, message_id, inbound)
    await _heed_words(coming, contact_id, inbound)
    if position == 1 and inbound.person.name is None:
        await want_courtesy(conversation.id, "introduction")
    if conversation.state != "open" and not blocked:
        emit(events.conversation_changed(conversation, "reopened"))
    facts = {"direction": "in", "position": position, "automatic": inbound.automatic}
    emit(events.message_changed(conversation, message_id, "created", **facts))


async def _is_loop(coming: Coming, conversation: ConversationRow) -> bool:
    """Whether so much comes in that two machines may be answering each other, without a sign of it (RFC 3834)."""
    limit = coming.inbox.channel.capabilities.people_per_hour
    if limit is None or conversation.last_position < limit:
        return False
    recent = conversation.last_position - LOOK_BACK * limit
    return await store.WRITTEN_LATELY.one(conversation.id, recent) >= limit


async def add_unsent(coming: Coming, inbound: InboundUnsend) -> bool:
    """Keep the place of a message that was taken back before it came; False when nobody knows whose it was."""
    if inbound.person is None:
        return False
    early = InboundMessage(inbound.external_id, inbound.person, UNSENT)
    contact_id = await recognise(coming.view.workspace_id, coming.view.id, inbound.person)
    conversation = await open_conversation(coming.view, contact_id, address_of(inbound.person))
    position = await messaging.ADVANCE_CONVERSATION.one(conversation.id, "", False)  # noqa: FBT003 - a column.
    message_id = await _insert(coming, early, conversation.id, contact_id, position, unsent=True)
    emit(events.message_changed(conversation, message_id, "created", direction="in", position=position))
    return True


async def add_echo(coming: Coming, inbound: InboundEcho) -> None:
    """A message went out from our account: one that we know of went out indeed, another is shown.

    One that a person wrote in the provider's own app takes the conversation over from the bot. As long as we are
    sending, the provider may be faster with its echo than with its answer, so it has to wait for that.
    """
    view = coming.view
    ours = await take_echo(view.id, inbound.message_id, inbound.external_id, inbound.sent_at)
    if ours is not None:
        await coming.about(ours, "echo")
        return
    if await store.KNOWN_OURS.first(view.id, inbound.external_id) is not None:
        return
    await coming.wait_for_sends(inbound.person)
    contact_id = await recognise(view.workspace_id, view.id, inbound.person)
    conversation = await open_conversation(view, contact_id, address_of(inbound.person))
    if inbound.by_app:
        alike = await take_likeness(conversation.id, inbound.content, inbound.external_id, inbound.sent_at)
        if alike is not None:
            await coming.about(alike, "echo")
            return
    await _show_echo(coming, inbound, conversation)
    if not inbound.by_app and conversation.owner == "bot":
        await change_owner(conversation, "human")


async def _show_echo(coming: Coming, inbound: InboundEcho, conversation: ConversationRow) -> None:
    view = coming.view
    from_contact = automatic = False
    position = await messaging.ADVANCE_CONVERSATION.one(
        conversation.id, preview(inbound.content), from_contact
    )
    message_id = await store.INSERT_RECEIVED.one(
        new_id(),
        view.workspace_id,
        view.id,
        conversation.id,
        position,
        "out",
        OUTSIDE,
        inbound.author or "",
        inbound.author or "",
        inbound.content.model_dump(mode="json"),
        inbound.external_id,
        "sent",
        inbound.sent_at,
        None,
        None,
        automatic,
        None,
        coming.event_id,
        "echo",
    )
    await messaging.ADD_STATUS.run(message_id, "sent", None)
    if inbound.media is not None and isinstance(inbound.content, MediaContent):
        await want_download(view, message_id, inbound.media)
    emit(events.message_changed(conversation, message_id, "created", direction="out", position=position))


async def _insert(
    coming: Coming,
    inbound: InboundMessage,
    conversation_id: UUID,
    contact_id: UUID,
    position: int,
    *,
    unsent: bool = False,
) -> UUID:
    view = coming.view
    meant = await meant_by(conversation_id, inbound.content)
    content: dict[str, Any] = meant.model_dump(mode="json")
    referral = None if inbound.referral is None else asdict(inbound.referral)
    return await store.INSERT_RECEIVED.one(
        new_id(),
        view.workspace_id,
        view.id,
        conversation_id,
        position,
        "in",
        "contact",
        str(contact_id),
        inbound.author or inbound.person.name or "",
        content,
        inbound.external_id,
        "received",
        inbound.sent_at,
        inbound.reply_to,
        referral,
        inbound.automatic,
        inbound.sent_at or datetime.now(UTC) if unsent else None,
        coming.event_id,
        "unsent" if unsent else "received",
    )


async def _want_file(coming: Coming, message_id: UUID, inbound: InboundMessage) -> None:
    if inbound.media is not None and isinstance(inbound.content, MediaContent):
        await want_download(coming.view, message_id, inbound.media)


def _said_at(inbound: InboundMessage) -> datetime:
    """When somebody said it: the latest word counts, and clocks of those who write mails may be years wrong."""
    now = datetime.now(UTC)
    said = inbound.sent_at or now
    return said if now - LONGEST_RETRY < said < now else now


async def _heed_words(coming: Coming, contact_id: UUID, inbound: InboundMessage) -> None:
    """Words such as STOP are an objection. On a page of our own nobody is written to who did not come to it."""
    if inbound.automatic or isinstance(coming.inbox.channel, HostedChannel):
        return
    words = plain_text(inbound.content)
    state = consent_in(words)
    if state is None:
        return
    await note_consent(
        coming.view.workspace_id,
        contact_id,
        coming.inbox.channel.name,
        state,
        source="message",
        evidence=words,
        given_at=_said_at(inbound),
        recorded_by="Chatwright",
    )
