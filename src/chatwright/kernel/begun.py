"""Awaiting in two steps: what is at hand is taken at once, and only what has to be waited for is watched."""

from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Begun(Generic[Result]):
    """Something to await that was begun right away, in the task that makes it.

    A body that came in with its headers and an answer from memory need no timers and nobody who looks out for their
    client, which together cost more than they do. What it raises at once, it raises when it is made.
    """

    __slots__ = ("_result", "_steps", "_waits_for", "done")

    def __init__(self, awaitable: Awaitable[Result]) -> None:
        self.done = False
        """Whether it came to its end without waiting for anything."""
        self._steps = awaitable.__await__()
        try:
            self._waits_for = next(self._steps)
        except StopIteration as end:
            self.done = True
            self._result: Result = end.value

    def __await__(self) -> Generator[Any, Any, Result]:
        """Go on until the end: to be awaited once."""
        if self.done:
            return self._result
        waits_for = self._waits_for
        while True:
            try:
                heard = yield waits_for
            except BaseException as error:  # noqa: BLE001 - a cancellation, too, is for what is awaited to take.
                resume, given = self._steps.throw, error
            else:
                resume, given = self._steps.send, heard
            try:
                waits_for = resume(given)
            except StopIteration as end:
                return end.value
