"""Limits of time that are nearly never reached: setting one and taking it back costs next to nothing.

A timer of the event loop costs about as much as parsing a request, and every request would set several. Here one
slow tick, running only while something is set, serves all of them, so an alarm may ring a tick late.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from types import TracebackType
from typing import Final, Self
from weakref import WeakKeyDictionary

TICK_SECONDS: Final = 0.02


class Alarm:
    """One alarm that was set."""

    __slots__ = ("_ring", "_waiting")

    def __init__(self, ring: Callable[[], None], waiting: "dict[Alarm, float]") -> None:
        self._ring = ring
        self._waiting = waiting

    def ring(self) -> None:
        """Do what it was set for."""
        self._ring()

    def cancel(self) -> None:
        """Take it back; one that has rung, or was taken back, is no error."""
        self._waiting.pop(self, None)


class _Clock:
    """The alarms of one event loop. Those of one length ring in the order in which they were set."""

    def __init__(self) -> None:
        self._waiting: dict[float, dict[Alarm, float]] = {}
        """By their length in seconds: when each is due."""
        self._ticks = False

    def set(self, loop: asyncio.AbstractEventLoop, seconds: float, ring: Callable[[], None]) -> Alarm:
        waiting = self._waiting.get(seconds)
        if waiting is None:
            waiting = self._waiting[seconds] = {}
        alarm = Alarm(ring, waiting)
        waiting[alarm] = loop.time() + seconds
        if not self._ticks:
            self._tick_soon(loop)
        return alarm

    def _tick_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        # In a context of its own: it serves others than the one that happened to begin it.
        loop.call_later(TICK_SECONDS, self._tick, loop, context=Context())
        self._ticks = True

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for seconds, waiting in list(self._waiting.items()):
            while waiting and (first := next(iter(waiting.items())))[1] <= now:
                _ring(first[0], loop)
            if not waiting:
                del self._waiting[seconds]
        self._ticks = False
        if self._waiting:
            self._tick_soon(loop)


def _ring(alarm: Alarm, loop: asyncio.AbstractEventLoop) -> None:
    """Ring one; where that fails it is told, as of a timer, and the others ring all the same."""
    alarm.cancel()
    try:
        alarm.ring()
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the tick.
        loop.call_exception_handler({"message": "An alarm failed.", "exception": error})


_clocks: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Clock]" = WeakKeyDictionary()


def set_alarm(
    seconds: float, ring: Callable[[], None], loop: asyncio.AbstractEventLoop | None = None
) -> Alarm:
    """Have something called in the event loop after so many seconds, unless the alarm is taken back.

    Whoever knows the running loop gives it, for asking is a system call.
    """
    loop = loop or asyncio.get_running_loop()
    clock = _clocks.get(loop)
    if clock is None:
        clock = _clocks[loop] = _Clock()
    return clock.set(loop, seconds, ring)


class Deadline:
    """What asyncio.timeout does, by an alarm: the block is cancelled in time and raises TimeoutError."""

    __slots__ = ("_alarm", "_cancelling", "_seconds", "_task", "passed")

    def __init__(self, seconds: float) -> None:
        self.passed = False
        """Whether the time was over before the block was."""
        self._seconds = seconds

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            message = "a deadline outside of a task"
            raise RuntimeError(message)
        self._task = task
        self._cancelling = task.cancelling()
        self._alarm = set_alarm(self._seconds, self._pass, task.get_loop())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._alarm.cancel()
        if not self.passed:
            return
        # Somebody else may have cancelled the task at the same time, and then it has to end.
        if self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error

    def _pass(self) -> None:
        self.passed = True
        self._task.cancel()
