"""What a refusal asks of us: the one place that knows. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from chatwright.ports.sending import Reaction, SendOutcome

MOST_TRIES: Final = 14
"""With the waits between them this lets a provider be away for an hour. The lane stands still meanwhile."""
FIRST_WAIT_SECONDS: Final = 5.0
LONGEST_WAIT_SECONDS: Final = 600.0
LONGEST_IN_ALL_SECONDS: Final = 24 * 3600.0
"""For how long a message is tried, however often a provider asks us to come back."""
UNTOLD_BLOCK_SECONDS: Final = 10.0
"""How long to keep silent where a provider says that we are too fast, but not for how long."""
LONGEST_PAUSE_SECONDS: Final = 4 * 3600.0


class Next(StrEnum):
    """What becomes of the message."""

    DONE = "done"
    AGAIN = "again"
    RENEW = "renew"
    """The credentials have to be renewed; then again at once."""
    HELD_FOR_INBOX = "held_for_inbox"
    HELD_FOR_WINDOW = "held_for_window"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SoFar:
    """What was before."""

    tries: int
    """How many refusals that count there were before this one."""
    seconds: float
    """Since the first attempt."""
    repeatable: bool
    """Whether an uncertain send may be repeated on this channel."""
    renewable: bool
    """Whether the channel renews its credentials by itself, and has not just done so for this message."""
    waits_for_window: bool
    """Whether whoever sent it wants it held until it may go."""
    pause_seconds: float | None
    """How long the provider's stop of the inbox was taken to last, if this message is the probe after it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the message, its address and its inbox."""

    next: Next
    words: str | None = None
    again_in: float = 0.0
    """Seconds."""
    counts: bool = False
    """Whether this eats one of the tries."""
    blocks: Literal["inbox", "pair"] | None = None
    """What keeps silent for those seconds."""
    health: Literal["reconnect", "paused"] | None = None
    pause_seconds: float | None = None
    """How long the inbox is paused; None until a person helps."""
    closes_window: bool = False
    opts_out: bool = False
    unreachable: bool = False


def judge(outcome: SendOutcome, so_far: SoFar) -> Verdict:  # noqa: C901, PLR0911 - one answer for each reaction.
    """What an outcome asks of us."""
    words = words_of(outcome)
    match outcome.reaction:
        case None:
            return Verdict(Next.DONE)
        case Reaction.RETRY:
            return _again(outcome, so_far, Verdict(Next.FAILED, words))
        case Reaction.RETRY_AFTER:
            return _later(outcome, so_far, words)
        case Reaction.REFRESH_TOKEN if so_far.renewable:
            return Verdict(Next.RENEW, words)
        case Reaction.REFRESH_TOKEN | Reaction.RECONNECT:
            return Verdict(Next.HELD_FOR_INBOX, words, health="reconnect")
        case Reaction.PAUSE_CHANNEL:
            return Verdict(Next.HELD_FOR_INBOX, words, health="paused", pause_seconds=_pause(outcome, so_far))
        case Reaction.WINDOW_CLOSED:
            held = Next.HELD_FOR_WINDOW if so_far.waits_for_window else Next.FAILED
            return Verdict(held, words, closes_window=True)
        case Reaction.OPTED_OUT:
            return Verdict(Next.FAILED, words, opts_out=True)
        case Reaction.UNREACHABLE:
            return Verdict(Next.FAILED, words, unreachable=True)
        case Reaction.BAD_PAYLOAD:
            return Verdict(Next.FAILED, words)
        case Reaction.UNKNOWN if so_far.repeatable:
            return _again(outcome, so_far, Verdict(Next.UNKNOWN, words))
        case Reaction.UNKNOWN:
            return Verdict(Next.UNKNOWN, words)


def judge_late(outcome: SendOutcome) -> Verdict:
    """What a failure asks of us that came after the provider had taken the message: that one stays failed."""
    never = SoFar(MOST_TRIES, LONGEST_IN_ALL_SECONDS, False, False, False, None)  # noqa: FBT003 - in the order above.
    return replace(judge(outcome, never), next=Next.FAILED)


def words_of(outcome: SendOutcome) -> str | None:
    """Code and words of a provider, as a message shows them."""
    return ": ".join(part for part in (outcome.code, outcome.detail) if part) or None


def _again(outcome: SendOutcome, so_far: SoFar, given_up: Verdict) -> Verdict:
    if so_far.tries + 1 >= MOST_TRIES or so_far.seconds >= LONGEST_IN_ALL_SECONDS:
        return given_up
    if outcome.moved_to is not None:
        return Verdict(Next.AGAIN, given_up.words, counts=True)
    growing = min(FIRST_WAIT_SECONDS * 2**so_far.tries, LONGEST_WAIT_SECONDS)
    return Verdict(Next.AGAIN, given_up.words, again_in=outcome.retry_after or growing, counts=True)


def _later(outcome: SendOutcome, so_far: SoFar, words: str | None) -> Verdict:
    if so_far.seconds >= LONGEST_IN_ALL_SECONDS:
        return Verdict(Next.FAILED, words)
    seconds = outcome.retry_after or UNTOLD_BLOCK_SECONDS
    return Verdict(Next.AGAIN, words, again_in=seconds, blocks=outcome.scope)


def _pause(outcome: SendOutcome, so_far: SoFar) -> float | None:
    """Seconds until one message tries again: as told, and twice as long after each try in vain."""
    if outcome.retry_after is None:
        return None
    longer = 2 * (so_far.pause_seconds or 0.0)
    return max(outcome.retry_after, min(longer, LONGEST_PAUSE_SECONDS))
