"""The reference, written from the code: operations, errors and settings, as Markdown."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import chatwright
from chatwright.app import logs, settings
from chatwright.client import profiles
from chatwright.kernel.caller import Surface
from chatwright.kernel.errors import ChatwrightError
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.http.rest import API
from chatwright.surfaces.mcp.prompts.recipes import RECIPES
from chatwright.surfaces.mcp.resources.kinds import KINDS

WRITTEN = "<!-- Written by ./dev accept from the code; edit that instead. -->\n"
ANSWERING_NOT = ("app", "sandbox")
"""Packages whose errors no face answers."""

Schema = Mapping[str, Any]


def operations_page(catalogue: Sequence[AnyOperation]) -> str:
    """Every operation, by noun."""
    nouns: dict[str, list[AnyOperation]] = {}
    for operation in catalogue:
        if operation.surfaces:
            nouns.setdefault(operation.noun, []).append(operation)
    contents = ", ".join(f"[{noun}](#{noun})" for noun in nouns)
    parts = [
        f"{WRITTEN}# Operations\n",
        "Each operation is one tool of the MCP server, one route of the REST API, and one command.\n",
        f"{contents}\n",
    ]
    for noun, operations in nouns.items():
        parts += [f"## {noun}\n", *(_operation(operation) for operation in operations)]
    return "\n".join(parts)


def errors_page() -> str:
    """Every error that a face may answer, by status."""
    # A class further up the tree speaks for those below it that share its code.
    by_code = {error.code: error for error in sorted(product_errors(), key=_depth, reverse=True)}
    shown = sorted(by_code.values(), key=lambda error: (error.http_status, error.code))
    rows = [
        (f"`{error.code}`", str(error.http_status), "yes" if error.retryable else "", error.hint or "")
        for error in shown
    ]
    return "\n".join(
        [
            f"{WRITTEN}# Errors\n",
            "Every face answers an error as one object: `code`, `message`, `retryable`, `retry_after_ms`, `fields`,",
            "`details`, `hint` and `request_id`. The code is stable; the message is for people and models.\n",
            *_table(("code", "HTTP status", "retryable", "hint"), rows),
            "",
        ]
    )


def resources_page() -> str:
    """What an MCP client can read by URI, and the prompts it is offered."""
    kinds = [
        (f"`{kind.template}`", kind.description, ", ".join(f"`{event}`" for event in kind.follows))
        for kind in KINDS
    ]
    prompts = [
        (
            f"`{recipe.name}`",
            recipe.description,
            ", ".join(f"`{each.name}`" + ("" if each.required else "?") for each in recipe.arguments),
        )
        for recipe in RECIPES
    ]
    return "\n".join(
        [
            f"{WRITTEN}# Resources and prompts\n",
            "A resource is JSON, made of reading operations with the scopes of who reads it. Segments, tags, contact",
            "fields, inboxes and templates are found by name as well as by id. A list in a document says in `next`",
            "where it goes on. A resource is told as updated after the events named with it: in the stream of",
            "`subscriptions/listen`, or to a session that watches it by `resources/subscribe`, where there are any.\n",
            *_table(("URI", "what it shows", "updated after"), kinds),
            "",
            "## Prompts\n",
            "Offered to those who may use every tool that the prompt leads to. Arguments with `?` may be left out;",
            "ids and names in them are completed.\n",
            *_table(("prompt", "what it is for", "arguments"), prompts),
            "",
        ]
    )


def settings_page() -> str:
    """What a process reads from its environment."""
    server = [(name, default, words) for name, default, words in _server_settings()]
    mine = [(name, "", words) for module in (profiles,) for name, words in _variables(module.__file__)]
    headings = ("variable", "default", "what it says")
    return "\n".join(
        [
            f"{WRITTEN}# Settings\n",
            "## Of a server\n",
            *_table(headings, server),
            "",
            "## Of the command line\n",
            *_table(headings[::2], [(name, words) for name, _, words in mine]),
            "",
        ]
    )


def product_errors() -> list[type[ChatwrightError]]:
    """All error classes of the product, from every module of it."""
    for module in pkgutil.walk_packages(chatwright.__path__, f"{chatwright.__name__}."):
        if module.name.split(".")[1] not in ANSWERING_NOT:
            importlib.import_module(module.name)
    return sorted(
        (error for error in _below(ChatwrightError) if _is_answered(error)),
        key=lambda error: (error.__module__, error.__qualname__),
    )


def _depth(error: type[ChatwrightError]) -> int:
    return len(error.__mro__)


def _is_answered(error: type[ChatwrightError]) -> bool:
    floors = error.__module__.split(".")
    return floors[0] == chatwright.__name__ and floors[1] not in ANSWERING_NOT


def _below(error: type[ChatwrightError]) -> Iterator[type[ChatwrightError]]:
    for leaf in error.__subclasses__():
        yield leaf
        yield from _below(leaf)


def _operation(operation: AnyOperation) -> str:
    ways = {
        "scope": f"`{operation.scope}`",
        "effect": f"{operation.effect.value}{', repeating it changes nothing more' if _is_stable(operation) else ''}",
        "MCP": f"`{operation.tool}`" if Surface.MCP in operation.surfaces else "",
        "REST": f"`{operation.method} {API}{operation.path}`" if Surface.HTTP in operation.surfaces else "",
        "command": f"`chatwright {_command(operation)}`" if Surface.CLI in operation.surfaces else "",
        "errors": ", ".join(sorted(f"`{error.code}`" for error in operation.errors)),
    }
    facts = [f"- {name}: {text}" for name, text in ways.items() if text]
    fields = [
        (f"`{field.name}`", field.kind, "yes" if field.required else "", field.words)
        for field in fields_of(operation.input.model_json_schema())
    ]
    table = (
        _table(("field", "type", "required", "what it is"), fields) if fields else ["It takes no arguments."]
    )
    result = f"It answers `{operation.output.__name__}`."
    return "\n".join(
        [f"### {operation.name}\n", operation.description, "", *facts, "", *table, "", result, ""]
    )


def _is_stable(operation: AnyOperation) -> bool:
    return operation.writes and operation.idempotent


def _command(operation: AnyOperation) -> str:
    return f"{operation.noun} {operation.verb}".replace("_", "-").replace(".", "-")


@dataclass(frozen=True)
class FieldWords:
    """One field of an input, as a reference shows it."""

    name: str
    kind: str
    required: bool
    words: str


def fields_of(schema: Schema) -> list[FieldWords]:
    """The fields of an object's schema."""
    required = set(schema.get("required", ()))
    return [
        FieldWords(name, _kind(field), name in required, _with_default(field))
        for name, field in schema.get("properties", {}).items()
    ]


def _with_default(field: Schema) -> str:
    words = " ".join(field.get("description", "").split())
    default = field.get("default")
    return words if default in (None, [], {}, "") else f"{words} Default: `{default}`."


def _kind(field: Schema) -> str:
    match field:
        case {"$ref": str(reference)}:
            kind = f"`{reference.rpartition('/')[2]}`"
        case {"anyOf": several} | {"oneOf": several}:
            kinds = [_kind(one) for one in cast("list[Schema]", several) if one.get("type") != "null"]
            kind = " or ".join(dict.fromkeys(kinds))
        case {"enum": choices}:
            kind = ", ".join(f"`{choice}`" for choice in cast("list[object]", choices))
        case {"const": only}:
            kind = f"`{only}`"
        case {"type": "array"}:
            kind = f"list of {_kind(field.get('items', {}))}"
        case {"type": str(kind)}:
            kind = str(field.get("format", kind))
        case _:
            kind = "anything"
    return kind


def _server_settings() -> Iterator[tuple[str, str, str]]:
    """The fields of Settings, whose words begin with the variable they come from, and the variables beside it."""
    for field, (words, default) in _attributes(settings.__file__, "Settings").items():
        named = re.match(r"`([A-Z_]+)`: (.*)", words)
        name, text = named.groups() if named else (f"--{field}", words)
        yield f"`{name}`", default, f"{text[:1].upper()}{text[1:]}"
    for name, words in _variables(logs.__file__):
        yield name, "", words


def _variables(file: str | None) -> Iterator[tuple[str, str]]:
    """Module constants `..._VARIABLE` with the words below them."""
    for name, (words, value) in _attributes(file, None).items():
        if name.endswith("_VARIABLE"):
            yield value, words


def _attributes(file: str | None, of: str | None) -> dict[str, tuple[str, str]]:
    """The assigned names of a module or a class with their docstrings and, as code, their values."""
    body: Sequence[ast.stmt] = ast.parse(Path(file or "").read_text()).body
    if of is not None:
        (body,) = (node.body for node in body if isinstance(node, ast.ClassDef) and node.name == of)
    found: dict[str, tuple[str, str]] = {}
    for statement, below in pairwise(body):
        match statement, below:
            case (
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                value = "" if statement.value is None else f"`{ast.unparse(statement.value).strip(chr(39))}`"
                found[name] = (" ".join(words.split()), "" if value == "`None`" else value)
            case _:
                pass
    return found


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
