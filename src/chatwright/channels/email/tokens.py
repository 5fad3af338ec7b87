"""What proves, in an address or a link of ours that comes back, that we made it.

An address to answer to is `help+c<token>@example.com`: base32, in either case since some servers change it, of 16
bytes of the conversation's id and 8 bytes of a signature. A token to unsubscribe is 32 hex digits of the inbox's id,
then the address, sealed, in base64url. Both are bound to their inbox and never end: a mail is answered, and its link
followed, years later.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from chatwright.kernel.errors import Misconfigured
from chatwright.ports.cipher import Cipher

LONGEST_LOCAL_PART = 64
"""RFC 5321, section 4.5.3.1.1."""
_MARK = "c"
_CONVERSATION_BYTES = 8


@dataclass(frozen=True, slots=True)
class MailTokens:
    """Makes and reads both."""

    cipher: Cipher

    def answer_address(self, inbox_id: UUID, address: str, conversation_id: UUID) -> str | None:
        """The address whose mail belongs to a conversation; None when the mailbox's own name is too long for one."""
        local, _, domain = address.rpartition("@")
        signature = self._sign("conversation", inbox_id, conversation_id.bytes)[:_CONVERSATION_BYTES]
        token = base64.b32encode(conversation_id.bytes + signature).decode().rstrip("=").lower()
        signed = f"{local}+{_MARK}{token}"
        return f"{signed}@{domain}" if len(signed) <= LONGEST_LOCAL_PART else None

    def conversation_of(self, inbox_id: UUID, addresses: Iterable[str]) -> UUID | None:
        """The conversation that one of the addresses proves."""
        for address in addresses:
            detail = address.rpartition("@")[0].rpartition("+")[2].lower()
            raw = _unpacked(detail.removeprefix(_MARK)) if detail.startswith(_MARK) else b""
            if len(raw) != 16 + _CONVERSATION_BYTES:
                continue
            signature = self._sign("conversation", inbox_id, raw[:16])[:_CONVERSATION_BYTES]
            if hmac.compare_digest(raw[16:], signature):
                return UUID(bytes=raw[:16])
        return None

    def unsubscribe_token(self, inbox_id: UUID, address: str) -> str:
        """What lets whoever has this address stop what we send there."""
        sealed = self.cipher.seal(address.encode(), _context(inbox_id))
        return inbox_id.hex + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def unsubscriber(self, inbox_id: UUID, token: str) -> str | None:
        """The address of a token; None when it was not made here for this inbox."""
        if token[:32] != inbox_id.hex:
            return None
        padded = token[32:] + "=" * (-len(token[32:]) % 4)
        try:
            sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
            return self.cipher.open(sealed, _context(inbox_id)).decode()
        except (binascii.Error, ValueError, Misconfigured):
            return None

    def _sign(self, purpose: str, inbox_id: UUID, message: bytes) -> bytes:
        return self.cipher.sign(inbox_id.bytes + message, f"email.{purpose}")


def _context(inbox_id: UUID) -> str:
    return f"email.unsubscribe:{inbox_id}"


def _unpacked(token: str) -> bytes:
    try:
        return base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return b""
