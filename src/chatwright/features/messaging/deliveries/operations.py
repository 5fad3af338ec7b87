"""The verbs of deliveries."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chatwright.features.contacts.access import limits_of, visible_contact
from chatwright.features.contacts.errors import ContactNotFound
from chatwright.features.contacts.identities import family_of
from chatwright.features.messaging import store as messaging
from chatwright.features.messaging.deliveries import statuses, store
from chatwright.features.messaging.deliveries.checking import fallback_among, option_for
from chatwright.features.messaging.deliveries.intending import send_again
from chatwright.features.messaging.deliveries.models import (
    CancelMessage,
    CheckSend,
    InboxQuietHours,
    MarkSent,
    MessageTrace,
    ReleaseMessage,
    ResendMessage,
    SendCheck,
    SetQuietHours,
    ShowQuietHours,
    TracedEvent,
    TraceMessage,
)
from chatwright.features.messaging.deliveries.releasing import release_approved
from chatwright.features.messaging.deliveries.statuses import News
from chatwright.features.messaging.deliveries.store import LockedMessage
from chatwright.features.messaging.errors import (
    ConversationNotFound,
    MessageNotFound,
    NotYourConversation,
    WrongStatus,
)
from chatwright.features.messaging.inboxes.access import visible_inbox
from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox
from chatwright.features.messaging.models import Message
from chatwright.features.messaging.rules import AUTOMATIC, owner_after_send
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.caller import Caller, PrincipalKind
from chatwright.kernel.errors import Forbidden, Misconfigured
from chatwright.kernel.events import Event
from chatwright.kernel.operation import Effect, operation
from chatwright.ports.database import emit

UNCERTAIN_TWICE = "Sent again after it was not known whether it went out: it may show twice."


@operation(
    "messages.check_send",
    tool="check_send",
    scope="conversations:read",
    effect=Effect.READ,
    http="POST /messages/check",
    errors=(ConversationNotFound, ContactNotFound),
)
async def check_send(caller: Caller, request: CheckSend) -> SendCheck:
    """Say what may be sent now, with the evidence: anything, a person's words, a template, or nothing.

    Ask by conversation, or by contact for all of its conversations. Where the reply window is closed, it names
    the approved templates that may be sent and the conversation where anything may.
    """
    asked = request.conversation_id
    if asked is not None:
        conversation = await messaging.FIND_CONVERSATION.first(caller.workspace_id, asked)
        if conversation is None or not caller.sees_inbox(conversation.inbox_id):
            raise ConversationNotFound("There is no such conversation in this workspace.")
        contact_id = conversation.contact_id
    elif request.contact_id is not None:
        contact_id = (await visible_contact(caller, request.contact_id)).id
    else:
        return SendCheck(options=[], fallback_conversation_id=None)
    family = await family_of(caller.workspace_id, contact_id)
    states = await store.CONVERSATION_STATES.all(caller.workspace_id, asked, family, limits_of(caller))
    options = [await option_for(state) for state in states]
    return SendCheck(options=options, fallback_conversation_id=fallback_among(options))


@operation(
    "messages.resend",
    tool="resend_message",
    scope="conversations:write",
    effect=Effect.ADD,
    http="POST /messages/{message_id}/resend",
    errors=(MessageNotFound, WrongStatus, NotYourConversation),
    outward=True,
)
async def resend_message(caller: Caller, request: ResendMessage) -> Message:
    """Send a message again that failed, or of which nobody knows whether it went out.

    One that may have gone out may then show twice to the contact.
    """
    message = await _locked(caller, request.message_id, {"failed", "unknown"}, "sent again")
    conversation = await messaging.FIND_CONVERSATION.one(caller.workspace_id, message.conversation_id)
    owner_after_send(caller.kind, conversation.owner, keep_owner=True)
    await send_again(message)
    uncertain = message.status == "unknown"
    await statuses.refresh(message, UNCERTAIN_TWICE if uncertain else "Sent again.")
    return await _show(caller, message.id)


@operation(
    "messages.mark_sent",
    tool="mark_message_sent",
    scope="conversations:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /messages/{message_id}/sent",
    errors=(MessageNotFound, WrongStatus),
)
async def mark_sent(caller: Caller, request: MarkSent) -> Message:
    """Say that a message went out of which nobody knew, e.g. because the contact answered it."""
    message = await _locked(caller, request.message_id, {"unknown", "sent"}, "marked as sent")
    for delivery_id, part in (await statuses.parts_of(message.id)).items():
        if part.status == "unknown":
            news = News("sent", f"{caller.name} says that it went out.")
            await statuses.move(message.id, delivery_id, news)
    return await _show(caller, message.id)


@operation(
    "messages.cancel",
    tool="cancel_message",
    scope="conversations:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /messages/{message_id}/cancel",
    errors=(MessageNotFound, WrongStatus),
)
async def cancel_message(caller: Caller, request: CancelMessage) -> Message:
    """Take back a message that still waits: queued or held. One that is being sent cannot be stopped."""
    message = await _locked(caller, request.message_id, {"queued", "held", "cancelled"}, "cancelled")
    every_part = 0
    cancelled = await store.CANCEL.all(message.id, every_part)
    if message.status != "cancelled" and not cancelled:
        raise WrongStatus("The message is being sent just now.")
    for row in cancelled[:1]:
        await store.WAKE_LANE.run(row.lane, 0.0)
    await statuses.refresh(message, f"Cancelled by {caller.name}." if cancelled else None)
    return await _show(caller, message.id)


@operation(
    "messages.release",
    tool="release_message",
    scope="conversations:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="POST /messages/{message_id}/release",
    errors=(MessageNotFound, WrongStatus),
    outward=True,
)
async def release_message(caller: Caller, request: ReleaseMessage) -> Message:
    """Let a message go out that was held for approval.

    Agents and flows cannot approve, and a token cannot approve what it wrote itself.
    """
    message = await _locked(caller, request.message_id, None, "released")
    if message.held == "approval":
        _check_may_approve(caller, await _show(caller, message.id))
        await release_approved(message.id)
        emit(_released(message))
    elif message.status == "held":
        raise WrongStatus(f"The message waits for something else: {message.held}.")
    return await _show(caller, message.id)


@operation(
    "messages.trace",
    tool="trace_message",
    scope="conversations:read",
    effect=Effect.READ,
    http="GET /messages/{message_id}/trace",
    errors=(MessageNotFound,),
)
async def trace_message(caller: Caller, request: TraceMessage) -> MessageTrace:
    """Show a message's whole life: raw events, what was read in them, rules, attempts, answers, statuses, cost."""
    found = await store.TRACE_MESSAGE.first(caller.workspace_id, request.message_id, limits_of(caller))
    if found is None:
        raise MessageNotFound("There is no such message in this workspace.")
    inbox = await _inbox_of(found["inbox_id"])
    rows = await store.TRACED_EVENTS.all(request.message_id)
    return MessageTrace(
        message_id=found["id"],
        direction=found["direction"],
        status=found["status"],
        external_id=found["external_id"],
        rules=found["rules"],
        degraded=found["degraded"],
        events=[await _traced(row, inbox) for row in rows],
        parts=await store.TRACED_PARTS.all(request.message_id),
        attempts=await store.TRACED_ATTEMPTS.all(request.message_id),
        statuses=await store.TRACED_STATUSES.all(request.message_id),
        pricing=found["pricing"],
    )


@operation(
    "inboxes.set_quiet_hours",
    tool="set_inbox_quiet_hours",
    scope="inboxes:write",
    effect=Effect.CHANGE,
    idempotent=True,
    http="PUT /inboxes/{inbox_id}/quiet-hours",
    errors=(InboxNotFound,),
)
async def set_quiet_hours(caller: Caller, request: SetQuietHours) -> InboxQuietHours:
    """Say when flows, agents and broadcasts keep silent in an inbox. What they send then waits for the end of it."""
    inbox = await visible_inbox(caller, request.inbox_id)
    quiet = None if request.quiet_hours is None else request.quiet_hours.model_dump(mode="json")
    await store.SET_QUIET_HOURS.run(caller.workspace_id, inbox.id, quiet)
    await store.WAKE_QUIET.run(inbox.id)
    emit(Event("inbox.updated", caller.workspace_id, inbox.id, inbox_id=inbox.id))
    return InboxQuietHours(inbox_id=inbox.id, quiet_hours=request.quiet_hours)


@operation(
    "inboxes.get_quiet_hours",
    tool="get_inbox_quiet_hours",
    scope="inboxes:read",
    effect=Effect.READ,
    http="GET /inboxes/{inbox_id}/quiet-hours",
    errors=(InboxNotFound,),
)
async def get_quiet_hours(caller: Caller, request: ShowQuietHours) -> InboxQuietHours:
    """Show when flows, agents and broadcasts keep silent in an inbox."""
    inbox = await visible_inbox(caller, request.inbox_id)
    quiet = await store.QUIET_HOURS.first(caller.workspace_id, inbox.id)
    return InboxQuietHours.model_validate({"inbox_id": inbox.id, "quiet_hours": quiet})


async def _locked(caller: Caller, message_id: UUID, allowed: set[str] | None, done: str) -> LockedMessage:
    """The message, locked, if the caller sees it; raises MessageNotFound, or WrongStatus for any other status."""
    known = await messaging.FIND_MESSAGE.first(caller.workspace_id, message_id, limits_of(caller))
    if known is None:
        raise MessageNotFound("There is no such message in this workspace.")
    await messaging.LOCK_CONVERSATION.one(caller.workspace_id, known.conversation_id)
    message = await store.LOCK_MESSAGE.first(message_id)
    if message is None:
        raise WrongStatus(f"Only messages of ours can be {done}.")
    if allowed is not None and message.status not in allowed:
        raise WrongStatus(f"A message that is {message.status} cannot be {done}.")
    return message


async def _show(caller: Caller, message_id: UUID) -> Message:
    found = await messaging.FIND_MESSAGE.first(caller.workspace_id, message_id, limits_of(caller))
    if found is None:
        raise MessageNotFound("There is no such message in this workspace.")
    return found


async def _inbox_of(inbox_id: UUID) -> OpenInbox | None:
    """The inbox to read old events with, as far as it can be had."""
    try:
        return await find_inbox(inbox_id)
    except Misconfigured:
        return None


def _check_may_approve(caller: Caller, message: Message) -> None:
    """Raise Forbidden unless it takes somebody else's word than the author's, or a person's."""
    if caller.kind in AUTOMATIC:
        words = "An agent or a flow cannot approve a message."
        raise Forbidden(words)
    own = (message.author_kind, message.author_id) == (caller.kind, caller.principal_id)
    if own and caller.kind is not PrincipalKind.MEMBER:
        words = "Somebody else has to approve this message: this caller wrote it."
        raise Forbidden(words)


async def _traced(row: Mapping[str, Any], inbox: OpenInbox | None) -> TracedEvent:
    kinds: list[str] = []
    if inbox is not None and row["payload"]:
        said = await inbox.read(row["payload"])
        kinds = [type(found).__name__.removeprefix("Inbound").lower() for found in said]
    return TracedEvent(
        id=row["id"], what=row["what"], received_at=row["received_at"], state=row["state"], kinds=kinds
    )


def _released(message: LockedMessage) -> Event:
    return Event(
        "message.released",
        message.workspace_id,
        message.id,
        inbox_id=message.inbox_id,
        conversation_id=message.conversation_id,
    )
