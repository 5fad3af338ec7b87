"""Secret settings at rest, and the words only this server and a provider know."""

from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel

from chatwright.ports.secret_settings import secret_part
from chatwright.ports.site import this_site

_TOKEN_BYTES = 16


def sealed_secrets(inbox_id: UUID, settings: BaseModel) -> bytes | None:
    """The secret settings that are set, sealed for this inbox alone; None when there are none."""
    secrets = {name: secret for name, secret in secret_part(settings).items() if secret not in (None, "", [])}
    if not secrets:
        return None
    return this_site().cipher.seal(orjson.dumps(secrets), _context(inbox_id))


def opened_secrets(inbox_id: UUID, sealed: bytes | None) -> dict[str, Any]:
    """The secret settings in the clear; raises Misconfigured when the server's key is another one now."""
    if sealed is None:
        return {}
    return orjson.loads(this_site().cipher.open(sealed, _context(inbox_id)))


def hook_token(inbox_id: UUID) -> str:
    """What the provider of this inbox presents: 32 hexadecimal digits, made of the id and the server's key."""
    return this_site().cipher.sign(inbox_id.bytes, "inbox hook")[:_TOKEN_BYTES].hex()


def hook_url(inbox_id: UUID) -> str:
    """Where the provider of this inbox calls."""
    return f"{this_site().public_url.rstrip('/')}/hooks/{inbox_id}"


def _context(inbox_id: UUID) -> str:
    return f"inbox:{inbox_id}"
