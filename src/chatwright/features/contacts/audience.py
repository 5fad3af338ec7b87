"""Filters as SQL: which contacts meet one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    any_,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT, TIMESTAMP, TSQUERY, UUID as PG_UUID, asyncpg

from chatwright.features.contacts.errors import FieldMismatch, UnknownField
from chatwright.features.contacts.fields.models import ContactField
from chatwright.features.contacts.fields.values import written_moment
from chatwright.features.contacts.filters import (
    AllOf,
    AnyOf,
    BooleanCondition,
    ChoiceCondition,
    ConsentCondition,
    DateCondition,
    InboxCondition,
    MomentCondition,
    Node,
    Not,
    NumberCondition,
    TagCondition,
    TextCondition,
    conditions_of,
    own_key,
)
from chatwright.features.contacts.folding import fold, tag_key
from chatwright.features.contacts.tables import (
    contact_consents,
    contact_identities,
    contact_tags,
    contacts,
    tags,
)
from chatwright.kernel.errors import FieldProblem

Clause = ColumnElement[bool]
_DIALECT: Final = asyncpg.dialect()
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("text", "email", "phone", "url", "choice"),
    "number": ("number",),
    "boolean": ("boolean",),
    "date": ("date",),
    "datetime": ("datetime",),
    "choice": ("choice",),
}
"""Which kinds of custom field a type of condition is for."""
_MANY: Final = ("email", "phone")


@dataclass(frozen=True, slots=True)
class Query:
    """SQL with its arguments, ready for asyncpg."""

    sql: str
    args: Sequence[object]


def compiled(statement: Select[Any]) -> Query:
    """Turn a statement of SQLAlchemy Core into text and arguments."""
    result = statement.compile(dialect=_DIALECT)
    names = result.positiontup or ()
    return Query(result.string, [result.params[name] for name in names])


def check_fields(node: Node, fields: Mapping[str, ContactField]) -> None:
    """Raise UnknownField or FieldMismatch unless every custom field in the filter exists and is of the right kind."""
    for condition in conditions_of(node):
        key = own_key(condition)
        if key is None:
            continue
        field = fields.get(key)
        if field is None:
            message = f"There is no custom field '{key}'."
            raise UnknownField(message, fields=[FieldProblem(path="filter", message=message)])
        if field.kind not in _KINDS[condition.type]:
            message = f"The custom field '{key}' is of kind {field.kind}; {condition.type} does not fit it."
            raise FieldMismatch(message, fields=[FieldProblem(path="filter", message=message)])


def clause_of(node: Node, now: datetime) -> Clause:  # noqa: C901, PLR0911 - one line for each kind of node.
    """The filter as a condition on `contacts` that is true or false, never null."""
    match node:
        case AllOf():
            return and_(*(clause_of(inner, now) for inner in node.filters))
        case AnyOf():
            return or_(*(clause_of(inner, now) for inner in node.filters))
        case Not():
            return not_(clause_of(node.filter, now))
        case TextCondition():
            return _text(node)
        case NumberCondition():
            return _number(node)
        case BooleanCondition():
            return _boolean(node)
        case DateCondition():
            return _date(node)
        case MomentCondition():
            return _moment(node, now)
        case ChoiceCondition():
            return _choice(node)
        case TagCondition():
            return _tags(node)
        case ConsentCondition():
            return _consent(node)
        case InboxCondition():
            known = seen_in(node.inbox_ids)
            return known if node.operator == "any_of" else not_(known)


def seen_in(inbox_ids: Sequence[UUID]) -> Clause:
    """That the contact is known in one of these inboxes."""
    return exists(
        select(1).where(
            contact_identities.c.contact_id == contacts.c.id,
            contact_identities.c.inbox_id == any_(literal(list(inbox_ids), ARRAY(PG_UUID))),
        )
    )


def carrying(tag_ids: Sequence[UUID]) -> Clause:
    """That the contact carries one of these tags."""
    return exists(
        select(1).where(
            contact_tags.c.contact_id == contacts.c.id,
            contact_tags.c.tag_id == any_(literal(list(tag_ids), ARRAY(PG_UUID))),
        )
    )


def known_by(value: str, inbox_ids: Sequence[UUID] | None) -> Clause:
    """That a channel knows the contact by this name, in one of these inboxes or in any."""
    identity = contact_identities.c
    known = select(1).where(identity.contact_id == contacts.c.id, identity.value == _word(value))
    if inbox_ids is not None:
        known = known.where(identity.inbox_id == any_(literal(list(inbox_ids), ARRAY(PG_UUID))))
    return exists(known)


def found_by(query: str) -> Clause:
    """That the contact's words match a tsquery, given in PostgreSQL's notation."""
    return contacts.c.search_vector.bool_op("@@")(cast(literal(query, TEXT), TSQUERY))


def _sure(clause: Clause) -> Clause:
    """What is unknown is not so."""
    return func.coalesce(clause, false())


def _word(text: str) -> ColumnElement[str]:
    return literal(text, TEXT)


def _words(texts: Sequence[str]) -> ColumnElement[Any]:
    return any_(literal(list(texts), ARRAY(TEXT)))


def text_operand(condition: TextCondition) -> str:
    """What a condition on text compares with, in the form in which contacts keep it."""
    value = condition.value or ""
    return re.sub(r"[\s().-]", "", value) if condition.field == "phone" else fold(value)


def _text(condition: TextCondition) -> Clause:
    operator = condition.operator
    if operator.startswith("not_"):
        return not_(_some_text(condition, _TEXT_TESTS[operator.removeprefix("not_")]))
    if operator in ("is_set", "is_not_set"):
        there = _some_text(condition, lambda column, _: column.is_not(None))
        return there if operator == "is_set" else not_(there)
    return _some_text(condition, _TEXT_TESTS[operator])


TextTest = Callable[[ColumnElement[str], str], Clause]
_TEXT_TESTS: Final[Mapping[str, TextTest]] = {
    "equals": lambda column, text: column == _word(text),
    "contains": lambda column, text: func.strpos(column, _word(text)) > 0,
    "starts_with": lambda column, text: func.starts_with(column, _word(text)),
    "ends_with": lambda column, text: func.right(column, len(text)) == _word(text),
}


def _some_text(condition: TextCondition, test: TextTest) -> Clause:
    """That the test holds for the text, or for one of several."""
    operand = text_operand(condition)
    key = own_key(condition)
    if condition.field in _MANY:
        each = func.jsonb_array_elements_text(contacts.c.folded[condition.field]).column_valued("each")
        return exists(select(1).where(test(each, operand)))
    column = contacts.c.folded[condition.field] if key is None else contacts.c.folded["fields"][key]
    return _sure(test(column.astext, operand))


def _custom(key: str | None) -> Any:  # noqa: ANN401 - SQLAlchemy has no public type for a JSON element.
    return contacts.c.fields[key]


def _presence(there: Clause, operator: str) -> Clause:
    return there if operator == "is_set" else not_(there)


def _number(condition: NumberCondition) -> Clause:
    column = _custom(own_key(condition))
    number = _sure(func.jsonb_typeof(column) == _word("number"))
    value, to = literal(condition.value, JSONB), literal(condition.to, JSONB)
    tests = {
        "equals": column == value,
        "less_than": column < value,
        "at_most": column <= value,
        "more_than": column > value,
        "at_least": column >= value,
        "between": and_(column >= value, column <= to),
    }
    match condition.operator:
        case "is_set" | "is_not_set":
            return _presence(number, condition.operator)
        case "not_equals":
            return not_(and_(number, _sure(tests["equals"])))
        case _:
            return and_(number, _sure(tests[condition.operator]))


def _boolean(condition: BooleanCondition) -> Clause:
    if condition.field == "blocked":
        blocked = contacts.c.blocked_at.is_not(None)
        clauses = {"is_true": blocked, "is_false": not_(blocked), "is_set": true(), "is_not_set": false()}
        return clauses[condition.operator]
    column = _custom(own_key(condition))
    match condition.operator:
        case "is_true":
            return _sure(column == literal(True, JSONB))  # noqa: FBT003 - a value, not a switch.
        case "is_false":
            return _sure(column == literal(False, JSONB))  # noqa: FBT003 - the same.
        case "is_set" | "is_not_set":
            return _presence(_sure(func.jsonb_typeof(column) == _word("boolean")), condition.operator)


def _date(condition: DateCondition) -> Clause:
    column = _custom(own_key(condition)).astext.collate("C")
    value, to = (_word(day.isoformat()) if day else _word("") for day in (condition.value, condition.to))
    match condition.operator:
        case "is_set" | "is_not_set":
            return _presence(column.is_not(None), condition.operator)
        case "on":
            return _sure(column == value)
        case "before":
            return _sure(column < value)
        case "after":
            return _sure(column > value)
        case "between":
            return _sure(and_(column >= value, column <= to))


def _moment(condition: MomentCondition, now: datetime) -> Clause:
    key = own_key(condition)
    column: ColumnElement[Any] = (
        contacts.c[condition.field] if key is None else _custom(key).astext.collate("C")
    )

    def at(moment: datetime) -> ColumnElement[Any]:
        return literal(moment, TIMESTAMP(timezone=True)) if key is None else _word(written_moment(moment))

    value, to = condition.value or now, condition.to or now
    match condition.operator:
        case "is_set" | "is_not_set":
            return _presence(column.is_not(None), condition.operator)
        case "before":
            return _sure(column < at(value))
        case "after":
            return _sure(column > at(value))
        case "between":
            return _sure(and_(column >= at(value), column <= at(to)))
        case "in_last_days" | "not_in_last_days":
            since = now - timedelta(days=condition.days or 0)
            recent = _sure(and_(column >= at(since), column <= at(now)))
            return recent if condition.operator == "in_last_days" else not_(recent)


def _choice(condition: ChoiceCondition) -> Clause:
    column = contacts.c.folded["fields"][own_key(condition)].astext
    chosen = _sure(column == _words([fold(value) for value in condition.values]))
    return chosen if condition.operator == "any_of" else not_(chosen)


def _tags(condition: TagCondition) -> Clause:
    keys = [tag_key(name) for name in condition.tags]
    if condition.operator == "all_of":
        return and_(*(tagged([key]) for key in keys))
    return tagged(keys) if condition.operator == "any_of" else not_(tagged(keys))


def tagged(keys: Sequence[str]) -> Clause:
    """That the contact carries a tag with one of these keys."""
    return exists(
        select(1)
        .select_from(contact_tags.join(tags, tags.c.id == contact_tags.c.tag_id))
        .where(contact_tags.c.contact_id == contacts.c.id, tags.c.key == _words(keys))
    )


def _consent(condition: ConsentCondition) -> Clause:
    said = contact_consents.c
    latest = (
        select(said.state)
        .where(said.contact_id == contacts.c.id, said.channel == _word(condition.channel))
        .order_by(said.given_at.desc(), said.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return latest.is_(None) if condition.state == "unknown" else _sure(latest == _word(condition.state))
