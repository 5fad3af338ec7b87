"""What a call would do, found out by doing it in a transaction that is undone, and told small enough to be read."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from pydantic import BaseModel

from chatwright.features.workspaces.arguments import readable
from chatwright.kernel.events import Event
from chatwright.kernel.operation import AnyOperation

_LONGEST: Final = 160
_SHOWN: Final = 3
"""Items of a list that a preview shows."""
_DEEPEST: Final = 3


def preview_of(
    operation: AnyOperation, request: BaseModel, result: Mapping[str, Any], events: Sequence[Event]
) -> dict[str, Any]:
    """Words for a person and facts for a program.

    `summary` says it in a sentence or two, `arguments` are those of the call with private ones hidden, `result` is
    what it would have answered (lists as a count and the first few), `changes` counts what it would have announced.
    """
    changes = Counter(event.kind for event in events)
    return {
        "summary": _words(operation, result, changes),
        "arguments": _small(readable(operation, request.model_dump(mode="json", exclude_unset=True))),
        "result": _small(result),
        "changes": dict(sorted(changes.items())),
    }


def _words(operation: AnyOperation, result: Mapping[str, Any], changes: Counter[str]) -> str:
    name = result.get("name")
    whom = f" \N{LEFT DOUBLE QUOTATION MARK}{_line(name)}\N{RIGHT DOUBLE QUOTATION MARK}" if name else ""
    words = f"{operation.title}{whom}? {operation.summary}"
    return f"{words} Changes: {_counted(changes.items())}." if changes else words


def _counted(changes: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {kind.replace('.', ' ').replace('_', ' ')}" for kind, count in sorted(changes))


def _line(text: object) -> str:
    """Text from anywhere on one line, so that it cannot pass for words of ours."""
    words = " ".join(str(text).split())
    return words if len(words) <= _LONGEST else words[:_LONGEST] + "\N{HORIZONTAL ELLIPSIS}"


def _small(value: object, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON value.
    match value:
        case str():
            return _line(value)
        case dict() if depth < _DEEPEST:
            fields = cast("dict[str, Any]", value)
            return {name: _small(inner, depth + 1) for name, inner in fields.items() if inner is not None}
        case list() if depth < _DEEPEST:
            items = cast("list[Any]", value)
            if len(items) <= _SHOWN:
                return [_small(item, depth + 1) for item in items]
            return {"count": len(items), "first": [_small(item, depth + 1) for item in items[:_SHOWN]]}
        case dict() | list():
            return "\N{HORIZONTAL ELLIPSIS}"
        case _:
            return value
