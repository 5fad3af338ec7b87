"""A contact's own data, and the columns that follow from it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from chatwright.features.contacts.addresses import national_digits
from chatwright.features.contacts.folding import fold, search_words

_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Profile:
    """What people know of a contact. `fields` holds custom values by key, as they are kept in JSON."""

    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    emails: list[str] = field(default_factory=list[str])
    phones: list[str] = field(default_factory=list[str])
    locale: str | None = None
    timezone: str | None = None
    fields: dict[str, Any] = field(default_factory=dict[str, Any])

    def columns(self) -> tuple[object, ...]:
        """The values of `store.PROFILE_COLUMNS`, in their order."""
        return (
            self.name,
            self.first_name,
            self.last_name,
            self.emails,
            self.phones,
            self.locale,
            self.timezone,
            self.fields,
            folded(self),
            search_words(_searchable(self)),
        )


def folded(profile: Profile) -> dict[str, Any]:
    """Every text of a profile in its comparable form, for filters."""
    plain = {
        "name": profile.name,
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "locale": profile.locale,
        "timezone": profile.timezone,
    }
    return {
        **{key: fold(text) for key, text in plain.items() if text is not None},
        "email": [fold(email) for email in profile.emails],
        "phone": list(profile.phones),
        "fields": {key: fold(value) for key, value in profile.fields.items() if isinstance(value, str)},
    }


def _searchable(profile: Profile) -> Iterator[str]:
    yield from filter(None, (profile.name, profile.first_name, profile.last_name))
    yield from profile.emails
    for phone in profile.phones:
        yield phone
        yield national_digits(phone)
    for value in profile.fields.values():
        if isinstance(value, str) and not _MOMENT.match(value):
            yield value
