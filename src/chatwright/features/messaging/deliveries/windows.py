"""Whether somebody may be written to now, and on what evidence. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chatwright.ports.channel import ReplyWindow

Opening = Literal["open", "human", "closed"]


@dataclass(frozen=True, slots=True)
class Window:
    """How a conversation stands."""

    now: Opening
    ends_at: datetime | None = None
    """Until when we may write freely; None where that never ends, or never began."""
    human_ends_at: datetime | None = None
    """Until when a person of ours may write, where that is longer."""
    templates: bool = False
    """Whether approved templates go at any time."""


def window_of(
    rule: ReplyWindow | None, opened_at: datetime | None, ends_at: datetime | None, now: datetime
) -> Window:
    """How a conversation stands that the contact last opened at a moment, until another."""
    if rule is None:
        return Window("open")
    human_until = opened_at + rule.human_for if opened_at and rule.human_for else None
    if ends_at and now < ends_at:
        opening: Opening = "open"
    elif human_until and now < human_until:
        opening = "human"
    else:
        opening = "closed"
    return Window(opening, ends_at, human_until, rule.templates)


def lets_pass(window: Window, *, by_person: bool, template: bool, comment: bool) -> str | None:
    """The rule that lets a message pass, in words; None when none does.

    `comment` is a private answer to a comment, which a channel that has such a thing takes without a window.
    """
    if window.now == "open":
        return "The reply window is open." if window.ends_at else "This channel has no reply window."
    if template and window.templates:
        return "Approved templates go at any time."
    if comment:
        return "A comment may be answered privately."
    if window.now == "human" and by_person:
        return "A person may still answer."
    return None
