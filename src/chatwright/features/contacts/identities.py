"""Who wrote: from the names under which a channel knows somebody to one contact."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal
from uuid import UUID

from chatwright.features.contacts import store
from chatwright.features.contacts.access import show
from chatwright.features.contacts.addresses import email_from_provider, phone_from_provider
from chatwright.features.contacts.models import Contact, IdentityKey
from chatwright.features.contacts.profiles import Profile
from chatwright.features.contacts.store import Recognised
from chatwright.kernel.errors import InvalidInput
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit
from chatwright.ports.inbound import Person

Names = list[tuple[str, str]]
"""Kinds and values, the address to answer first."""

_MAX_NAME = 200
_MAX_VALUE = 500


async def recognise(workspace_id: UUID, inbox_id: UUID, person: Person) -> UUID:
    """The contact that this person is, in the current transaction; made if nobody is known by these names.

    What is newly learned is kept: further identities, and a name, e-mail, phone or locale where the contact has
    none; what people typed is never overwritten. Where the names belong to several contacts, the first name
    counts, and merging is left to people. The contact stays until the transaction ends: merging and deleting it
    wait. Raises InvalidInput when the person has no identity at all.
    """
    return await _recognise(workspace_id, inbox_id, _clean_names(person), _clean_profile(person))


async def recognise_moved(workspace_id: UUID, inbox_id: UUID, before: Person, now: Person) -> UUID:
    """The contact that was known by other names before and has these now, in the current transaction.

    It keeps all of them, so that whatever still comes under an old name is recognised. Raises InvalidInput when
    one of the two has no identity at all.
    """
    names = list(dict.fromkeys([*_clean_names(before), *_clean_names(now)]))
    return await _recognise(workspace_id, inbox_id, names, _clean_profile(now))


async def known_contact(workspace_id: UUID, inbox_id: UUID, person: Person) -> UUID | None:
    """The contact that this person is, which then stays until the transaction ends; None if nobody is."""
    names = _clean_names(person)
    found = await _find(workspace_id, inbox_id, names)
    return _first(names, found).contact_id if found else None


async def _recognise(workspace_id: UUID, inbox_id: UUID, names: Names, learned: Profile) -> UUID:
    found = await _find(workspace_id, inbox_id, names)
    if len(found) < len(names):
        await _lock(_lock_key(workspace_id, inbox_id, *name) for name in names)
        found = await _find(workspace_id, inbox_id, names)
    if not found:
        return await _make(workspace_id, inbox_id, names, learned)
    known = _first(names, found)
    unknown = [name for name in names if name not in {(row.kind, row.value) for row in found}]
    await _learn(workspace_id, inbox_id, known, learned, unknown)
    return known.contact_id


async def find_contact(workspace_id: UUID, contact_id: UUID) -> Contact:
    """A contact as a caller without limits sees it; of a merged one, the contact that absorbed it.

    Raises ContactNotFound.
    """
    return await show(workspace_id, contact_id, None)


async def lock_identities(workspace_id: UUID, identities: Iterable[IdentityKey]) -> None:
    """Keep everybody else from making a contact of any of these until this transaction ends."""
    await _lock(_lock_key(workspace_id, key.inbox_id, key.kind, key.value) for key in identities)


async def hold_identity(workspace_id: UUID, identity: IdentityKey) -> UUID | None:
    """The contact known by this identity, which then stays until the transaction ends; None if nobody is."""
    found = await store.RECOGNISE.all(workspace_id, identity.inbox_id, [identity.kind], [identity.value])
    return found[0].contact_id if found else None


async def names_of(workspace_id: UUID, contact_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """The names of many contacts at once, for lists that show them."""
    rows = await store.NAMES_OF.all(workspace_id, list(contact_ids))
    return {row["id"]: row["name"] for row in rows}


async def family_of(workspace_id: UUID, contact_id: UUID) -> list[UUID]:
    """The contact's id and those of all contacts merged into it, also at one remove."""
    return await store.FAMILY.all(workspace_id, contact_id)


async def is_blocked(workspace_id: UUID, contact_id: UUID) -> bool:
    """Whether messages of this contact, or of the one that absorbed it, are to be ignored."""
    return await barred(workspace_id, contact_id) == "blocked"


async def barred(workspace_id: UUID, contact_id: UUID) -> Literal["blocked", "deleted"] | None:
    """Why nothing goes to this contact, or to the one that absorbed it, if so."""
    blocked: bool | None = await store.IS_BLOCKED.first(workspace_id, contact_id)
    if blocked is None:
        return "deleted"
    return "blocked" if blocked else None


async def _find(workspace_id: UUID, inbox_id: UUID, names: Names) -> list[Recognised]:
    kinds, values = zip(*names, strict=True)
    return await store.RECOGNISE.all(workspace_id, inbox_id, kinds, values)


async def _lock(keys: Iterable[int]) -> None:
    """Keep everybody else from making a contact of any of these names until this transaction ends."""
    for key in sorted(keys):
        await store.LOCK_IDENTITY.run(key)


def _lock_key(workspace_id: UUID, inbox_id: UUID, kind: str, value: str) -> int:
    name = f"identity\n{workspace_id}\n{inbox_id}\n{kind}\n{value}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _first(names: Names, found: Sequence[Recognised]) -> Recognised:
    by_name = {(row.kind, row.value): row for row in found}
    return next(by_name[name] for name in names if name in by_name)


async def _make(workspace_id: UUID, inbox_id: UUID, names: Names, learned: Profile) -> UUID:
    contact_id = new_id()
    await store.INSERT_CONTACT.run(workspace_id, contact_id, *learned.columns())
    await store.ADD_IDENTITY.many((workspace_id, inbox_id, *name, contact_id) for name in names)
    emit(Event("contact.created", workspace_id, contact_id, inbox_id=inbox_id))
    return contact_id


async def _learn(
    workspace_id: UUID, inbox_id: UUID, known: Recognised, learned: Profile, unknown: Names
) -> None:
    await store.ADD_IDENTITY.many((workspace_id, inbox_id, *name, known.contact_id) for name in unknown)
    filled = await _fill(workspace_id, known, learned)
    if unknown or filled:
        emit(Event("contact.updated", workspace_id, known.contact_id, inbox_id=inbox_id))


async def _fill(workspace_id: UUID, known: Recognised, learned: Profile) -> bool:
    """Put what was learned where the contact has nothing; True if there was something to put."""
    useful = (
        (known.lacks_name and learned.name)
        or (known.lacks_email and learned.emails)
        or (known.lacks_phone and learned.phones)
        or (known.lacks_locale and learned.locale)
    )
    if not useful:
        return False
    before = await store.LOCK_PROFILE.one(workspace_id, known.contact_id)
    after = replace(
        before,
        name=before.name or learned.name,
        emails=before.emails or learned.emails,
        phones=before.phones or learned.phones,
        locale=before.locale or learned.locale,
    )
    await store.SAVE_PROFILE.run(workspace_id, known.contact_id, *after.columns())
    return before != after


def _clean_names(person: Person) -> Names:
    names = [(_clean(kind, 32), _clean_value(value)) for kind, value in person.identities.items()]
    usable = [(kind, value) for kind, value in names if kind and value]
    if not usable:
        message = "This person has no identity to recognise them by."
        raise InvalidInput(message)
    return usable


def _clean_profile(person: Person) -> Profile:
    """What a channel tells of somebody, without what cannot be kept; the raw event has the whole of it."""
    email = person.email and email_from_provider(person.email)
    phone = person.phone and phone_from_provider(person.phone)
    return Profile(
        name=_clean(person.name or "", _MAX_NAME) or None,
        emails=[email] if email else [],
        phones=[phone] if phone else [],
        locale=_clean(person.locale or "", 35) or None,
    )


def _clean_value(text: str) -> str:
    """An identity as it is kept: a very long one by its hash, because cutting it could make two people one."""
    value = text.replace("\x00", "").strip()
    return value if len(value) <= _MAX_VALUE else f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"


def _clean(text: str, longest: int) -> str:
    return text.replace("\x00", "").strip()[:longest]
