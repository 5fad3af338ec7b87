"""Visitor tokens: who a page's visitor is, signed, bound to one inbox.

A token is base64url of: one byte version, 16 bytes visitor id, 4 bytes expiry (Unix seconds, unsigned,
big-endian), 32 bytes HMAC-SHA-256 over all of that and the inbox's id.
"""

import base64
import binascii
import hmac
import struct
import time
from dataclasses import dataclass
from uuid import UUID

from chatwright.ports.cipher import Cipher

LIFETIME_SECONDS = 400 * 24 * 3600
"""As long as browsers keep a cookie at most; every session begun anew starts it again."""
_PURPOSE = "webchat"
_BODY = struct.Struct(">B16sI")
_VERSION = 1
_SIGNATURE_BYTES = 32


@dataclass(frozen=True, slots=True)
class VisitorTokens:
    """Issues and reads the tokens."""

    cipher: Cipher

    def issue(self, inbox_id: UUID, visitor_id: UUID) -> str:
        """A token for a visitor of an inbox, good from now on."""
        body = _BODY.pack(_VERSION, visitor_id.bytes, int(time.time()) + LIFETIME_SECONDS)
        return base64.urlsafe_b64encode(body + self._sign(inbox_id, body)).rstrip(b"=").decode()

    def read(self, inbox_id: UUID, token: str) -> UUID | None:
        """The visitor of a token; None when it was not made here, for another inbox, or has expired."""
        try:
            raw = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) != _BODY.size + _SIGNATURE_BYTES:
            return None
        body, signature = raw[: _BODY.size], raw[_BODY.size :]
        if not hmac.compare_digest(signature, self._sign(inbox_id, body)):
            return None
        version, visitor, expires = _BODY.unpack(body)
        if version != _VERSION or expires < time.time():
            return None
        return UUID(bytes=visitor)

    def _sign(self, inbox_id: UUID, body: bytes) -> bytes:
        return self.cipher.sign(inbox_id.bytes + body, _PURPOSE)
