"""Whether a delivery may go now, judged once more when its turn has come. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from chatwright.features.contacts.models import Consent
from chatwright.features.messaging.deliveries.models import QuietHours
from chatwright.features.messaging.deliveries.rules import ARRIVED, quiet_until
from chatwright.features.messaging.deliveries.store import Turn
from chatwright.features.messaging.deliveries.windows import Window, lets_pass, window_of
from chatwright.features.messaging.inboxes.opening import OpenInbox
from chatwright.features.messaging.models import HeldFor

STOPPED = frozenset({"paused", "reconnect"})
"""How an inbox is when nothing goes out of it."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Why a delivery does not go now."""

    as_: Literal["done", "failed", "unknown", "held"]
    words: str | None = None
    code: str | None = None
    held: HeldFor | None = None
    seconds: float = math.inf
    """How long it is held; for ever means until somebody releases it."""


_BARRED: Final[Mapping[str, Stay]] = {
    "blocked": Stay("failed", "This contact is blocked.", "CONTACT_BLOCKED"),
    "deleted": Stay("failed", "This contact was deleted.", "CONTACT_NOT_FOUND"),
}


def reason_to_stay(  # noqa: PLR0911 - one answer for each reason.
    turn: Turn,
    inbox: OpenInbox | None,
    consent: Consent | None,
    contact_is: Literal["blocked", "deleted"] | None,
) -> Stay | None:
    """Why this delivery does not go now; None when it may."""
    if turn.status in ARRIVED:
        return Stay("done")
    if turn.sending_at is not None and not (inbox and inbox.channel.capabilities.repeatable):
        return Stay("unknown", "The process stopped while sending; whether it went out is not known.")
    if inbox is None:
        return Stay("failed", "The inbox was disconnected.")
    if contact_is is not None:
        return _BARRED[contact_is]
    if inbox.health in STOPPED and not turn.probe:
        return Stay("held", turn.health_words or f"The inbox is {inbox.health}.", held="inbox")
    if turn.automatic and (until := _quiet_until(turn)) is not None:
        words = "Nothing is sent by itself during quiet hours."
        return Stay("held", words, held="quiet_hours", seconds=(until - turn.now).total_seconds())
    if consent is not None and consent.state == "opted_out":
        return Stay("failed", f"The contact opted out: {consent.source}.", "OPTED_OUT")
    return _closed(turn, inbox)


def standing(turn: Turn, inbox: OpenInbox) -> Window:
    """How the conversation's reply window stands."""
    rule = inbox.channel.capabilities.window
    return window_of(rule, turn.window_opened_at, turn.window_ends_at, turn.now)


def _closed(turn: Turn, inbox: OpenInbox) -> Stay | None:
    window = standing(turn, inbox)
    if lets_pass(
        window,
        by_person=not turn.automatic,
        template=turn.content.get("type") == "template",
        comment=turn.reply_to_comment and inbox.channel.capabilities.comments,
    ):
        return None
    words = "The reply window has closed."
    if turn.wait_for_window:
        return Stay("held", words, held="window")
    return Stay("failed", words, "WINDOW_CLOSED")


def _quiet_until(turn: Turn) -> datetime | None:
    quiet = None if turn.quiet_hours is None else QuietHours.model_validate(turn.quiet_hours)
    return quiet_until(quiet, turn.now)
