"""What two contacts become when they merge, and what is taken back when that is undone."""

from collections.abc import Collection
from dataclasses import dataclass, fields as attributes, replace
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from chatwright.features.contacts.models import ContactIdentity
from chatwright.features.contacts.profiles import Profile

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class State:
    """What a merge changes of the contact that stays."""

    profile: Profile
    blocked_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """What a merge did, as far as undoing it needs to know."""

    before: State
    after: State
    identities: list[ContactIdentity]
    notes: list[UUID]
    consents: list[UUID]
    tags: list[UUID]
    """Ids of what moved, and of the tags that the contact had not carried before."""


RECORD: Final = TypeAdapter(Record)
"""Reads records from their JSON."""


def joined(survivor: Profile, absorbed: Profile) -> Profile:
    """The survivor's data, with what it lacks taken from the other; addresses of both."""
    news: dict[str, Any] = {
        each.name: getattr(survivor, each.name) or getattr(absorbed, each.name)
        for each in attributes(Profile)
    }
    return replace(
        survivor,
        **news
        | {
            "emails": list(dict.fromkeys(survivor.emails + absorbed.emails)),
            "phones": list(dict.fromkeys(survivor.phones + absorbed.phones)),
            "fields": absorbed.fields | survivor.fields,
        },
    )


def parted(now: State, before: State, after: State, known_keys: Collection[str]) -> State:
    """The contact as it is now without what a merge had brought; what people changed since stays.

    `before` and `after` are what the merge found and made; `known_keys` are the custom fields there still are.
    """
    profile = _parted_profile(now.profile, before.profile, after.profile, known_keys)
    return State(
        profile,
        _taken_back(now.blocked_at, before.blocked_at, after.blocked_at),
        _taken_back(now.updated_at, before.updated_at, after.updated_at),
    )


def _parted_profile(now: Profile, before: Profile, after: Profile, known_keys: Collection[str]) -> Profile:
    news: dict[str, Any] = {
        each.name: _taken_back(getattr(now, each.name), getattr(before, each.name), getattr(after, each.name))
        for each in attributes(Profile)
    }
    keys = sorted(now.fields.keys() | (before.fields.keys() & set(known_keys)))
    values = {
        key: _taken_back(now.fields.get(key), before.fields.get(key), after.fields.get(key)) for key in keys
    }
    return replace(
        now,
        **news
        | {
            "emails": _without(now.emails, before.emails, after.emails),
            "phones": _without(now.phones, before.phones, after.phones),
            "fields": {key: value for key, value in values.items() if value is not None},
        },
    )


def _taken_back(now: Value, before: Value, after: Value) -> Value:
    """What was before, if nobody changed it since."""
    return before if now == after else now


def _without(now: list[str], before: list[str], after: list[str]) -> list[str]:
    brought = set(after) - set(before)
    return [text for text in now if text not in brought]
