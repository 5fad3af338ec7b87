"""What is told of every call: it is counted, logged and, where traces are wanted, a span."""

import logging
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final

import structlog
from opentelemetry.trace import Span, StatusCode, Tracer, get_current_span

from chatwright.app.observing.numbers import Numbers
from chatwright.kernel.caller import Caller
from chatwright.ports.calls import CallOutcome, WatchedCall

_SUCCESSES: Final = frozenset({CallOutcome.DONE, CallOutcome.REPLAYED, CallOutcome.TRIED})

_log = structlog.get_logger(__name__)


class CallWatching:
    """See `ports.calls.CallObserver`."""

    def __init__(self, numbers: Numbers, tracer: Tracer | None) -> None:
        self._numbers = numbers
        self._tracer = tracer

    def watch(self, call: WatchedCall) -> AbstractContextManager[object]:
        """Watch one call."""
        return _Watch(call, self._numbers, self._tracer)


class _Watch:
    """A class and not a generator, which would cost as much as the counting."""

    __slots__ = ("_call", "_numbers", "_span", "_spanning", "_started", "_tracer")

    def __init__(self, call: WatchedCall, numbers: Numbers, tracer: Tracer | None) -> None:
        self._call = call
        self._numbers = numbers
        self._tracer = tracer
        self._spanning: AbstractContextManager[Span] | None = None

    def __enter__(self) -> None:
        if self._tracer is not None:
            self._spanning = self._tracer.start_as_current_span(
                self._call.operation.name, record_exception=False, set_status_on_exception=False
            )
            self._span = self._spanning.__enter__()
        self._started = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._started
        self._numbers.call_ended(self._call, seconds)
        _tell(self._call, seconds)
        if self._spanning is not None:
            _describe(self._span, self._call)
            self._spanning.__exit__(None, None, None)


def _tell(call: WatchedCall, seconds: float) -> None:
    """Log a line: of what reads and succeeds only for who wants to know everything, for it is most of what happens."""
    plain = call.outcome in _SUCCESSES and not call.operation.writes
    level = logging.DEBUG if plain else logging.INFO
    if not _log.is_enabled_for(level):
        return
    failure = {"code": call.code} if call.code else {}
    _log.log(
        level,
        "call",
        operation=call.operation.name,
        outcome=call.outcome.value,
        **failure,
        ms=round(seconds * 1000, 1),
        face=call.caller.surface.value,
        request_id=call.caller.request_id,
        workspace_id=str(call.caller.workspace_id),
        principal=f"{call.caller.kind.value}:{call.caller.principal_id}",
        **trace_of(get_current_span()),
    )


def trace_of(span: Span) -> dict[str, str]:
    """The trace to look at for more; nothing where there is none."""
    context = span.get_span_context()
    return {"trace_id": f"{context.trace_id:032x}"} if context.is_valid else {}


def _describe(span: Span, call: WatchedCall) -> None:
    if not span.is_recording():
        return
    span.set_attributes(_attributes(call.caller, call.outcome))
    if call.code:
        span.set_attribute("error.type", call.code)
    if call.outcome is CallOutcome.FAILED:
        span.set_status(StatusCode.ERROR)


def _attributes(caller: Caller, outcome: CallOutcome) -> dict[str, Any]:
    return {
        "chatwright.face": caller.surface.value,
        "chatwright.outcome": outcome.value,
        "chatwright.principal_kind": caller.kind.value,
        "chatwright.request_id": caller.request_id,
        "chatwright.workspace_id": str(caller.workspace_id),
    }
