"""JSON schemas of tools, whole and exact, from the operations' models. `lean.py` makes those of lists from them.

pydantic writes a `title` beside every field and `null` beside every optional one. Both cost tokens and say
nothing: an optional field is simply left out, in what goes in and in what comes out.
"""

from functools import cache
from typing import Any, Final, cast

from chatwright.features.workspaces.keys import MAX_KEY_LENGTH
from chatwright.kernel.operation import DETAIL, AnyOperation
from chatwright.surfaces.mcp.shapes import shape_of

Schema = dict[str, Any]

IDEMPOTENCY_KEY: Final = "idempotency_key"
"""Argument of every tool that writes."""
DRY_RUN: Final = "dry_run"
"""Argument of tools whose effect reaches outside."""
CONFIRM_TOKEN: Final = "confirm_token"  # noqa: S105 - the name of an argument.
"""Argument of tools that ask before they do anything."""
DETAIL_LEVEL: Final = "detail"
"""Argument of tools that read, and whose answer has fields that a concise one leaves out."""
CONCISE: Final = "concise"
FULL: Final = "full"
_DETAIL_SCHEMA: Final[Schema] = {
    "type": "string",
    "enum": [CONCISE, FULL],
    "default": CONCISE,
    "description": "full adds what is rarely needed.",
}
_KEY_SCHEMA: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_KEY_LENGTH,
    "description": "Makes a repeat safe: same key, same arguments, first result.",
}
_DRY_RUN_SCHEMA: Final[Schema] = {
    "type": "boolean",
    "default": False,
    "description": "Only try it: nothing is sent or kept.",
}
_CONFIRM_SCHEMA: Final[Schema] = {
    "type": "string",
    "description": "Leave out at first; from CONFIRMATION_REQUIRED, once your user agreed.",
}
_NOISE: Final = frozenset({"title", "discriminator"})
_NAMED_SCHEMAS: Final = frozenset({"properties", "patternProperties", "$defs"})
_NULL: Final[Schema] = {"type": "null"}


@cache
def full_input_schema(operation: AnyOperation) -> Schema:
    """What a tool takes: the operation's input, and the arguments that the face has for every tool of its kind.

    Made once, so nobody may change it.
    """
    schema = _tidied(operation.input.model_json_schema(mode="validation"), outbound=False)
    schema.setdefault("properties", {})
    schema["additionalProperties"] = False
    if operation.writes:
        schema["properties"][IDEMPOTENCY_KEY] = dict(_KEY_SCHEMA)
    if operation.outward:
        schema["properties"][DRY_RUN] = dict(_DRY_RUN_SCHEMA)
    if operation.asks:
        schema["properties"][CONFIRM_TOKEN] = dict(_CONFIRM_SCHEMA)
    if takes_detail(operation):
        schema["properties"][DETAIL_LEVEL] = dict(_DETAIL_SCHEMA)
    return schema


@cache
def takes_detail(operation: AnyOperation) -> bool:
    """Whether there is a concise and a full answer to choose from."""
    return not operation.writes and DETAIL in shape_of(operation.output).marks


@cache
def full_output_schema(operation: AnyOperation) -> Schema:
    """What a tool gives: the operation's output, where a field without a value is left out. Made once, likewise."""
    return _tidied(operation.output.model_json_schema(mode="serialization"), outbound=True)


def _tidied(schema: Schema, *, outbound: bool) -> Schema:
    tidy: Schema = _lean(_unwrapped(schema), outbound=outbound)
    # The tool's own description stands beside it and says the same.
    tidy.pop("description", None)
    return _without_unused(tidy)


def _without_unused(schema: Schema) -> Schema:
    """Drop the definitions that nothing refers to, those first that only dropped ones refer to."""
    definitions: Schema = schema.pop("$defs", {})
    wanted: dict[str, Schema] = {}
    waiting = _references(schema)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted[name] = definitions[name]
            waiting |= _references(definitions[name])
    if wanted:
        schema["$defs"] = {name: wanted[name] for name in definitions if name in wanted}
    return schema


def _references(node: Any) -> set[str]:  # noqa: ANN401 - any part of a schema.
    if isinstance(node, list):
        return set[str]().union(*(_references(part) for part in cast("list[Any]", node)))
    if not isinstance(node, dict):
        return set()
    schema = cast("Schema", node)
    own = {str(schema["$ref"]).rpartition("/")[2]} if isinstance(schema.get("$ref"), str) else set[str]()
    return own.union(*(_references(value) for value in schema.values()))


def _unwrapped(schema: Schema) -> Schema:
    """A model that contains itself comes as a mere reference, where MCP asks for an object at the root."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    return {**schema["$defs"][reference.rpartition("/")[2]], "$defs": schema["$defs"]}


def _lean(node: Any, *, outbound: bool) -> Any:  # noqa: ANN401 - any part of a schema.
    if isinstance(node, list):
        return [_lean(part, outbound=outbound) for part in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("Schema", node)
    if outbound and "mapping" in schema.get("discriminator", {}):
        return _kinds_only(schema)
    kept: Schema = {}
    for keyword, value in schema.items():
        if keyword in _NOISE:
            continue
        if keyword in _NAMED_SCHEMAS:
            kept[keyword] = {name: _lean(inner, outbound=outbound) for name, inner in value.items()}
        elif keyword in {"default", "const", "enum", "examples", "required"}:
            kept[keyword] = value
        else:
            kept[keyword] = _lean(value, outbound=outbound)
    return _with_optional_fields(kept, outbound=outbound)


def _kinds_only(union: Schema) -> Schema:
    """A union in a result, by the names of its kinds: who reads a result sees the fields of the one it has."""
    marker = union["discriminator"]
    kinds = {
        "type": "string",
        "enum": sorted(marker["mapping"]),
        "description": "Its kind; each has fields of its own.",
    }
    rest = {keyword: value for keyword, value in union.items() if keyword == "description"}
    return {"type": "object", "properties": {marker["propertyName"]: kinds}, **rest}


def _with_optional_fields(schema: Schema, *, outbound: bool) -> Schema:
    """Turn `null` as a field's value into the field's absence, wherever the two mean the same."""
    fields: Schema = schema.get("properties", {})
    for name, field in fields.items():
        absent_is_null = outbound or ("default" in field and field["default"] is None)
        if not (absent_is_null and _NULL in field.get("anyOf", ())):
            continue
        fields[name] = _without_null(field)
        if name in schema.get("required", ()):
            schema["required"] = [other for other in schema["required"] if other != name]
    if schema.get("required") == []:
        del schema["required"]
    return schema


def _without_null(field: Schema) -> Schema:
    choices = [choice for choice in field["anyOf"] if choice != _NULL]
    rest = {keyword: value for keyword, value in field.items() if keyword not in {"anyOf", "default"}}
    return {**choices[0], **rest} if len(choices) == 1 else {"anyOf": choices, **rest}
