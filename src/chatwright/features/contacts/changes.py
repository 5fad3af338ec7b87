"""From what somebody gives to what a contact becomes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

from chatwright.features.contacts.addresses import read_phone
from chatwright.features.contacts.fields import store as fields_store
from chatwright.features.contacts.fields.models import ContactField
from chatwright.features.contacts.fields.values import read_value
from chatwright.features.contacts.models import ContactProfile
from chatwright.features.contacts.profiles import Profile
from chatwright.kernel.errors import FieldProblem, InvalidInput

_PLAIN: Final = ("name", "first_name", "last_name", "locale", "timezone")


async def known_fields(workspace_id: UUID, keys: Iterable[str]) -> dict[str, ContactField]:
    """The custom fields of these keys, kept from being deleted until the transaction ends."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    return {field.key: field for field in await fields_store.HOLD_FIELDS.all(workspace_id, wanted)}


def changed(before: Profile, given: ContactProfile, fields: Mapping[str, ContactField]) -> Profile:
    """The profile with what is given put in; raises InvalidInput naming everything at fault."""
    problems: list[FieldProblem] = []

    def read(path: str, reader: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the reader reads.
        try:
            return reader()
        except ValueError as error:
            problems.append(FieldProblem(path=path, message=str(error)))
            return None

    news: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(given, name)) is not None}
    if given.timezone is not None:
        read("timezone", lambda: _check_timezone(given.timezone))
    if given.emails is not None:
        news["emails"] = _once(email.lower() for email in given.emails)
    if given.phones is not None:
        news["phones"] = _once(
            read(f"phones.{at}", lambda text=text: read_phone(text, given.region))
            for at, text in enumerate(given.phones)
        )
    values = dict(before.fields)
    for key, value in given.fields.items():
        if value is None:
            values.pop(key, None)
        else:
            values[key] = read(
                f"fields.{key}", lambda key=key, value=value: _value(fields, key, value, given)
            )
    if problems:
        words = "; ".join(f"{problem.path}: {problem.message}" for problem in problems[:5])
        message = f"The contact cannot be kept like this: {words}"
        raise InvalidInput(message, fields=problems)
    return replace(before, **news, fields=values)


def cleared(profile: Profile, names: Iterable[str]) -> Profile:
    """The profile without these."""
    return replace(profile, **dict.fromkeys(names))


def differences(before: Profile, after: Profile) -> list[str]:
    """The names of what differs; a custom field as `fields.` and its key."""
    plain = [name for name in (*_PLAIN, "emails", "phones") if getattr(before, name) != getattr(after, name)]
    keys = sorted(before.fields.keys() | after.fields.keys())
    return plain + [f"fields.{key}" for key in keys if before.fields.get(key) != after.fields.get(key)]


def with_full_name(profile: Profile) -> Profile:
    """The profile with a name made of its parts where it has none."""
    parts = " ".join(filter(None, (profile.first_name, profile.last_name)))
    return replace(profile, name=profile.name or parts or None)


def _value(fields: Mapping[str, ContactField], key: str, value: Any, given: ContactProfile) -> Any:  # noqa: ANN401
    field = fields.get(key)
    if field is None:
        message = "There is no such custom field."
        raise ValueError(message)
    return read_value(field, value, given.region)


def _once(texts: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text is not None))


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_timezone(name: str | None) -> None:
    if name not in _timezones():
        message = "This is not an IANA time zone."
        raise ValueError(message)
