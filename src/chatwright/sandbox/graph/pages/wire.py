"""The pieces of pages' webhooks."""

import base64
import secrets
from datetime import datetime
from typing import Any

from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson


def new_mid(account: GraphAccount) -> str:
    """A message id as the two make them."""
    if account.kind == "instagram":
        return "aWdf" + base64.b64encode(secrets.token_bytes(60)).decode()
    return "m_" + secrets.token_urlsafe(64)


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def from_person(account: GraphAccount, person: GraphPerson, at: datetime) -> dict[str, Any]:
    """The head of what a person does."""
    return {"sender": {"id": person.id}, "recipient": {"id": account.id}, "timestamp": milliseconds(at)}


def from_account(account: GraphAccount, person: GraphPerson, at: datetime) -> dict[str, Any]:
    """The head of an echo."""
    return {"sender": {"id": account.id}, "recipient": {"id": person.id}, "timestamp": milliseconds(at)}
