"""Allowances that fill again steadily."""

from datetime import datetime

from chatwright.sandbox.clock import Clock


class Bucket:
    """Holds up to `burst`, gains `rate` a second."""

    def __init__(self, clock: Clock, rate: float, burst: float) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._held = burst
        self._at: datetime = clock.now()

    def take(self, *, force: bool = False) -> bool:
        """Take one; without `force` only if there is one."""
        now = self._clock.now()
        self._held = min(self._burst, self._held + (now - self._at).total_seconds() * self._rate)
        self._at = now
        if self._held < 1 and not force:
            return False
        self._held -= 1
        return True
