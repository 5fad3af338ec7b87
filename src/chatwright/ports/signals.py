"""Wake-up calls between tasks and processes: hints that there is work, never the work itself."""

from typing import Protocol


class Signals(Protocol):
    """Topics that can be announced and waited for.

    A signal may be lost (a dropped connection), so every waiter also looks by itself when the
    time-out ends.
    """

    def announce(self, topics: set[str]) -> None:
        """Wake every waiter of these topics, in this process and the others. Never blocks."""
        ...

    async def wait(self, topic: str, timeout: float) -> bool:  # noqa: ASYNC109 - it ends quietly, without an error.
        """Wait for the topic's next announcement, at most `timeout` seconds; False when it ran out."""
        ...
