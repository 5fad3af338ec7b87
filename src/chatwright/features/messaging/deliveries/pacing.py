"""How fast an inbox and each person in it may be written to.

The generic cell rate algorithm: a bucket keeps one moment, when the next message may go if each kept its
distance from the one before. Whoever wants to send reserves the next slot and moves that moment on, atomically in
PostgreSQL, so that any number of workers keep to one pace. An inbox's slot is reserved ahead; a person's is only
looked at, because the messages to one person go out one after another anyway.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatwright.features.messaging.deliveries import store
from chatwright.ports.channel import Capabilities, Pace

SHORT_WAIT_SECONDS: Final = 0.25
"""A wait this short is slept where the row is; for a longer one the row is put back."""
LEAD_SECONDS: Final = 0.1
"""How much before its slot a row that was put back is due, so that the slot is met."""
LATE_SECONDS: Final = 0.3
"""A slot missed by more is lost: those who missed theirs together would go out at once."""
RECOVERY_SECONDS: Final = 300.0
"""How long it takes from a standstill back to the full pace after a provider was under load."""
HIGH_LOAD: Final = 0.8
LEAST_SHARE: Final = 0.1
SHARE_AFTER_REFUSAL: Final = 0.9
"""How much of the pace is left to an inbox that was too fast in it: who allows exactly what we send refuses one
message in a few for the least unevenness, and each refusal costs a silence."""
UNTOLD_PER_SECOND: Final = 20.0
"""What is slowed down where nobody told us a pace."""
INBOX: Final = ""
"""The address of an inbox's own bucket."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """A pace as seconds."""

    interval: float
    """Between two messages."""
    tolerance: float
    """How much earlier than that one may come, which makes the burst."""


def inbox_spacing(capabilities: Capabilities, per_second: float | None, *, slowed: bool) -> Spacing | None:
    """The pace of an inbox, `per_second` being one of its own; None where there is none to keep to."""
    told = capabilities.pace
    if per_second:
        return spacing(Pace(per_second, told.burst if told else 1))
    if told:
        return spacing(told)
    return spacing(Pace(UNTOLD_PER_SECOND)) if slowed else None


def spacing(pace: Pace) -> Spacing:
    """The distance that a pace keeps."""
    interval = 1.0 / pace.per_second
    return Spacing(interval, interval * (pace.burst - 1))


def share_under(load: float) -> float:
    """How much of the pace is left to us at a load between 0 and 1."""
    return max(LEAST_SHARE, min(1.0, (1.0 - load) / (1.0 - HIGH_LOAD)))


async def reserve(inbox_id: UUID, at: Spacing) -> float:
    """Take the inbox's next slot; returns how many seconds away it is. One statement, in the current unit."""
    return await store.RESERVE.one(inbox_id, at.interval, at.tolerance, RECOVERY_SECONDS)


async def count_pair(inbox_id: UUID, address: str, at: Spacing, seconds_ago: float) -> float:
    """Note that a message went to this person so many seconds ago; returns how many from now the next may."""
    free_in = await store.COUNT_PAIR.one(inbox_id, address, at.interval, seconds_ago)
    return max(0.0, free_in - at.tolerance)


async def block(inbox_id: UUID, address: str, seconds: float) -> None:
    """Let nothing go to this person, or from this inbox (`INBOX`), for so many seconds."""
    await store.BLOCK.run(inbox_id, address, seconds)


async def slow_down(inbox_id: UUID, load: float) -> None:
    """Take a provider's word that it is under load; the pace recovers by itself."""
    await store.SLOW_DOWN.run(inbox_id, share_under(load), RECOVERY_SECONDS)


async def refused(inbox_id: UUID, seconds: float) -> None:
    """Take a provider's word that the inbox is too fast: silence for so many seconds, and less after it."""
    await block(inbox_id, INBOX, seconds)
    await store.SLOW_DOWN.run(inbox_id, SHARE_AFTER_REFUSAL, RECOVERY_SECONDS)
