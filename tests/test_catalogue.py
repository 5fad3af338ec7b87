"""What holds for every operation, every statement and every table, so that no new one can forget it."""

import ast
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast, get_args, get_type_hints

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, pool
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import create_async_engine

import chatwright
from chatwright.app.generated import generated_files, stale_files
from chatwright.app.reference import product_errors
from chatwright.app.schema import METADATA
from chatwright.app.wiring import Product
from chatwright.catalogue import CATALOGUE
from chatwright.features.workspaces.rules import SCOPES
from chatwright.infra.database import prepare_connection
from chatwright.infra.tables import Xid8
from chatwright.kernel import errors
from chatwright.kernel.caller import OWN_SCOPES
from chatwright.kernel.errors import ChatwrightError
from chatwright.kernel.operation import PRIVATE, AnyOperation, Effect, Mark, Operation
from chatwright.ports.database import Statement
from tests.sampling import schema_of

LONGEST_DESCRIPTION = 2048
"""Clients of MCP cut longer ones."""

Kind = TypeVar("Kind")

every_operation = pytest.mark.parametrize("operation", CATALOGUE, ids=lambda operation: operation.name)


def modules(package: str) -> Iterator[ModuleType]:
    """Every module of a package of the product."""
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        yield importlib.import_module(found.name)


def values_of(package: str, kind: type[Kind]) -> list[Kind]:
    """Module-level values of a type, each once however often it is imported."""
    values: list[object] = [value for module in modules(package) for value in vars(module).values()]
    return list({id(value): value for value in values if isinstance(value, kind)}.values())


class TestOperations:
    def test_all_are_listed(self) -> None:
        written: list[AnyOperation] = values_of("chatwright.features", Operation)
        assert {operation.name for operation in written} == {operation.name for operation in CATALOGUE}
        assert len(written) == len(CATALOGUE)

    @pytest.mark.parametrize("column", ["name", "tool"])
    def test_names_are_unique(self, column: str) -> None:
        names = Counter(getattr(operation, column) for operation in CATALOGUE)
        assert [name for name, times in names.items() if times > 1] == []

    def test_routes_are_unique_also_when_ids_have_other_names(self) -> None:
        routes = Counter((op.method, re.sub(r"{\w+}", "{}", op.path)) for op in CATALOGUE)
        assert [route for route, times in routes.items() if times > 1] == []

    @every_operation
    def test_names_are_spelt_alike(self, operation: AnyOperation) -> None:
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", operation.name)
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation.tool)
        assert re.fullmatch(r"(/[a-z-]+|/{\w+})+", operation.path)

    @every_operation
    def test_the_scope_is_known_and_says_whether_it_writes(self, operation: AnyOperation) -> None:
        assert operation.scope in SCOPES | OWN_SCOPES
        assert operation.scope.endswith(":write") is operation.writes

    @every_operation
    def test_the_method_fits_the_effect(self, operation: AnyOperation) -> None:
        if operation.effect is Effect.READ:
            assert operation.method in {"GET", "POST"}
        else:
            assert operation.method != "GET"

    @every_operation
    def test_the_description_is_there_and_not_too_long(self, operation: AnyOperation) -> None:
        assert operation.summary.endswith(".")
        assert len(operation.description) <= LONGEST_DESCRIPTION

    @every_operation
    @pytest.mark.parametrize("side", ["input", "output"])
    def test_every_field_is_described(self, operation: AnyOperation, side: str) -> None:
        schema = schema_of(getattr(operation, side))
        assert list(undescribed(schema)) == []

    @every_operation
    def test_unknown_fields_are_refused_at_every_depth(self, operation: AnyOperation) -> None:
        schema = schema_of(operation.input)
        objects = [schema, *schema.get("$defs", {}).values()]
        loose = [
            found.get("title")
            for found in objects
            if "properties" in found and found.get("additionalProperties") is not False
        ]
        assert loose == []

    @every_operation
    def test_nothing_goes_in_that_has_no_bounds(self, operation: AnyOperation) -> None:
        """The size of a request bounds all of it together, far above what any one field is for."""
        schema = schema_of(operation.input)
        assert list(unbounded(schema, "")) == []

    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "string"},
            {"type": "string", "pattern": "^[a-z]+$"},
            {"type": "string", "pattern": "^[a-z]{2,}$"},
            {"type": "array", "items": {"type": "integer"}},
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"anyOf": [{"type": "array", "maxItems": 3, "items": {"type": "string"}}, {"type": "null"}]},
        ],
        ids=str,
    )
    def test_what_has_no_bounds_is_found(self, schema: dict[str, Any]) -> None:
        assert len(list(unbounded({"properties": {"default": schema}}, ""))) == 1

    @every_operation
    def test_what_is_marked_private_is_private(self, operation: AnyOperation) -> None:
        """A mark on a part of a field (`Annotated[X, PRIVATE] | None`) would hide nothing."""
        hints = get_type_hints(operation.input, include_extras=True)
        marked = {name for name, hint in hints.items() if has_mark(hint, PRIVATE)}
        assert operation.private_fields == marked

    @every_operation
    def test_who_asks_for_one_thing_can_be_told_that_it_is_not_there(self, operation: AnyOperation) -> None:
        if any(field.endswith("_id") for field in operation.path_fields):
            assert any(issubclass(error, errors.NotFound) for error in operation.errors)


def undescribed(schema: Mapping[str, Any]) -> Iterator[str]:
    """Fields without a description, anywhere in a schema. The tag of a union says what it is by its value."""
    for name, found in {"": schema, **schema.get("$defs", {})}.items():
        for field, about in found.get("properties", {}).items():
            if "description" not in about and "const" not in about:
                yield f"{name}.{field}"


OPEN_QUANTIFIER = re.compile(r"[^\\][*+]|\{\d*,\}")


def unbounded(node: object, place: str) -> Iterator[str]:
    """Texts, lists and mappings of any length, anywhere in a schema."""
    if isinstance(node, list):
        for number, inner in enumerate(cast("list[object]", node)):
            yield from unbounded(inner, f"{place}/{number}")
    elif isinstance(node, dict):
        schema = cast("dict[str, Any]", node)
        if not has_bounds(schema):
            yield place
        for name, inner in schema.items():
            yield from unbounded(inner, f"{place}/{name}")


def has_bounds(schema: Mapping[str, Any]) -> bool:
    """Whether what a schema describes has a greatest length, apart from what is in it."""
    match schema.get("type"):
        case "string":
            return "enum" in schema or "const" in schema or text_has_bounds(schema)
        case "array":
            return "maxItems" in schema
        case "object":
            return "properties" in schema or "maxProperties" in schema
        case _:
            return True


def text_has_bounds(schema: Mapping[str, Any]) -> bool:
    """By its length, its format, or a pattern that nothing fits of any length."""
    pattern = schema.get("pattern")
    closed = pattern is not None and not OPEN_QUANTIFIER.search(pattern)
    return closed or "maxLength" in schema or "format" in schema


def has_mark(hint: Any, mark: Mark) -> bool:
    """Whether a type carries a mark anywhere in it."""
    inner = [has_mark(part, mark) for part in get_args(hint) if not isinstance(part, Mark)]
    return mark in getattr(hint, "__metadata__", ()) or any(inner)


class TestErrors:
    def test_the_drawing_shows_the_tree(self) -> None:
        def drawn(error: type[ChatwrightError], indent: str) -> Iterator[str]:
            leaves = [leaf for leaf in error.__subclasses__() if leaf.__module__ == errors.__name__]
            for leaf in leaves:
                last = leaf is leaves[-1]
                stem = f"{indent}{'└──' if last else '├──'} {leaf.__name__}"
                words = [stem, leaf.code, str(leaf.http_status), *(["retryable"] if leaf.retryable else [])]
                yield " ".join(words)
                yield from drawn(leaf, indent + ("    " if last else "│   "))

        _, _, picture = (errors.__doc__ or "").partition("    ChatwrightError\n")
        lines = picture.partition("\n\n")[0].splitlines()
        shown = [re.sub(r"(?<=\w) {2,}", " ", line.removeprefix("    ")) for line in lines]
        assert shown == list(drawn(ChatwrightError, ""))

    def test_a_code_means_one_thing(self) -> None:
        meanings: dict[str, set[tuple[int, bool]]] = {}
        for error in product_errors():
            meanings.setdefault(error.code, set()).add((error.http_status, error.retryable))
        assert {code: found for code, found in meanings.items() if len(found) > 1} == {}


def statements() -> list[Statement[Any]]:
    found: list[Statement[Any]] = [
        *values_of("chatwright.features", Statement),
        *values_of("chatwright.infra", Statement),
    ]
    return sorted(found, key=lambda statement: statement.name)


class TestStatements:
    async def test_each_prepares_against_the_migrated_schema(self, product: Product) -> None:
        connection = await asyncpg.connect(product.settings.database_url)
        broken: list[str] = []
        try:
            await prepare_connection(connection)
            for statement in statements():
                try:
                    await connection.prepare(statement.sql)
                except asyncpg.PostgresError as error:
                    broken.append(f"{statement.name}: {error}")
        finally:
            await connection.close()
        assert broken == []

    def test_names_are_unique(self) -> None:
        names = Counter(statement.name for statement in statements())
        assert [name for name, times in names.items() if times > 1] == []

    def test_they_stand_in_stores(self) -> None:
        """A statement elsewhere is one that nobody looks for."""
        strays = [
            str(path.relative_to(chatwright.__path__[0]))
            for path in (Path(chatwright.__path__[0]) / "features").rglob("*.py")
            if path.name != "store.py" and _keeps_statements(path)
        ]
        assert strays == []


def _keeps_statements(path: Path) -> bool:
    """Whether the module has statements of its own; those made of a filter at run time are no such."""
    values = [node.value for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    calls = [value.func for value in values if isinstance(value, ast.Call)]
    return any(isinstance(called, ast.Name) and called.id == "Statement" for called in calls)


class TestSchema:
    async def test_the_migrations_make_what_the_tables_say(
        self, product: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # SQLAlchemy does not know PostgreSQL's transaction ids.
        monkeypatch.setitem(ischema_names, "xid8", Xid8)
        url = (product.settings.database_url or "").replace("postgresql://", "postgresql+asyncpg://")
        engine = create_async_engine(url, poolclass=pool.NullPool)
        async with engine.connect() as connection:
            assert await connection.run_sync(_differences) == []
        await engine.dispose()


def _differences(connection: Connection) -> list[Any]:
    whole = MetaData()
    for metadata in METADATA:
        for table in metadata.sorted_tables:
            table.to_metadata(whole)
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return cast("list[Any]", compare_metadata(context, whole))


class TestGenerated:
    def test_the_committed_files_are_fresh(self) -> None:
        assert stale_files() == [], "write them anew with ./dev accept, and read the diff"

    def test_a_change_is_noticed(self, tmp_path: Path) -> None:
        files = generated_files()
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        assert stale_files(tmp_path) == []
        gone = Path("snapshots/operations/contacts.forgotten.json")
        (tmp_path / gone).write_text("{}")
        (tmp_path / "openapi.json").write_text("{}")
        assert stale_files(tmp_path) == [Path("openapi.json"), gone]

    def test_every_variable_has_its_line(self) -> None:
        page = generated_files()[Path("docs/reference/settings.md")]
        named = {
            variable
            for path in Path(chatwright.__path__[0]).rglob("*.py")
            for variable in re.findall(r"\bCHATWRIGHT_[A-Z_]+\b", path.read_text())
        }
        assert sorted(variable for variable in named if f"`{variable}`" not in page) == []
