"""What people told a provider of themselves, in forms and profiles, by names that the provider chose."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from chatwright.features.contacts import store
from chatwright.features.contacts.addresses import email_from_provider, phone_from_provider
from chatwright.features.contacts.changes import differences, known_fields, with_full_name
from chatwright.features.contacts.fields.values import read_value
from chatwright.features.contacts.folding import words_of
from chatwright.features.contacts.profiles import Profile
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit

_MEANINGS: Final[Mapping[str, str]] = {
    "email": "email",
    "email_address": "email",
    "work_email": "email",
    "phone": "phone",
    "phone_number": "phone",
    "work_phone_number": "phone",
    "whatsapp_number": "phone",
    "full_name": "name",
    "name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
}
"""What answers mean whose names providers give themselves (Meta's lead forms: the standard questions)."""
_MAX_TEXT = 200
_MAX_KEY = 64


async def contact_of_answers(workspace_id: UUID, answers: Mapping[str, str]) -> UUID | None:
    """The contact with the phone number or e-mail of these answers, made if nobody has it; None without either.

    The phone number counts first. What the contact lacks is filled in; nothing is overwritten.
    """
    told = _told(answers)
    if not told.phones and not told.emails:
        return None
    for emails, phones in (([], told.phones), (told.emails, [])):
        known = await store.HELD_BY_ADDRESS.first(workspace_id, emails, phones) if emails or phones else None
        if known is not None:
            await put_answers(workspace_id, known, answers)
            return known
    contact_id = new_id()
    filled = replace(with_full_name(told), fields=await _custom(workspace_id, {}, answers))
    await store.INSERT_CONTACT.run(workspace_id, contact_id, *filled.columns())
    emit(Event("contact.created", workspace_id, contact_id))
    return contact_id


async def put_answers(workspace_id: UUID, contact_id: UUID, answers: Mapping[str, str]) -> None:
    """Fill in what a contact lacks: names, addresses, and custom fields of the same key that take the answer."""
    if not answers:
        return
    before = await store.LOCK_PROFILE.first(workspace_id, contact_id)
    if before is None:
        return
    told = _told(answers)
    after = replace(
        before,
        name=before.name or with_full_name(told).name,
        first_name=before.first_name or told.first_name,
        last_name=before.last_name or told.last_name,
        emails=before.emails or told.emails,
        phones=before.phones or told.phones,
        fields=await _custom(workspace_id, before.fields, answers),
    )
    if difference := differences(before, after):
        await store.SAVE_PROFILE.run(workspace_id, contact_id, *after.columns())
        emit(Event("contact.updated", workspace_id, contact_id, data={"changed": difference}))


def _told(answers: Mapping[str, str]) -> Profile:
    found: dict[str, str] = {}
    for key, answer in answers.items():
        meaning = _MEANINGS.get(_key(key))
        if meaning is not None and (text := answer.replace("\0", "").strip()):
            found.setdefault(meaning, text[:_MAX_TEXT])
    email, phone = found.get("email"), found.get("phone")
    emails = [read] if email and (read := email_from_provider(email)) else []
    phones = [read] if phone and (read := phone_from_provider(phone)) else []
    return Profile(
        name=found.get("name"),
        first_name=found.get("first_name"),
        last_name=found.get("last_name"),
        emails=emails,
        phones=phones,
    )


async def _custom(
    workspace_id: UUID, before: Mapping[str, object], answers: Mapping[str, str]
) -> dict[str, object]:
    """Custom fields with those answers put in that fit a field there is; the rest stays with the form."""
    by_key = {_key(key): answer.replace("\0", "").strip() for key, answer in answers.items()}
    fields = await known_fields(workspace_id, by_key)
    values = dict(before)
    for key, field in fields.items():
        if key in values or not by_key[key]:
            continue
        try:
            values[key] = read_value(field, by_key[key])
        except ValueError:
            continue
    return values


def _key(name: str) -> str:
    """A question's name as keys of custom fields are written."""
    return "_".join(words_of(name))[:_MAX_KEY]
