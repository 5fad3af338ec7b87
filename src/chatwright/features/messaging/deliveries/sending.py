"""What goes out of a conversation: made fit for its channel, judged, written down and queued."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatwright.features.messaging.attachments.links import file_url
from chatwright.features.messaging.attachments.operations import find_attachment
from chatwright.features.messaging.deliveries import store
from chatwright.features.messaging.deliveries.checking import Kind, check
from chatwright.features.messaging.deliveries.degrading import Degraded, StoredFile, degrade
from chatwright.features.messaging.deliveries.store import ConversationState
from chatwright.features.messaging.errors import (
    InboxPaused,
    MessageNotFound,
    ReplyImpossible,
    WindowClosed,
)
from chatwright.features.messaging.models import HeldFor, SendMessage
from chatwright.features.messaging.rules import AUTOMATIC
from chatwright.features.messaging.store import ConversationRow
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.caller import Caller
from chatwright.ports.channel import AnyChannel, channel_named
from chatwright.ports.content import Content, MediaContent, ReactionContent

WAITABLE: Final[dict[type[object], HeldFor]] = {WindowClosed: "window", InboxPaused: "inbox"}
"""What a message may wait for, if its sender likes."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message that may be written down."""

    parts: list[Content]
    degraded: list[str]
    rules: list[str]
    held: HeldFor | None
    reply_to: str | None
    automatic: bool


async def prepare(
    caller: Caller, conversation: ConversationRow, content: Content, request: SendMessage
) -> Prepared:
    """Make a message fit for its channel, and judge whether it may go or wait.

    Raises the error that forbids it, InvalidInput when the channel has nothing of the kind, AttachmentNotFound,
    MessageNotFound or ReplyImpossible for what it refers to.
    """
    state = await _state_of(caller, conversation)
    channel = _channel_of(state)
    refers_to = request.reply_to or _reacted_to(content)
    target = None if refers_to is None else await _target(caller, conversation, refers_to)
    automatic = caller.kind in AUTOMATIC
    comment = target is not None and target.comment and channel.capabilities.comments
    kind = Kind(by_person=not automatic, template=content.type == "template", comment=comment)
    passed = await check(state, kind)
    waits_for = WAITABLE.get(type(passed.refusal)) if request.when_closed == "hold" else None
    if passed.refusal is not None and waits_for is None:
        raise passed.refusal
    fit = await _fit(caller, channel, content)
    rules = [passed.rule] if passed.rule else [f"It waits: {passed.refusal}"]
    if request.hold_for_approval:
        rules.append("It waits for somebody to release it.")
    held: HeldFor | None = "approval" if request.hold_for_approval else waits_for
    reply_to = None if target is None else target.external_id
    return Prepared(fit.parts, fit.words, rules, held, reply_to, automatic)


@dataclass(frozen=True, slots=True)
class _Target:
    external_id: str
    comment: bool


def _reacted_to(content: Content) -> UUID | None:
    """Our id of the message that a reaction is to; None where the provider's is given, or it is no reaction."""
    try:
        return UUID(content.message_id) if isinstance(content, ReactionContent) else None
    except ValueError:
        return None


async def _state_of(caller: Caller, conversation: ConversationRow) -> ConversationState:
    found = await store.CONVERSATION_STATES.first(caller.workspace_id, conversation.id, None, None)
    if found is None:
        raise InboxNotFound("There is no such inbox in this workspace.")
    return found


def _channel_of(state: ConversationState) -> AnyChannel:
    channel = channel_named(state.channel)
    if channel is None or not state.connected:
        raise InboxNotFound("There is no such inbox in this workspace.")
    return channel


async def _target(caller: Caller, conversation: ConversationRow, message_id: UUID) -> _Target:
    found = await store.REPLY_TARGET.first(caller.workspace_id, message_id)
    if found is None or not caller.sees_inbox(found["inbox_id"]):
        raise MessageNotFound("There is no such message in this workspace.")
    if found["conversation_id"] != conversation.id:
        raise ReplyImpossible("The message to answer is of another conversation.")
    if found["external_id"] is None:
        raise ReplyImpossible("The channel does not know the message to answer.")
    return _Target(found["external_id"], found["comment"] is True)


async def _fit(caller: Caller, channel: AnyChannel, content: Content) -> Degraded:
    file = None
    if isinstance(content, MediaContent) and content.attachment_id is not None:
        facts = await find_attachment(caller, content.attachment_id)
        file = StoredFile(facts.media_type, facts.size, file_url(facts.id))
    return degrade(content, channel.capabilities, file)
