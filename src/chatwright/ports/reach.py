"""What a caller limited to tags reaches, for rooms below those that know contacts and what belongs to them."""

from collections.abc import Collection
from typing import Protocol

from pydantic import BaseModel

from chatwright.kernel.caller import Caller
from chatwright.kernel.operation import AnyOperation


class Reach(Protocol):
    """Judges calls of callers limited to tags."""

    @property
    def operations(self) -> Collection[str]:
        """The names of the operations that such a caller can call at all."""
        ...

    async def check(self, caller: Caller, operation: AnyOperation, request: BaseModel) -> None:
        """Raise unless what the request names is within the caller's tags, in the current transaction.

        What is outside looks as if it were not there; an operation that cannot be limited is OutsideGrant.
        """
        ...


_registered: list[Reach] = []


def register_reach(reach: Reach) -> None:
    """Make it known, once per process, before anything is served."""
    _registered[:] = [reach]


def reach_of_tags() -> Reach:
    """That of this process; LookupError when none was registered."""
    if not _registered:
        message = "No reach of tags is registered."
        raise LookupError(message)
    return _registered[0]
