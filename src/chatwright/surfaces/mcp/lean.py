"""Tools as lists show them: as little as a model needs to choose one and to call it right.

The whole contract of a tool is a call of `search_tools` away, and the pipeline checks arguments against it. So a
list may say in few words what the whole schema says in kilobytes. What stands there is always true: whatever fits
the whole schema fits the lean one too.

A kind of object among several, and what is nested deep, is told in words:

    media {kind: image|video, url?, caption?}; list {text, sections: [{title?, rows: [{title}]}]}
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

from mcp.types import Tool, ToolAnnotations

from chatwright.kernel.operation import AnyOperation, Effect
from chatwright.surfaces.mcp.costs import tokens_of
from chatwright.surfaces.mcp.schemas import (
    DETAIL_LEVEL,
    FULL,
    Schema,
    full_input_schema,
    full_output_schema,
    takes_detail,
)
from chatwright.surfaces.mcp.shapes import Shape, shape_of

USUAL_TOKENS: Final = 400
"""A tool that costs more is told in fewer words, one step after the other."""
_STEP_TOKENS: Final = (USUAL_TOKENS, USUAL_TOKENS, 560)
"""What a tool may cost after each step but the last."""

_KEPT: Final = ("type", "enum", "const", "format", "minimum", "maximum", "default", "examples")
_ID_OF: Final = re.compile(r"Ids? of (the|an?) [a-z]+( [a-z]+)?\.")
"""Words that the name of the field says too."""
_NULL: Final[Schema] = {"type": "null"}
_TELLING_FORMATS: Final = {"date-time", "date", "time"}
_SAID_BY_NAME: Final[Mapping[str, str]] = {
    "cursor": "next_cursor of the page before.",
    "limit": "",
}
"""Words for fields of many tools that need few."""


@dataclass(frozen=True)
class _Thrift:
    """How much is left out."""

    nested_words: bool = True
    """Whether the fields of nested objects are described."""
    item_fields: bool = True
    """Whether the fields of a result's items are named."""
    detail_fields: bool = True
    """Whether a result's fields that only a full answer has are named."""
    field_types: bool = True
    """Whether a result's fields are listed with their types, or only named."""
    field_words: int = 400
    """Characters of a field's description, in whole sentences."""
    tool_words: int = 320
    """Characters of the tool's description, in whole sentences."""
    kind_words: int = 2000
    """Characters for what the kinds of a union are made of, in whole kinds."""


_THRIFTS: Final = (
    _Thrift(),
    _Thrift(nested_words=False),
    _Thrift(nested_words=False, item_fields=False, detail_fields=False),
    _Thrift(
        nested_words=False,
        item_fields=False,
        detail_fields=False,
        field_types=False,
        field_words=80,
        tool_words=130,
        kind_words=520,
    ),
)


@cache
def lean_tool(operation: AnyOperation) -> Tool:
    """An operation as tools/list shows it, in as many words as its price allows. Made once, so nobody may change it."""
    for thrift, most in zip(_THRIFTS, _STEP_TOKENS, strict=False):
        tool = _tool(operation, thrift)
        if tokens_of(tool) <= most:
            return tool
    return _tool(operation, _THRIFTS[-1])


def short(text: str, most: int) -> str:
    """The first sentences of a text, as many as fit, on one line; at least one."""
    first, *others = re.split(r"(?<=[.!?])\s+", " ".join(text.split()))
    kept = first
    for sentence in others:
        if len(kept) + len(sentence) >= most:
            break
        kept = f"{kept} {sentence}"
    return kept


def _tool(operation: AnyOperation, thrift: _Thrift) -> Tool:
    return Tool(
        name=operation.tool,
        title=operation.title,
        description=short(operation.description, thrift.tool_words),
        input_schema=_Input(operation, thrift).schema(),
        output_schema=_output(operation, thrift),
        annotations=ToolAnnotations(
            read_only_hint=not operation.writes,
            destructive_hint=operation.effect is Effect.DESTROY,
            idempotent_hint=operation.idempotent,
            open_world_hint=operation.outward,
        ),
    )


class _Input:
    """Makes the lean schema of what goes in."""

    def __init__(self, operation: AnyOperation, thrift: _Thrift) -> None:
        self._whole = full_input_schema(operation)
        self._definitions: Mapping[str, Schema] = self._whole.get("$defs", {})
        self._said: Mapping[str, str] = {**_SAID_BY_NAME, DETAIL_LEVEL: _detail_words(operation)}
        self._thrift = thrift

    def schema(self) -> Schema:
        fields: Mapping[str, Schema] = self._whole["properties"]
        lean: Schema = {
            "type": "object",
            "properties": {name: self._field(name, field) for name, field in fields.items()},
        }
        if "required" in self._whole:
            lean["required"] = self._whole["required"]
        return {**lean, "additionalProperties": False}

    def _field(self, name: str, field: Schema) -> Schema:
        said = self._said.get(name, str(field.get("description", "")))
        lean, more = self._value(field)
        words = "" if _ID_OF.fullmatch(said) else short(said, self._thrift.field_words)
        description = " ".join(part for part in (words, more) if part)
        return {**lean, "description": description} if description else lean

    def _value(self, node: Schema) -> tuple[Schema, str]:
        """A schema for a value, and what else there is to say of it."""
        node = _resolved(node, self._definitions)
        kinds = _kinds_of(node, self._definitions)
        if kinds:
            tag, by_kind = kinds
            told = _Words(self._definitions).kinds(tag, by_kind, self._thrift.kind_words)
            types: Schema = {"type": "string", "enum": list(by_kind)}
            return {"type": "object", "properties": {tag: types}, "required": [tag]}, told
        if "properties" in node:
            return self._object(node), ""
        if node.get("type") == "array":
            inner, more = self._value(node.get("items", {}))
            return {"type": "array", **({"items": inner} if inner else {})}, more
        present = _beside_null(node)
        if present is not None:
            inner, more = self._value(present)
            return {"anyOf": [inner, _NULL]}, more
        return _scalar(node), ""

    def _object(self, node: Schema) -> Schema:
        fields: Mapping[str, Schema] = node["properties"]
        lean: Schema = {"type": "object", "properties": {}}
        for name, field in fields.items():
            inner, more = self._value(field)
            words = field.get("description", "") if self._thrift.nested_words else ""
            description = " ".join(part for part in (words, more) if part)
            lean["properties"][name] = {**inner, "description": description} if description else inner
        if "required" in node:
            lean["required"] = node["required"]
        return lean


class _Words:
    """Tells schemas in words. What was told once is named from then on."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._uses = Counter(_references(definitions))
        self._told: set[str] = set()

    def kinds(self, tag: str, by_kind: Mapping[str, Schema], most: int) -> str:
        """The kinds of a union, each with its fields, as many as fit."""
        told: list[str] = []
        for kind, found in by_kind.items():
            told.append(f"{kind} {self._object(found, leave_out=tag)}")
            if sum(map(len, told)) > most:
                told[-1] = "search_tools tells the others, with detail=full"
                break
        return f"By {tag}: {'; '.join(told)}"

    def _object(self, node: Schema, *, leave_out: str = "") -> str:
        fields: Mapping[str, Schema] = node.get("properties", {})
        required = node.get("required", ())
        told = [
            f"{name}{'' if name in required else '?'}{self._after_name(field)}"
            for name, field in fields.items()
            if name != leave_out
        ]
        return f"{{{', '.join(told)}}}"

    def _after_name(self, field: Schema) -> str:
        """What a field holds, after its name; nothing for a text."""
        held = self._held(field)
        return f": {held}" if held else ""

    def _held(self, field: Schema) -> str:
        name = _name_of(field)
        node = _resolved(field, self._definitions)
        kinds = _kinds_of(node, self._definitions)
        if kinds:
            return name.lower() or "|".join(kinds[1])
        if "properties" in node:
            return self._named_object(name, node)
        if node.get("type") == "array":
            return f"[{self._held(node.get('items', {})) or 'string'}]"
        return _scalar_words(node)

    def _named_object(self, name: str, node: Schema) -> str:
        if name in self._told:
            return name.lower()
        if self._uses[name] <= 1:
            return self._object(node)
        self._told.add(name)
        return f"{name.lower()} {self._object(node)}"


def _output(operation: AnyOperation, thrift: _Thrift) -> Schema:
    """What comes out: its fields by type. Whoever reads a result sees the rest."""
    whole, shape = full_output_schema(operation), shape_of(operation.output)
    definitions: Mapping[str, Schema] = whole.get("$defs", {})
    with_detail = thrift.detail_fields and takes_detail(operation)
    fields = {
        name: _outline(_resolved(field, definitions), definitions, thrift, shape.inner.get(name, Shape()))
        for name, field in whole.get("properties", {}).items()
        if with_detail or name not in shape.detail
    }
    if thrift.field_types:
        return {"type": "object", "properties": fields}
    return {"type": "object", "description": f"With {', '.join(fields)}."}


def _detail_words(operation: AnyOperation) -> str:
    """What a full answer adds."""
    names = dict.fromkeys(shape_of(operation.output).all_detail())
    return f"{FULL} adds {', '.join(names)}."


def _outline(node: Schema, definitions: Mapping[str, Schema], thrift: _Thrift, shape: Shape) -> Schema:
    if "properties" in node:
        return {"type": "object"}
    if node.get("type") == "array":
        item = _resolved(node.get("items", {}), definitions)
        outline: Schema = {"type": "array"}
        if "type" in item:
            outline["items"] = {"type": item["type"]}
        if thrift.item_fields and "properties" in item:
            names = [name for name in item["properties"] if name not in shape.detail]
            outline["description"] = f"Each with {', '.join(names)}."
        return outline
    return {"type": node["type"]} if isinstance(node.get("type"), str) else {}


def _scalar(node: Schema) -> Schema:
    """A value without fields, by what a model has to know of it."""
    choices = _choices_of(node)
    if choices is not None:
        return choices
    lean = {keyword: node[keyword] for keyword in _KEPT if keyword in node}
    if lean.get("format") not in _TELLING_FORMATS:
        lean.pop("format", None)
    if not lean.get("default"):
        lean.pop("default", None)
    return lean


def _beside_null(node: Schema) -> Schema | None:
    """The one other branch of a union with null, which is then a value of its own and not a field's absence."""
    parts: list[Schema] = node.get("anyOf", [])
    others = [part for part in parts if part != _NULL]
    return others[0] if len(others) == 1 and len(parts) > 1 else None


def _choices_of(node: Schema) -> Schema | None:
    """A union of plain values: their one type, if they have one; None for any other schema."""
    parts: list[Schema] | None = node.get("anyOf")
    if parts is None:
        return None
    types = sorted({str(part["type"]) for part in parts if isinstance(part.get("type"), str)})
    return {"type": types[0]} if len(types) == 1 and all("type" in part for part in parts) else {}


def _scalar_words(node: Schema) -> str:
    parts: list[Schema] = node.get("anyOf", [node])
    words = [word for part in parts for word in _part_words(part)]
    return "|".join(dict.fromkeys(words)) if words != ["string"] else ""


def _part_words(part: Schema) -> list[str]:
    if "enum" in part:
        return [str(value) for value in part["enum"]]
    if "const" in part:
        return [str(part["const"])]
    if part.get("examples"):
        return [str(part["examples"][0])]
    if part.get("format") in _TELLING_FORMATS:
        return [str(part["format"])]
    return [str(part["type"])] if isinstance(part.get("type"), str) else []


def _kinds_of(node: Schema, definitions: Mapping[str, Schema]) -> tuple[str, dict[str, Schema]] | None:
    """The tag of a union of objects, and the objects by what the tag says; None where that tells none apart."""
    parts = [_resolved(part, definitions) for part in node.get("oneOf", ())]
    tags = [
        {name: field["const"] for name, field in part.get("properties", {}).items() if "const" in field}
        for part in parts
    ]
    shared = set(tags[0]).intersection(*tags) if tags else set[str]()
    for tag in sorted(shared):
        by_kind = {str(own[tag]): part for own, part in zip(tags, parts, strict=True)}
        if len(by_kind) == len(parts):
            return tag, by_kind
    return None


def _resolved(node: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The schema that a reference leads to, however often it is referred on."""
    while name := _name_of(node):
        rest: Schema = {keyword: value for keyword, value in node.items() if keyword != "$ref"}
        node = {**definitions[name], **rest}
    return node


def _references(node: object) -> Iterator[str]:
    """The names of all definitions that a schema refers to, as often as it does."""
    if isinstance(node, list):
        for part in cast("list[object]", node):
            yield from _references(part)
    elif isinstance(node, Mapping):
        schema = cast("Schema", node)
        if name := _name_of(schema):
            yield name
        for part in schema.values():
            yield from _references(part)


def _name_of(node: Schema) -> str:
    reference: object = node.get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else ""
