"""Whether a person has to be asked before a call."""

from enum import StrEnum
from typing import Any, Protocol

from chatwright.kernel.caller import Caller
from chatwright.kernel.operation import Operation


class Decision(StrEnum):
    """What the policy says of one call."""

    ALLOW = "allow"
    ASK = "ask"


class ApprovalPolicy(Protocol):
    """Judges each writing call before it runs."""

    def decide(self, caller: Caller, operation: Operation[Any, Any]) -> Decision:
        """ALLOW to run it, ASK to have a person approve it first."""
        ...
