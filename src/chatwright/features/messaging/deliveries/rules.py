"""Pure decisions of deliveries: how far a message is, whose turn it is, what quiet hours mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from chatwright.features.messaging.deliveries.models import QuietHours
from chatwright.features.messaging.models import HeldFor
from chatwright.features.messaging.rules import RANK, furthest

ARRIVED: Final = frozenset({"sent", "delivered", "read"})
WAITING: Final = frozenset({"queued", "held"})


@dataclass(frozen=True, slots=True)
class PartStatus:
    """How far one part of a message got, in one round of sending it."""

    part: int
    round: int
    status: str
    held: HeldFor | None = None


def message_status(parts: Iterable[PartStatus]) -> str:
    """The status of a message: that of its slowest part.

    A part that is sent again counts by its latest round, unless an earlier one turned out to have arrived.
    """
    latest: dict[int, str] = {}
    for found in sorted(parts, key=lambda part: part.round):
        before = latest.get(found.part)
        arrived = before in ARRIVED and found.status not in ARRIVED
        latest[found.part] = before if before is not None and arrived else _later(before, found.status)
    statuses = set(latest.values())
    for decisive in ("failed", "held", "sending"):
        if decisive in statuses:
            return decisive
    if "queued" in statuses:
        return "queued" if statuses <= {"queued", "cancelled"} else "sending"
    for uncertain in ("unknown", "cancelled"):
        if uncertain in statuses:
            return uncertain
    return min(statuses, key=lambda status: RANK[status])


def _later(before: str | None, status: str) -> str:
    return furthest(before, status) if before in ARRIVED else status


def held_for(parts: Iterable[PartStatus]) -> HeldFor | None:
    """Why a message waits: the reason of its first part that is held."""
    for part in parts:
        if part.held is not None:
            return part.held
    return None


def quiet_until(quiet: QuietHours | None, now: datetime) -> datetime | None:
    """When the quiet hours that it is now are over; None when it is not quiet.

    Hours that end before they begin go over midnight. `start` is quiet, `end` no longer is.
    """
    if quiet is None:
        return None
    zone = ZoneInfo(quiet.time_zone)
    here = now.astimezone(zone)
    for day in (here.date() - timedelta(days=1), here.date()):
        begins = datetime.combine(day, quiet.start, zone)
        ends = datetime.combine(day + timedelta(days=_overnight(quiet.start, quiet.end)), quiet.end, zone)
        if begins <= here < ends:
            return ends
    return None


def _overnight(start: time, end: time) -> int:
    return 1 if end <= start else 0
