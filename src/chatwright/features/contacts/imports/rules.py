"""From the cells of a row to a contact."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from chatwright.features.contacts.addresses import read_phone
from chatwright.features.contacts.imports.models import ImportColumn, StartImport, Target
from chatwright.features.contacts.models import ContactProfile
from chatwright.kernel.errors import FieldProblem, InvalidInput, field_problems

MAX_TAG: Final = 200
_PLAIN: Final = ("name", "first_name", "last_name", "locale", "timezone")
_LISTS: Final = {"email": "emails", "phone": "phones"}
_OWN_FIELD: Final = re.compile(r"fields\.[a-z][a-z0-9_]{0,49}")
_NAMED: Final = frozenset(get_args(get_args(Target)[0]))


@dataclass(frozen=True, slots=True)
class Row:
    """What one row asks for."""

    contact_id: str | None
    profile: ContactProfile
    tags: list[str]

    def phones(self) -> list[str]:
        """Its phone numbers in E.164, without those that are none."""
        read: list[str] = []
        for text in self.profile.phones or []:
            with contextlib.suppress(ValueError):
                read.append(read_phone(text, self.profile.region))
        return read


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one cell; `column` is empty for the row as a whole."""

    column: str
    message: str


class RowRefused(Exception):
    """A row that cannot be taken."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with every row of a file; kept with the import."""

    columns: list[ImportColumn] | None
    existing: str
    region: str | None
    tags: list[str]


PLAN: Final = TypeAdapter(Plan)


def plan_of(request: StartImport) -> Plan:
    """The part of a request that its rows need."""
    return Plan(request.columns, request.existing, request.region, request.tags)


def placed(header: Sequence[str], columns: Sequence[ImportColumn] | None) -> dict[int, str]:
    """Which target each place of a row goes to; raises InvalidInput when the header does not fit."""
    places = {name.casefold(): place for place, name in reversed(list(enumerate(header)))}
    if columns is None:
        found = {
            place: name for name, place in places.items() if name in _NAMED or _OWN_FIELD.fullmatch(name)
        }
        if not found:
            message = "No column has a name that says what it is; say so in `columns`."
            raise InvalidInput(message, fields=[FieldProblem(path="columns", message=message)])
        return found
    missing = [each.column for each in columns if each.column.casefold() not in places]
    if missing:
        message = f"The header has no column {', '.join(missing)}."
        raise InvalidInput(message, fields=[FieldProblem(path="columns", message=message)])
    return {places[each.column.casefold()]: each.to for each in columns}


def read_row(
    cells: Sequence[str], header: Sequence[str], targets: Mapping[int, str], plan: Plan
) -> Row | None:
    """What a row asks for, None when it is empty; raises RowRefused."""
    if not any(cells):
        return None
    if len(cells) > len(header) and any(cells[len(header) :]):
        raise RowRefused([RowProblem("", "The row has more cells than the header has columns.")])
    given = _given(cells, targets)
    try:
        profile = ContactProfile(region=plan.region, **given)
    except ValidationError as error:
        raise RowRefused(explained(field_problems(error), header, targets)) from error
    tags = [part for cell in _all(cells, targets, "tags") for part in _parts(cell)]
    if any(len(tag) > MAX_TAG for tag in tags):
        problem = FieldProblem(path="tags", message=f"A tag has {MAX_TAG} characters at most.")
        raise RowRefused(explained([problem], header, targets))
    return Row(_one(cells, targets, "id"), profile, tags)


def explained(
    problems: Sequence[FieldProblem], header: Sequence[str], targets: Mapping[int, str]
) -> list[RowProblem]:
    """Problems of a contact as problems of the columns they came from."""
    return [RowProblem(_column(problem.path, header, targets), problem.message) for problem in problems]


def contact_id_of(row: Row) -> UUID | None:
    """The id that a row names; raises RowRefused when it is none."""
    if row.contact_id is None:
        return None
    try:
        return UUID(row.contact_id)
    except ValueError as error:
        raise RowRefused([RowProblem("id", "This is not the id of a contact.")]) from error


def _given(cells: Sequence[str], targets: Mapping[int, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in _PLAIN:
        if cell := _one(cells, targets, name):
            given[name] = cell
    for name, attribute in _LISTS.items():
        if found := [part for cell in _all(cells, targets, name) for part in _parts(cell)]:
            given[attribute] = found
    given["fields"] = {
        target.removeprefix("fields."): cells[place]
        for place, target in targets.items()
        if target.startswith("fields.") and place < len(cells) and cells[place]
    }
    return given


def _all(cells: Sequence[str], targets: Mapping[int, str], name: str) -> Iterator[str]:
    for place, target in sorted(targets.items()):
        if target == name and place < len(cells) and cells[place]:
            yield cells[place]


def _one(cells: Sequence[str], targets: Mapping[int, str], name: str) -> str | None:
    return next(_all(cells, targets, name), None)


def _parts(cell: str) -> list[str]:
    return [part for each in re.split(r"[;,\n]", cell) if (part := each.strip().lstrip("'"))]


def _column(path: str, header: Sequence[str], targets: Mapping[int, str]) -> str:
    """The header's name for a path such as `emails.0` or `fields.size`."""
    name, _, rest = path.partition(".")
    wanted = {"emails": "email", "phones": "phone"}.get(name, name)
    if name == "fields":
        wanted = f"fields.{rest.partition('.')[0]}"
    return next((header[place] for place, target in sorted(targets.items()) if target == wanted), "")
