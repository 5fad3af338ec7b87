"""The language of filters: conditions on contacts, nested with and, or and not.

Text is compared without regard to case and accents. A contact with several e-mails or phones meets a condition
when one of them does, and its opposite (`not_...`) when none does. Nothing set meets no condition but
`is_not_set` and the opposites.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, TypeAdapter, model_validator
from typing_extensions import TypeAliasType

from chatwright.features.contacts.values import ChannelName, Decimal, InboxIds, Name, Whole
from chatwright.kernel.moments import Moment
from chatwright.kernel.operation import Input

MAX_DEPTH: Final = 8
MAX_CONDITIONS: Final = 100

CUSTOM: Final = "fields."
_OWN = r"^fields\.[a-z][a-z0-9_]{0,49}$"

OwnField = Annotated[str, Field(pattern=_OWN, examples=["fields.shoe_size"])]
Number = Whole | Decimal
Presence = Literal["is_set", "is_not_set"]
_PRESENCE: Final = ("is_set", "is_not_set")


class TextCondition(Input):
    """A condition on text: a name, an address, or a custom field of kind text, email, phone, url or choice."""

    type: Literal["text"]
    """The kind of condition."""
    field: Literal["name", "first_name", "last_name", "email", "phone", "locale", "timezone"] | OwnField
    """What to look at; a custom field as `fields.` and its key."""
    operator: (
        Literal["equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with"] | Presence
    )
    """How to compare."""
    value: Name | None = None
    """What to compare with; none for `is_set` and `is_not_set`."""

    @model_validator(mode="after")
    def _fits(self) -> "TextCondition":
        _check_operands(self.operator, self.value)
        return self


class NumberCondition(Input):
    """A condition on a custom field of kind number."""

    type: Literal["number"]
    """The kind of condition."""
    field: OwnField
    """The custom field as `fields.` and its key."""
    operator: (
        Literal["equals", "not_equals", "less_than", "at_most", "more_than", "at_least", "between"] | Presence
    )
    """How to compare; `between` includes both ends."""
    value: Number | None = None
    """What to compare with, the lower end for `between`."""
    to: Number | None = None
    """The upper end for `between`."""

    @model_validator(mode="after")
    def _fits(self) -> "NumberCondition":
        _check_operands(self.operator, self.value, self.to)
        return self


class BooleanCondition(Input):
    """A condition on whether the contact is blocked, or on a custom field of kind boolean."""

    type: Literal["boolean"]
    """The kind of condition."""
    field: Literal["blocked"] | OwnField
    """What to look at; a custom field as `fields.` and its key."""
    operator: Literal["is_true", "is_false"] | Presence
    """How to compare; a field without a value is neither true nor false."""


class DateCondition(Input):
    """A condition on a custom field of kind date."""

    type: Literal["date"]
    """The kind of condition."""
    field: OwnField
    """The custom field as `fields.` and its key."""
    operator: Literal["on", "before", "after", "between"] | Presence
    """How to compare; `between` includes both ends."""
    value: date | None = None
    """What to compare with, the first day for `between`."""
    to: date | None = None
    """The last day for `between`."""

    @model_validator(mode="after")
    def _fits(self) -> "DateCondition":
        _check_operands(self.operator, self.value, self.to)
        return self


class MomentCondition(Input):
    """A condition on when a contact was made or changed, or on a custom field of kind datetime."""

    type: Literal["datetime"]
    """The kind of condition."""
    field: Literal["created_at", "updated_at"] | OwnField
    """What to look at; a custom field as `fields.` and its key."""
    operator: Literal["before", "after", "between", "in_last_days", "not_in_last_days"] | Presence
    """How to compare; `between` includes both ends, `in_last_days` means that long before now until now."""
    value: Moment | None = None
    """What to compare with, the earlier end for `between`."""
    to: Moment | None = None
    """The later end for `between`."""
    days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """How many times 24 hours, for `in_last_days` and `not_in_last_days`."""

    @model_validator(mode="after")
    def _fits(self) -> "MomentCondition":
        relative = self.operator in ("in_last_days", "not_in_last_days")
        if relative != (self.days is not None):
            message = "days goes with in_last_days and not_in_last_days, and only with them."
            raise ValueError(message)
        if not relative:
            _check_operands(self.operator, self.value, self.to)
        elif self.value is not None or self.to is not None:
            message = f"{self.operator} takes days, not value or to."
            raise ValueError(message)
        return self


class ChoiceCondition(Input):
    """A condition on a custom field of kind choice."""

    type: Literal["choice"]
    """The kind of condition."""
    field: OwnField
    """The custom field as `fields.` and its key."""
    operator: Literal["any_of", "none_of"]
    """Whether the choice is one of these, or none of them (or not made)."""
    values: Annotated[list[Name], Field(min_length=1, max_length=100)]
    """The choices."""


class TagCondition(Input):
    """A condition on the contact's tags."""

    type: Literal["tag"]
    """The kind of condition."""
    operator: Literal["any_of", "all_of", "none_of"]
    """Whether it carries one of these, all of them, or none."""
    tags: Annotated[list[Name], Field(min_length=1, max_length=50)]
    """Names of tags."""


class ConsentCondition(Input):
    """A condition on the contact's latest word about a channel."""

    type: Literal["consent"]
    """The kind of condition."""
    channel: ChannelName
    """The channel, e.g. `whatsapp`."""
    state: Literal["opted_in", "opted_out", "unknown"]
    """What they last said; `unknown` when they never said anything."""


class InboxCondition(Input):
    """A condition on the inboxes where the contact is known."""

    type: Literal["inbox"]
    """The kind of condition."""
    operator: Literal["any_of", "none_of"]
    """Whether it is known in one of these, or in none."""
    inbox_ids: InboxIds
    """Ids of inboxes."""


class AllOf(Input):
    """True when every filter in it is."""

    type: Literal["and"]
    """The kind of filter."""
    filters: Annotated[list["Filter"], Field(min_length=1, max_length=50)]
    """What has to be true."""


class AnyOf(Input):
    """True when one filter in it is."""

    type: Literal["or"]
    """The kind of filter."""
    filters: Annotated[list["Filter"], Field(min_length=1, max_length=50)]
    """What may be true."""


class Not(Input):
    """True when the filter in it is not."""

    type: Literal["not"]
    """The kind of filter."""
    filter: "Filter"
    """What must not be true."""


Condition = (
    TextCondition
    | NumberCondition
    | BooleanCondition
    | DateCondition
    | MomentCondition
    | ChoiceCondition
    | TagCondition
    | ConsentCondition
    | InboxCondition
)
Node = AllOf | AnyOf | Not | Condition
Filter = TypeAliasType("Filter", Annotated[Node, Field(discriminator="type")])


def _check_operands(operator: str, first: object, second: object = None) -> None:
    wanted = 0 if operator in _PRESENCE else 2 if operator == "between" else 1
    given = (first is not None) + (second is not None)
    if given != wanted or (wanted == 1 and first is None):
        words = {0: "neither value nor to", 1: "value", 2: "value and to"}[wanted]
        message = f"{operator} takes {words}."
        raise ValueError(message)


def conditions_of(node: Node) -> Iterator[Condition]:
    """All conditions of a filter, depth first."""
    if isinstance(node, AllOf | AnyOf):
        for inner in node.filters:
            yield from conditions_of(inner)
    elif isinstance(node, Not):
        yield from conditions_of(node.filter)
    else:
        yield node


def own_fields_of(node: Node) -> set[str]:
    """The keys of the custom fields that a filter looks at."""
    return {key for condition in conditions_of(node) if (key := own_key(condition)) is not None}


def own_key(condition: Condition) -> str | None:
    """The key of the custom field that a condition looks at, if it does."""
    if isinstance(condition, TagCondition | ConsentCondition | InboxCondition):
        return None
    return condition.field.removeprefix(CUSTOM) if condition.field.startswith(CUSTOM) else None


def tags_of(node: Node) -> set[str]:
    """The names of the tags that a filter looks at."""
    return {
        tag
        for condition in conditions_of(node)
        if isinstance(condition, TagCondition)
        for tag in condition.tags
    }


def inboxes_of(node: Node) -> set[UUID]:
    """The ids of the inboxes that a filter looks at."""
    return {
        inbox_id
        for condition in conditions_of(node)
        if isinstance(condition, InboxCondition)
        for inbox_id in condition.inbox_ids
    }


def _depth(node: Node) -> int:
    if isinstance(node, AllOf | AnyOf):
        return 1 + max(_depth(inner) for inner in node.filters)
    return 1 + _depth(node.filter) if isinstance(node, Not) else 1


def _within_limits(node: Node) -> Node:
    if _depth(node) > MAX_DEPTH:
        message = f"A filter may be nested {MAX_DEPTH} deep at most."
        raise ValueError(message)
    if sum(1 for _ in conditions_of(node)) > MAX_CONDITIONS:
        message = f"A filter may have {MAX_CONDITIONS} conditions at most."
        raise ValueError(message)
    return node


ContactFilter = Annotated[Filter, AfterValidator(_within_limits)]
"""A filter as it comes in: within the limits of depth and size."""

for _model in (AllOf, AnyOf, Not):
    _model.model_rebuild()

FILTER: Final[TypeAdapter[Filter]] = TypeAdapter(Filter)
"""Reads filters that were kept; they were within the limits when they came in."""
