"""Whether something may be sent in a conversation, and on what evidence: asked before sending, and in advance."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chatwright.features.contacts.consents import latest_consent
from chatwright.features.contacts.identities import is_blocked
from chatwright.features.contacts.models import Consent
from chatwright.features.messaging.deliveries import store
from chatwright.features.messaging.deliveries.acting import SUSPENDED_AFTER
from chatwright.features.messaging.deliveries.models import (
    ConsentEvidence,
    MaySend,
    SendEvidence,
    SendOption,
)
from chatwright.features.messaging.deliveries.store import ConversationState
from chatwright.features.messaging.deliveries.turns import STOPPED
from chatwright.features.messaging.deliveries.windows import Window, lets_pass, window_of
from chatwright.features.messaging.errors import (
    ContactBlocked,
    InboxPaused,
    OptedOut,
    Unreachable,
    WindowClosed,
)
from chatwright.features.workspaces.errors import InboxNotFound
from chatwright.kernel.errors import ChatwrightError
from chatwright.ports.channel import channel_named

REFUSALS: Final[dict[str, type[ChatwrightError]]] = {
    error.code: error
    for error in (InboxNotFound, ContactBlocked, OptedOut, Unreachable, InboxPaused, WindowClosed)
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What of a message decides whether it may go."""

    by_person: bool
    template: bool = False
    comment: bool = False
    """Whether it is a private answer to a comment."""


@dataclass(frozen=True, slots=True)
class Passed:
    """The word on a message."""

    rule: str | None = None
    """Which rule let it pass, in words; None when it may not go now."""
    refusal: ChatwrightError | None = None
    """Why it may not, with the evidence."""


async def check(state: ConversationState, kind: Kind) -> Passed:
    """Whether a message of a kind may go now, in the current transaction."""
    option = await option_for(state)
    passed = _rule_for(option, state, kind)
    if passed is not None:
        return Passed(rule=passed)
    code = option.code or WindowClosed.code
    error = REFUSALS[code]
    return Passed(refusal=error(option.words, details=option.model_dump(mode="json")))


async def option_for(state: ConversationState) -> SendOption:
    """What may be sent in a conversation now, in the current transaction."""
    consent = await latest_consent(state.workspace_id, state.contact_id, state.channel)
    blocked = await is_blocked(state.workspace_id, state.contact_id)
    window = _window(state, datetime.now(UTC))
    may, code, words = _judge(state, consent, window, blocked=blocked)
    templates = []
    if window.templates and may in {"human", "template"}:
        templates = await store.APPROVED_TEMPLATES.all(state.workspace_id, state.inbox_id)
    return SendOption(
        conversation_id=state.id,
        inbox_id=state.inbox_id,
        channel=state.channel,
        may=may,
        code=code,
        words=words,
        evidence=_evidence(state, consent, window, blocked=blocked),
        templates=templates,
    )


def fallback_among(options: list[SendOption]) -> UUID | None:
    """Where anything may be sent when it may not in the first conversation."""
    if not options or options[0].may == "free":
        return None
    return next((option.conversation_id for option in options if option.may == "free"), None)


def _rule_for(option: SendOption, state: ConversationState, kind: Kind) -> str | None:
    if option.code is not None and option.code != WindowClosed.code:
        return None
    window = _window(state, datetime.now(UTC))
    return lets_pass(window, by_person=kind.by_person, template=kind.template, comment=kind.comment)


def _window(state: ConversationState, now: datetime) -> Window:
    channel = channel_named(state.channel)
    rule = None if channel is None else channel.capabilities.window
    return window_of(rule, state.window_opened_at, state.window_ends_at, now)


def _judge(
    state: ConversationState, consent: Consent | None, window: Window, *, blocked: bool
) -> tuple[MaySend, str | None, str]:
    """What may be sent, the code of what forbids more, and both in words."""
    forbidden = _forbidden(state, consent, blocked=blocked)
    if forbidden is not None:
        return "nothing", *forbidden
    match window.now:
        case "open":
            words = "Anything may be sent."
            return "free", None, words
        case "human":
            words = "The reply window has closed: only a person of ours may still answer."
            return "human", WindowClosed.code, words
        case "closed" if window.templates:
            words = "The reply window is closed: only an approved template may be sent."
            return "template", WindowClosed.code, words
        case "closed":
            words = "The reply window is closed: nothing may be sent until the contact writes."
            return "nothing", WindowClosed.code, words


def _forbidden(state: ConversationState, consent: Consent | None, *, blocked: bool) -> tuple[str, str] | None:
    if not state.connected or channel_named(state.channel) is None:
        return InboxNotFound.code, "The inbox was disconnected."
    if blocked:
        return ContactBlocked.code, "This contact is blocked."
    if consent is not None and consent.state == "opted_out":
        return OptedOut.code, f"The contact does not want to be written to here: {consent.source}."
    if _is_suspended(state):
        return (
            Unreachable.code,
            f"Nobody is at this address: {state.unreachable_words or 'as the provider says'}.",
        )
    if state.health in STOPPED:
        words = state.health_words or "its provider takes nothing"
        return InboxPaused.code, f"The inbox is stopped ({state.health}): {words}."
    return None


def _is_suspended(state: ConversationState) -> bool:
    """Whether the provider said too often that nobody is there, and nobody has written since."""
    if state.unreachable < SUSPENDED_AFTER or state.unreachable_at is None:
        return False
    return state.last_inbound_at is None or state.last_inbound_at < state.unreachable_at


def _evidence(
    state: ConversationState, consent: Consent | None, window: Window, *, blocked: bool
) -> SendEvidence:
    said = None
    if consent is not None:
        said = ConsentEvidence(state=consent.state, source=consent.source, given_at=consent.given_at)
    return SendEvidence(
        last_inbound_at=state.last_inbound_at,
        window_ends_at=window.ends_at,
        human_ends_at=window.human_ends_at,
        consent=said,
        blocked=blocked,
        unreachable=state.unreachable_words,
        health=state.health,
        health_words=state.health_words,
        health_until=state.health_until,
    )
