"""Addresses under which a provider may fetch a stored file for a while, without a password."""

import base64
import binascii
import hmac
import struct
import time
from uuid import UUID

from chatwright.ports.site import this_site

LIFETIME_SECONDS = 24 * 3600
"""How long a provider may take to fetch a file: some do so only when somebody looks."""
_PURPOSE = "file link"
_SIGNATURE_BYTES = 16
_EXPIRY = struct.Struct(">Q")


def file_url(attachment_id: UUID, *, lifetime: float = LIFETIME_SECONDS) -> str:
    """The address of a file, good for so many seconds. It lets whoever has it read the file: log it nowhere."""
    claim = attachment_id.bytes + _EXPIRY.pack(int(time.time() + lifetime))
    token = base64.urlsafe_b64encode(claim + _signature(claim)).rstrip(b"=").decode()
    return f"{this_site().public_url.rstrip('/')}/files/{token}"


def file_behind(token: str) -> UUID | None:
    """The file that a token of ours names; None when it is not ours, or is over."""
    try:
        bare = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    claim, signature = bare[:-_SIGNATURE_BYTES], bare[-_SIGNATURE_BYTES:]
    if len(claim) != 16 + _EXPIRY.size or not hmac.compare_digest(signature, _signature(claim)):
        return None
    (expires_at,) = _EXPIRY.unpack(claim[16:])
    return UUID(bytes=claim[:16]) if time.time() < expires_at else None


def _signature(claim: bytes) -> bytes:
    return this_site().cipher.sign(claim, _PURPOSE)[:_SIGNATURE_BYTES]
