"""Wake-up calls between tasks and processes: hints that there is work, never the work itself."""

from contextlib import AbstractContextManager
from typing import Protocol


class Follower(Protocol):
    """Listens to topics without a gap: what is announced while its owner is busy is kept."""

    async def next(self, timeout: float) -> set[str]:  # noqa: ASYNC109 - it ends quietly, without an error.
        """The topics announced since the last call; waits for the first, and is empty when time ran out."""
        ...


class Signals(Protocol):
    """Topics that can be announced and waited for.

    Topics are paths with colons: who waits for `events:A` hears `events:A:B` too. A signal may be lost
    (a dropped connection), so every waiter also looks by itself when the time-out ends.
    """

    def announce(self, topics: set[str]) -> None:
        """Wake every waiter of these topics, in this process and the others. Never blocks."""
        ...

    async def wait(self, topic: str, timeout: float) -> bool:  # noqa: ASYNC109 - it ends quietly, without an error.
        """Wait for the topic's next announcement, at most `timeout` seconds; False when it ran out."""
        ...

    def follow(self, *topics: str) -> AbstractContextManager[Follower]:
        """Listen to topics from now on."""
        ...
