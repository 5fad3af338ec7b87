"""Whether somebody has to be asked before a call."""

from enum import StrEnum
from typing import Any, Protocol

from chatwright.kernel.caller import Caller
from chatwright.kernel.operation import Operation


class Decision(StrEnum):
    """What the policy says of one call."""

    ALLOW = "allow"
    CONFIRM = "confirm"
    """The caller's own user has to confirm it, having seen what it would do."""
    ASK = "ask"
    """A person of the workspace has to approve it."""


class Supervision(StrEnum):
    """What a workspace wants a person of its own to approve, whoever calls."""

    NONE = "none"
    RISKY = "risky"
    """What asks before it runs, and what reaches outside."""
    WRITES = "writes"
    """Whatever may change something."""


class ApprovalPolicy(Protocol):
    """Judges each call that writes, or that asks, before it runs."""

    def decide(self, caller: Caller, operation: Operation[Any, Any], supervision: Supervision) -> Decision:
        """ALLOW to run it, CONFIRM to have the caller's user confirm it, ASK to have a person approve it."""
        ...
