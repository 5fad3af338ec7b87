"""Filters in SQL mean what they say: compared with an evaluator in plain Python over random contacts."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import Phase, given, settings, strategies as st

from chatwright.app.wiring import Product
from chatwright.features.contacts.fields.operations import create_field
from chatwright.features.contacts.folding import fold
from chatwright.features.contacts.operations import (
    block_contact,
    create_contact,
    filter_contacts,
    record_consent,
)
from chatwright.features.contacts.segments.operations import preview_segment
from chatwright.kernel.ids import new_id
from tests.conftest import Desk, open_desk
from tests.features.messaging.paper import paper_inbox

INBOXES = ["<one>", "<two>"]
"""They become real ones for each example."""
CHOICES = ["red", "Đen", "blue"]
KINDS = {
    "words": "text",
    "size": "number",
    "member": "boolean",
    "birthday": "date",
    "seen": "datetime",
    "colour": "choice",
}
WORDS = st.sampled_from(
    ["Anna", "anna", "Ánna", "Đặng", "dang", "an", "Straße", "a%b_c", "ﬁn", "İz", "n", " x y"]
)
EMAILS = st.sampled_from(["anna@example.com", "dang@example.com", "x@anna.example.com"])
PHONES = st.sampled_from(["+84901234567", "+84901234568", "+442079460958"])
NUMBERS = st.sampled_from([-1, 0, 0.1, 0.3, 1, 1.0, 2.5, 10, 1e15])
DATES = st.sampled_from(["0001-01-01", "1999-12-31", "2026-02-28", "2026-03-01"])
MOMENTS = st.sampled_from(
    ["1970-01-01T00:00:00Z", "2026-11-01T00:00:00+07:00", "2026-10-31T17:00:00Z", "2999-01-01T00:00:00Z"]
)
TAGS = st.sampled_from(["vip", "VIP", "mới", "moi", "Old"])
CHANNELS = st.sampled_from(["email", "sms"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def contacts(draw: st.DrawFn) -> dict[str, Any]:
    """A contact to create, with what happens to it afterwards under `blocked` and `consents`."""
    values = {
        "words": draw(maybe(WORDS)),
        "size": draw(maybe(NUMBERS)),
        "member": draw(maybe(st.booleans())),
        "birthday": draw(maybe(DATES)),
        "seen": draw(maybe(MOMENTS)),
        "colour": draw(maybe(st.sampled_from(CHOICES))),
    }
    inboxes = draw(st.sets(st.sampled_from(INBOXES)))
    return {
        "name": draw(maybe(WORDS)),
        "emails": draw(st.lists(EMAILS, max_size=2)),
        "phones": draw(st.lists(PHONES, max_size=2)),
        "locale": draw(maybe(st.sampled_from(["vi", "en-GB"]))),
        "fields": {key: value for key, value in values.items() if value is not None},
        "tags": draw(st.lists(TAGS, max_size=3)),
        "identities": [
            {"inbox_id": inbox, "kind": "visitor", "value": str(new_id())} for inbox in sorted(inboxes)
        ],
        "blocked": draw(st.booleans()),
        "consents": draw(
            st.lists(st.tuples(CHANNELS, st.sampled_from(["opted_in", "opted_out"])), max_size=3)
        ),
    }


def compared(kind: str, field: str, value: st.SearchStrategy[Any], *operators: str) -> st.SearchStrategy[Any]:
    plain = st.fixed_dictionaries(
        {
            "type": st.just(kind),
            "field": st.just(field),
            "operator": st.sampled_from(operators),
            "value": value,
        }
    )
    presence = st.fixed_dictionaries(
        {
            "type": st.just(kind),
            "field": st.just(field),
            "operator": st.sampled_from(["is_set", "is_not_set"]),
        }
    )
    return plain | presence


def between(kind: str, field: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "type": st.just(kind),
            "field": st.just(field),
            "operator": st.just("between"),
            "value": value,
            "to": value,
        }
    )


TEXT = ("equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with")
NUMBER = ("equals", "not_equals", "less_than", "at_most", "more_than", "at_least")
CONDITIONS = st.one_of(
    *(compared("text", field, WORDS, *TEXT) for field in ("name", "first_name", "fields.words")),
    compared("text", "email", EMAILS | st.sampled_from(["anna", "EXAMPLE.com", "dang"]), *TEXT),
    compared("text", "phone", PHONES | st.sampled_from(["+84", "090 123", "4567"]), *TEXT),
    compared("text", "locale", st.sampled_from(["vi", "EN"]), *TEXT),
    compared("text", "fields.colour", st.sampled_from([*CHOICES, "den"]), *TEXT),
    compared("number", "fields.size", NUMBERS, *NUMBER),
    between("number", "fields.size", NUMBERS),
    st.fixed_dictionaries(
        {
            "type": st.just("boolean"),
            "field": st.sampled_from(["blocked", "fields.member"]),
            "operator": st.sampled_from(["is_true", "is_false", "is_set", "is_not_set"]),
        }
    ),
    compared("date", "fields.birthday", DATES, "on", "before", "after"),
    between("date", "fields.birthday", DATES),
    *(compared("datetime", field, MOMENTS, "before", "after") for field in ("created_at", "fields.seen")),
    *(between("datetime", field, MOMENTS) for field in ("updated_at", "fields.seen")),
    st.fixed_dictionaries(
        {
            "type": st.just("datetime"),
            "field": st.sampled_from(["created_at", "fields.seen"]),
            "operator": st.sampled_from(["in_last_days", "not_in_last_days"]),
            "days": st.sampled_from([1, 36_500]),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("choice"),
            "field": st.just("fields.colour"),
            "operator": st.sampled_from(["any_of", "none_of"]),
            "values": st.lists(st.sampled_from([*CHOICES, "RED", "green"]), min_size=1, max_size=2),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("tag"),
            "operator": st.sampled_from(["any_of", "all_of", "none_of"]),
            "tags": st.lists(TAGS, min_size=1, max_size=2),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("consent"),
            "channel": CHANNELS,
            "state": st.sampled_from(["opted_in", "opted_out", "unknown"]),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("inbox"),
            "operator": st.sampled_from(["any_of", "none_of"]),
            "inbox_ids": st.lists(st.sampled_from(INBOXES), min_size=1, max_size=2),
        }
    ),
)
FILTERS = st.recursive(
    CONDITIONS,
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.sampled_from(["and", "or"]), "filters": st.lists(inner, min_size=1, max_size=3)}
        )
        | st.fixed_dictionaries({"type": st.just("not"), "filter": inner})
    ),
    max_leaves=6,
)


def meets(contact: dict[str, Any], node: dict[str, Any]) -> bool:  # noqa: PLR0911 - one for each kind of node.
    """The language of filters, said once more in plain Python over a contact as `get_contact` shows it."""
    match node["type"]:
        case "and":
            return all(meets(contact, inner) for inner in node["filters"])
        case "or":
            return any(meets(contact, inner) for inner in node["filters"])
        case "not":
            return not meets(contact, node["filter"])
        case "tag":
            carried = {tag.casefold() for tag in contact["tags"]}
            asked = [tag.casefold() in carried for tag in node["tags"]]
            return {"any_of": any(asked), "all_of": all(asked), "none_of": not any(asked)}[node["operator"]]
        case "inbox":
            known = {identity["inbox_id"] for identity in contact["identities"]} & set(node["inbox_ids"])
            return bool(known) == (node["operator"] == "any_of")
        case "consent":
            said = {consent["channel"]: consent["state"] for consent in contact["consents"]}
            return said.get(node["channel"], "unknown") == node["state"]
        case _:
            return meets_value(values_of(contact, node["field"]), node)


def values_of(contact: dict[str, Any], field: str) -> list[Any]:
    """What a field holds: nothing, one value, or several e-mails or phones."""
    if field in ("email", "phone"):
        return contact[f"{field}s"]
    value = contact["fields"].get(field[7:]) if field.startswith("fields.") else contact[field]
    return [] if value is None else [value]


def meets_value(values: list[Any], node: dict[str, Any]) -> bool:
    operator = node["operator"]
    if operator in ("is_set", "is_not_set"):
        return bool(values) == (operator == "is_set")
    if operator.startswith(("not_", "none_")):
        return not meets_value(values, node | {"operator": POSITIVE[operator]})
    return any(TESTS[node["type"]](value, node) for value in values)


POSITIVE = {
    "not_equals": "equals",
    "not_contains": "contains",
    "none_of": "any_of",
    "not_in_last_days": "in_last_days",
}


def text_meets(value: str, node: dict[str, Any]) -> bool:
    phone = node["field"] == "phone"
    have, asked = fold(value), re.sub(r"\s", "", node["value"]) if phone else fold(node["value"].strip())
    return {
        "equals": have == asked,
        "contains": asked in have,
        "starts_with": have.startswith(asked),
        "ends_with": have.endswith(asked),
    }[node["operator"]]


def number_meets(value: float, node: dict[str, Any]) -> bool:
    asked, to = node["value"], node.get("to", 0)
    return {
        "equals": value == asked,
        "less_than": value < asked,
        "at_most": value <= asked,
        "more_than": value > asked,
        "at_least": value >= asked,
        "between": asked <= value <= to,
    }[node["operator"]]


def moment_meets(value: str, node: dict[str, Any]) -> bool:
    have = moment(value)
    if node["operator"] == "in_last_days":
        now = datetime.now(UTC)
        return now - timedelta(days=node["days"]) <= have <= now
    asked, to = moment(node["value"]), moment(node.get("to", node["value"]))
    return {
        "on": have == asked,
        "before": have < asked,
        "after": have > asked,
        "between": asked <= have <= to,
    }[node["operator"]]


def moment(text: str) -> datetime:
    """A date or a moment; dates all in one time zone, so that they compare."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


TESTS: dict[str, Callable[[Any, dict[str, Any]], bool]] = {
    "text": text_meets,
    "number": number_meets,
    "boolean": lambda value, node: value == (node["operator"] == "is_true"),
    "date": moment_meets,
    "datetime": moment_meets,
    "choice": lambda value, node: fold(value) in {fold(choice) for choice in node["values"]},
}


async def settle(desk: Desk, given_contact: dict[str, Any]) -> dict[str, Any]:
    """Create a contact as drawn; returns it as the product shows it."""
    drawn = dict(given_contact)
    blocked, consents = drawn.pop("blocked"), drawn.pop("consents")
    contact = await desk.call(create_contact, **drawn)
    for channel, state in consents:
        contact = await desk.call(
            record_consent, contact_id=contact["id"], channel=channel, state=state, source="test"
        )
    return await desk.call(block_contact, contact_id=contact["id"]) if blocked else contact


async def with_real_inboxes(desk: Desk, drawn: Any) -> Any:
    """What was drawn, with inboxes of this workspace in place of their names."""
    text = orjson.dumps(drawn).decode()
    for name in INBOXES:
        text = text.replace(name, str(await paper_inbox(desk)))
    return orjson.loads(text)


async def open_desk_with_fields(product: Product) -> Desk:
    desk = await open_desk(product)
    for key, kind in KINDS.items():
        await desk.call(create_field, key=key, kind=kind, choices=CHOICES if kind == "choice" else [])
    return desk


class TestFilters:
    # Shrinking means thousands of contacts made; the example is small enough as it was drawn.
    @settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
    @given(
        drawn=st.lists(contacts(), min_size=1, max_size=6),
        filters=st.lists(FILTERS, min_size=10, max_size=20),
    )
    async def test_sql_and_python_agree(
        self, product: Product, drawn: list[dict[str, Any]], filters: list[dict[str, Any]]
    ) -> None:
        desk = await open_desk_with_fields(product)
        drawn, filters = await with_real_inboxes(desk, [drawn, filters])
        made = [await settle(desk, contact) for contact in drawn]
        for node in filters:
            page = await desk.call(filter_contacts, filter=node)
            preview = await desk.call(preview_segment, filter=node)
            expected = {contact["id"] for contact in made if meets(contact, node)}
            assert {contact["id"] for contact in page["items"]} == expected, node
            assert preview["count"] == len(expected), node
