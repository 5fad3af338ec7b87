"""Who is who: phone numbers, business-scoped user ids and names, as they stand in webhooks.

Since 2026 people may have a username, and then their phone number can be missing everywhere. A business-scoped user
id (BSUID) is always there; it is an address as good as a number, and changes when the person changes theirs. The id
under a parent business is good for recognising somebody and is no address. A username can pass on to somebody else,
so that nobody is recognised by it.
"""

import re
from collections.abc import Mapping

from chatwright.net.reading import as_list, as_map, as_text, dig
from chatwright.ports.inbound import Person

_USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
_NOT_DIGITS = re.compile(r"\D")


def is_user_id(address: str) -> bool:
    """Whether an address is a business-scoped user id, `US.13491208655302741918`; else it is a phone number."""
    return _USER_ID.fullmatch(address) is not None


def phone_digits(address: str) -> str:
    """A phone number as the API takes it."""
    return _NOT_DIGITS.sub("", address)


def person_of(
    phone: object, user_id: object, parent: object = None, contact: Mapping[str, object] | None = None
) -> Person | None:
    """Somebody by what a message or status calls them, with their card from `contacts`; None for nobody."""
    contact = contact or {}
    wa_id = as_text(phone) or as_text(contact.get("wa_id"))
    names = {
        "wa_id": wa_id,
        "bsuid": as_text(user_id) or as_text(contact.get("user_id")),
    }
    identities = {kind: name for kind, name in names.items() if name is not None}
    if not identities:
        return None
    parent_id = as_text(parent) or as_text(contact.get("parent_user_id"))
    return Person(
        {**identities, "parent_bsuid": parent_id} if parent_id else identities,
        name=as_text(dig(contact, "profile", "name")),
        phone=f"+{wa_id}" if wa_id and wa_id.isdigit() else None,
        username=as_text(dig(contact, "profile", "username")),
    )


def sender_of(message: Mapping[str, object], contact: Mapping[str, object]) -> Person | None:
    """Who wrote a message."""
    parent = message.get("from_parent_user_id")
    return person_of(message.get("from"), message.get("from_user_id"), parent, contact)


def receiver_of(message: Mapping[str, object], contact: Mapping[str, object]) -> Person | None:
    """To whom a message went that was written in the business's own app."""
    parent = message.get("to_parent_user_id")
    return person_of(message.get("to"), message.get("to_user_id"), parent, contact)


def recipient_of(status: Mapping[str, object], contact: Mapping[str, object]) -> Person | None:
    """Whom a status is about."""
    parent = status.get("recipient_parent_user_id")
    return person_of(status.get("recipient_id"), status.get("recipient_user_id"), parent, contact)


def contact_for(contacts: object, *names: object) -> dict[str, object]:
    """The card of whoever has one of these names; a card that stands alone is theirs. Empty when there is none."""
    cards = [as_map(card) for card in as_list(contacts)]
    wanted = {name for name in map(as_text, names) if name is not None}
    for card in cards:
        if wanted & {as_text(card.get("wa_id")), as_text(card.get("user_id"))}:
            return card
    return cards[0] if len(cards) == 1 else {}
