"""Valid arguments for any operation, made from its schema, with ids of whoever the test wants."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeAlias, cast

from pydantic import BaseModel

from chatwright.kernel.operation import AnyOperation

Schema: TypeAlias = dict[str, Any]
Route: TypeAlias = tuple[str | int, ...]
"""The way to a value: names of fields, `[]` for an item, numbers of the choices of a union."""

ITEM = "[]"
WORDS = {"channel": "paper", "key": "plan", "kind": "visitor", "time_zone": "UTC"}
"""Text for fields whose pattern or meaning asks for something particular."""
CANDIDATES = ("Sample", "sample", "en", "image/png", "VN", "fields.plan")
"""Text to try where a pattern asks for something."""
FILTER = {"type": "boolean", "field": "blocked", "operator": "is_false"}
SAME_NOUN = {"duplicate": "contact", "assignee": "member", "reply_to": "message"}
"""Fields that are not named for what they identify."""
BESIDE: Mapping[tuple[str, str | int], Mapping[str, Any]] = {
    ("messages.send", "conversation_id"): {"text": "hello"},
    ("messages.send", "reply_to"): {"text": "hello"},
    ("contacts.update", "contact_id"): {"name": "Sample"},
}
"""What an operation wants beside its required fields, when a given field is the one looked at."""


@dataclass(frozen=True)
class IdOf:
    """A place for an id of this kind of thing."""

    noun: str
    foreign: bool


@dataclass(frozen=True)
class Place:
    """An id field of an operation's input."""

    operation: AnyOperation
    route: Route

    @property
    def field(self) -> str:
        """The name of the field."""
        return next(str(step) for step in reversed(self.route) if isinstance(step, str) and step != ITEM)

    @property
    def noun(self) -> str:
        """What the id is of."""
        return noun_of(self.field)

    @property
    def required(self) -> bool:
        """Whether no call can leave it out."""
        return len(self.route) == 1 and self.route[0] in schema_of(self.operation.input).get("required", ())

    def __str__(self) -> str:
        names = [str(step) for step in self.route if isinstance(step, str) and step != ITEM]
        return f"{self.operation.name}:{'.'.join(names)}"


def id_places(operation: AnyOperation) -> list[Place]:
    """Every field of the input that holds ids, however deep."""
    schema = schema_of(operation.input)
    return [Place(operation, route) for route in _routes(schema, schema, (), frozenset())]


def arguments_for(operation: AnyOperation, place: Place | None = None) -> dict[str, Any]:
    """Valid arguments with `IdOf` where ids belong; the one at `place` is foreign."""
    schema = schema_of(operation.input)
    route = place.route if place else ()
    built = cast("dict[str, Any]", _build(schema, schema, route, following=place is not None))
    return {**(BESIDE.get((operation.name, route[0]), {}) if route else {}), **built}


def noun_of(field: str) -> str:
    """What the ids of a field are of."""
    noun = re.sub(r"_ids?$", "", field)
    return SAME_NOUN.get(noun, noun)


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    """A model's JSON schema, to read."""
    return model.model_json_schema()


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    return root["$defs"][reference.rpartition("/")[2]] if reference else schema


def _choices(schema: Schema) -> list[Schema]:
    return cast("list[Schema]", schema.get("anyOf") or schema.get("oneOf") or [])


def _routes(schema: Schema, root: Schema, route: Route, passed: frozenset[str]) -> Iterator[Route]:
    reference = schema.get("$ref")
    if reference in passed:
        return
    if reference:
        passed |= {reference}
    found = _resolved(schema, root)
    if found.get("format") == "uuid":
        yield route
    for number, choice in enumerate(_choices(found)):
        yield from _routes(choice, root, (*route, number), passed)
    if "items" in found:
        yield from _routes(found["items"], root, (*route, ITEM), passed)
    for name, field in found.get("properties", {}).items():
        yield from _routes(field, root, (*route, name), passed)


def _build(schema: Schema, root: Schema, route: Route, *, following: bool, field: str = "") -> Any:
    found = _resolved(schema, root)
    match found:
        case {"anyOf": choices} | {"oneOf": choices}:
            built = _build_choice(choices, root, route, following=following, field=field)
        case {"const": built} | {"enum": [built, *_]} | {"minimum": built}:
            pass
        case {"type": "object"}:
            built = _build_object(found, root, route, following=following)
        case {"type": "array"}:
            built = _build_array(found, root, route, following=following, field=field)
        case {"type": "string"}:
            built = _text(found, field, foreign=following)
        case _:
            built = found.get("type") == "boolean" or 1
    return built


def _build_array(schema: Schema, root: Schema, route: Route, *, following: bool, field: str) -> list[Any]:
    entering = following and route[:1] == (ITEM,)
    items = [
        _build(schema["items"], root, (), following=False, field=field)
        for _ in range(max(schema.get("minItems", 0), int(entering)))
    ]
    if entering:
        items[0] = _build(schema["items"], root, route[1:], following=True, field=field)
    return items


def _build_choice(choices: list[Schema], root: Schema, route: Route, *, following: bool, field: str) -> Any:
    if following and route and isinstance(route[0], int):
        return _build(choices[route[0]], root, route[1:], following=True, field=field)
    first = next(choice for choice in choices if choice.get("type") != "null")
    return _build(first, root, (), following=False, field=field)


def _build_object(schema: Schema, root: Schema, route: Route, *, following: bool) -> dict[str, Any]:
    wanted = set(schema.get("required", ()))
    through = route[0] if following and route else None
    built: dict[str, Any] = {}
    for name, field in schema.get("properties", {}).items():
        if name == through:
            built[name] = _build(field, root, route[1:], following=True, field=name)
        elif name in wanted or "const" in field:
            built[name] = FILTER if name == "filter" else _build(field, root, (), following=False, field=name)
    return built


def _text(schema: Schema, field: str, *, foreign: bool) -> Any:
    match schema.get("format"):
        case "uuid":
            return IdOf(noun_of(field), foreign)
        case "date-time":
            return (datetime.now(UTC) + timedelta(days=1)).isoformat()
        case "time":
            return "21:00"
        case "email":
            return "sample@example.com"
        case _:
            words = WORDS.get(field)
            pattern = schema.get("pattern", "")
            tried = [words] if words else CANDIDATES
            return next(text for text in tried if re.search(pattern, text))
