"""Who watches calls: every call of every face passes the pipeline, which tells an observer of it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chatwright.kernel.caller import Caller


class CallOutcome(StrEnum):
    """How a call ended."""

    DONE = "done"
    REPLAYED = "replayed"
    """It was there before under the same idempotency key."""
    TRIED = "tried"
    """It was a dry run."""
    ASKED = "asked"
    """Somebody has to say yes first."""
    REFUSED = "refused"
    """The caller may not, or not so often."""
    FAILED = "failed"
    STOPPED = "stopped"
    """Its client went away, or the server had to stop."""


class Called(Protocol):
    """What a call is of: an operation, or something that a face does beside them."""

    @property
    def name(self) -> str: ...
    @property
    def writes(self) -> bool: ...


@dataclass(slots=True)
class WatchedCall:
    """One call; how it ended is known when the watch ends."""

    caller: Caller
    operation: Called
    outcome: CallOutcome = CallOutcome.STOPPED
    code: str = ""
    """The code of its error, if it ended with one."""


class CallObserver(Protocol):
    """Sees calls as they begin and end. It has no part in them, and sees no arguments and no results."""

    def watch(self, call: WatchedCall) -> AbstractContextManager[object]:
        """Watch a call for as long as the block takes. It must not raise, nor take longer than a few microseconds."""
        ...
