"""The pieces of WhatsApp's webhooks."""

import base64
import hashlib
import secrets
from datetime import datetime
from typing import Any

import phonenumbers

from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson


def new_wamid() -> str:
    """A message id as WhatsApp makes them."""
    return "wamid." + base64.b64encode(secrets.token_bytes(40)).decode()


def new_user_id(phone: str) -> str:
    """A business-scoped user id: the country, a full stop, and up to 128 characters."""
    try:
        number = phonenumbers.parse("+" + phone)
        country = phonenumbers.region_code_for_number(number)
    except phonenumbers.NumberParseException:
        country = None
    return f"{country or 'US'}.{secrets.randbelow(9 * 10**16) + 10**16}"


def digest(content: bytes) -> str:
    """SHA-256 as `sha256` fields carry it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def moment(account: GraphAccount, at: datetime) -> str:
    """A timestamp: seconds in a text, unless faults make it milliseconds."""
    seconds = at.timestamp()
    return str(int(seconds * 1000 if account.faults.milliseconds else seconds))


def is_nameless(account: GraphAccount, person: GraphPerson) -> bool:
    """Whether webhooks leave the phone number out."""
    return person.phone_hidden or account.faults.nameless or not person.phone


def value_of(account: GraphAccount, person: GraphPerson | None = None) -> dict[str, Any]:
    """What every value has, and the contact where it is about one."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": account.details["display_phone_number"],
            "phone_number_id": account.id,
        },
    }
    if person is not None:
        value["contacts"] = [contact(account, person)]
    return value


def contact(account: GraphAccount, person: GraphPerson) -> dict[str, Any]:
    """A person in `contacts`."""
    profile = {"name": person.name}
    if person.username:
        profile["username"] = person.username
    found: dict[str, Any] = {"profile": profile, "user_id": person.user_id}
    if person.parent_user_id:
        found["parent_user_id"] = person.parent_user_id
    if not is_nameless(account, person):
        found["wa_id"] = person.phone
    return found


def sender(account: GraphAccount, person: GraphPerson) -> dict[str, Any]:
    """Who a message is from."""
    found: dict[str, Any] = {"from_user_id": person.user_id}
    if person.parent_user_id:
        found["from_parent_user_id"] = person.parent_user_id
    if not is_nameless(account, person):
        found["from"] = person.phone
    return found


def recipient(account: GraphAccount, person: GraphPerson) -> dict[str, Any]:
    """Whom a status is about."""
    found: dict[str, Any] = {"recipient_user_id": person.user_id}
    if person.parent_user_id:
        found["parent_recipient_user_id"] = person.parent_user_id
    if not is_nameless(account, person):
        found["recipient_id"] = person.phone
    return found
