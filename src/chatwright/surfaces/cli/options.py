"""The fields of an operation's input as options of a command, read off the same schema that MCP shows."""

import inspect
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from chatwright.kernel.operation import AnyOperation

Schema = Mapping[str, Any]


class Kind(StrEnum):
    """How the words after an option become a JSON value."""

    FLAG = "flag"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    LIST = "list"
    JSON = "json"


@dataclass(frozen=True)
class Option:
    """One field as an option, or as a positional argument where it is the single id in the path."""

    field: str
    kind: Kind
    help: str
    required: bool
    positional: bool = False
    nullable: bool = False
    """Whether the word `null` stands for no value; only of required fields, others are left out for that."""
    choices: tuple[str, ...] = ()
    item: Kind = Kind.TEXT
    """Of what kind the items of a list are."""

    @property
    def flag(self) -> str:
        return f"--{kebab(self.field)}"

    def parameter(self) -> inspect.Parameter:
        """The option as a keyword parameter that typer reads."""
        default = inspect.Parameter.empty if self.required else None
        annotation: Any = Annotated[self._word_type() | None, self._declaration()]
        return inspect.Parameter(
            self.field, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )

    def read(self, words: Any) -> Any:  # noqa: ANN401 - what typer parsed, and the JSON value it stands for.
        """Turn what was typed into the field's value; raises typer.BadParameter."""
        if self.nullable and words == "null":
            return None
        match self.kind:
            case Kind.JSON:
                return self._json(words)
            case Kind.LIST:
                return [self._item(word) for group in words for word in self._split(group)]
            case _:
                return words

    def _word_type(self) -> Any:  # noqa: ANN401 - a type that is only known now.
        if self.kind is Kind.LIST:
            return list[str]
        if self.choices:
            words = (*self.choices, "null") if self.nullable else self.choices
            return Literal[words]
        if self.nullable:
            return str
        return {Kind.FLAG: bool, Kind.INTEGER: int, Kind.NUMBER: float}.get(self.kind, str)

    def _declaration(self) -> Any:  # noqa: ANN401 - typer types both of these as Any.
        if self.positional:
            return typer.Argument(help=self.help, metavar=self.field.upper())
        names = f"{self.flag}/--no-{kebab(self.field)}" if self._word_type() is bool else self.flag
        return typer.Option(names, help=self.help)

    def _split(self, group: str) -> list[Any]:
        """Items are separated by commas; one that holds a comma itself is written in a JSON list."""
        if group.startswith("["):
            return self._json(group)
        return [word.strip() for word in group.split(",") if word.strip()]

    def _item(self, word: Any) -> Any:  # noqa: ANN401 - text, or what a JSON list held.
        if not isinstance(word, str) or self.item is Kind.TEXT:
            return word
        try:
            return json.loads(word)
        except ValueError:
            raise self._wrong(f"'{word}' is no {self.item}.") from None

    def _json(self, words: str) -> Any:  # noqa: ANN401 - any JSON value.
        text = self._file(words[1:]) if words.startswith("@") else words
        try:
            return json.loads(text)
        except ValueError as error:
            message = f"{error}. Write JSON, or @FILE to read it from a file, or @- from the standard input."
            raise self._wrong(message) from error

    def _file(self, name: str) -> str:
        try:
            return sys.stdin.read() if name == "-" else Path(name).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise self._wrong(f"{name} cannot be read: {error}") from error

    def _wrong(self, message: str) -> typer.BadParameter:
        return typer.BadParameter(message, param_hint=self.flag)


def options_of(operation: AnyOperation) -> list[Option]:
    """An option per input field, the positional one first."""
    schema = operation.input.model_json_schema()
    required: list[str] = schema.get("required", [])
    ids = operation.path_fields
    options = [
        _option(name, field, schema, required=name in required, positional=ids == (name,))
        for name, field in schema.get("properties", {}).items()
    ]
    return sorted(options, key=lambda option: not option.positional)


def kebab(name: str) -> str:
    """A field or verb as the shell spells it."""
    return name.replace("_", "-").replace(".", "-")


def _option(name: str, field: Schema, root: Schema, *, required: bool, positional: bool) -> Option:
    inner, nullable = _without_null(_resolved(field, root), root)
    kind = _kind(inner)
    nullable = nullable and required
    item = _resolved(inner.get("items", {}), root)
    if kind is Kind.LIST and _kind(item) in {Kind.LIST, Kind.JSON}:
        kind = Kind.JSON
    return Option(
        field=name,
        kind=kind,
        help=_help(field, kind, nullable=nullable),
        required=required,
        positional=positional,
        nullable=nullable,
        choices=tuple(str(choice) for choice in inner.get("enum", ())) if kind is Kind.TEXT else (),
        item=_kind(item),
    )


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow a reference into the document's definitions."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    return cast("Schema", root["$defs"][reference.removeprefix("#/$defs/")])


def _without_null(schema: Schema, root: Schema) -> tuple[Schema, bool]:
    """The schema of what a nullable field holds when it is not null."""
    variants = cast("list[Schema]", schema.get("anyOf", [schema]))
    others = [_resolved(variant, root) for variant in variants if variant.get("type") != "null"]
    return (others[0] if len(others) == 1 else {}), len(others) < len(variants)


def _kind(schema: Schema) -> Kind:
    match schema.get("type"):
        case "boolean":
            return Kind.FLAG
        case "integer":
            return Kind.INTEGER
        case "number":
            return Kind.NUMBER
        case "string":
            return Kind.TEXT
        case "array":
            return Kind.LIST
        case _:
            return Kind.JSON


def _help(field: Schema, kind: Kind, *, nullable: bool) -> str:
    words = [" ".join(str(field.get("description", "")).split())]
    match kind:
        case Kind.LIST:
            words.append("Repeat it or separate items by commas.")
        case Kind.JSON:
            words.append("JSON, or @FILE.")
        case _:
            pass
    if nullable:
        words.append("'null' for none.")
    if field.get("default") not in (None, False, [], {}, ""):
        words.append(f"[default: {json.dumps(field['default'])}]")
    return " ".join(word for word in words if word)
