"""Whom an outside issuer's token stands for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Subject:
    """What is believed of a token that an outside issuer vouches for."""

    id: UUID
    """Of the person with their client at that issuer, made of the issuer's own names."""
    email: str
    """By which the person is known here."""
    workspace_id: UUID | None
    """The workspace the token is for; None where the person has only one."""
    scopes: frozenset[str]
    """What the token allows, of which only scopes of ours count."""
    expires_at: datetime
    """When it ends."""
