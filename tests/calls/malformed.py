"""Arguments that no operation takes, made from its input schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chatwright.features.workspaces.arguments import DEEPEST
from chatwright.kernel.operation import AnyOperation
from tests.sampling import schema_of

EXTRA = "no_such_field"
LONGEST = 3_000_000
"""Characters: more than any text of an argument may have."""


@dataclass(frozen=True)
class Malformed:
    """Arguments with one thing wrong, and the field it is wrong with."""

    what: str
    field: str
    arguments: dict[str, Any]


def malformed(operation: AnyOperation, arguments: Mapping[str, Any]) -> Iterator[Malformed]:
    """Everything that is wrong with one field at a time, starting from arguments that are right."""
    schema = schema_of(operation.input)
    yield Malformed("extra", EXTRA, {**arguments, EXTRA: 1})
    for field in schema.get("required", ()):
        yield Malformed("missing", field, {name: value for name, value in arguments.items() if name != field})
    for field, found in schema.get("properties", {}).items():
        for what, value in _wrong(found, schema):
            yield Malformed(what, field, {**arguments, field: value})


def _wrong(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    leaves = list(_leaves(schema, root))
    kinds = {leaf.get("type") for leaf in leaves}
    if "object" not in kinds and {} not in leaves:
        yield "an object", {"no": {"such": ["thing"]}}
    if "array" not in kinds and {} not in leaves:
        yield "a list", [[{}]]
    yield "too deep", _nested(DEEPEST + 1)
    texts = [leaf for leaf in leaves if leaf.get("type") == "string" and "enum" not in leaf]
    if texts:
        yield "NUL", "a\0b"
        yield "half a character", "a\ud800"
        yield "too long", "x" * (1 + max(leaf.get("maxLength", LONGEST) for leaf in texts))
    for leaf in leaves:
        if leaf.get("type") == "array" and "maxItems" in leaf:
            yield "too many", [None] * (leaf["maxItems"] + 1)


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def _leaves(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a value may be, one by one."""
    reference = schema.get("$ref")
    found = root["$defs"][reference.rpartition("/")[2]] if reference else schema
    choices = found.get("anyOf") or found.get("oneOf")
    if not choices:
        yield found
    for choice in choices or ():
        yield from _leaves(choice, root)
