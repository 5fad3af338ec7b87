"""Confirm tokens: signed by us, for one principal, one operation and one set of arguments, good once and not for long.

Nothing is stored when one is made. Using one writes its number in the transaction of the effect, so that a crash
neither uses it up without the effect nor leaves it good after it.
"""

import base64
import binascii
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel

from chatwright.features.workspaces.confirmations import store
from chatwright.features.workspaces.keys import canonical, principal_of
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import ConfirmationInvalid
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.cipher import Cipher

GOOD_SECONDS = 600
PREFIX: Final = "cwc_"
_PURPOSE: Final = "confirmation"
_NUMBER: Final = 16
_MOMENT: Final = 8
_SEAL: Final = 32


@dataclass(frozen=True, slots=True)
class ConfirmToken:
    """A token and when it ends."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmations:
    """Makes tokens and uses them up."""

    cipher: Cipher

    def token_for(self, caller: Caller, operation: AnyOperation, request: BaseModel) -> ConfirmToken:
        """A token with which this principal may make exactly this call, once."""
        expires = int(time.time()) + GOOD_SECONDS
        head = secrets.token_bytes(_NUMBER) + expires.to_bytes(_MOMENT, "big")
        text = base64.urlsafe_b64encode(head + self._seal(head, caller, operation, request)).decode()
        return ConfirmToken(PREFIX + text.rstrip("="), datetime.fromtimestamp(expires, UTC))

    async def spend(self, token: str, caller: Caller, operation: AnyOperation, request: BaseModel) -> None:
        """Use a token up in the current transaction; raises ConfirmationInvalid."""
        raw = _decoded(token)
        head, seal = raw[:-_SEAL], raw[-_SEAL:]
        if not hmac.compare_digest(seal, self._seal(head, caller, operation, request)):
            raise ConfirmationInvalid(
                "This confirm_token was given out for another call, or not by this server."
            )
        expires = int.from_bytes(head[_NUMBER:], "big")
        if expires <= time.time():
            raise ConfirmationInvalid("This confirm_token has expired.")
        if not await store.SPEND.first(head[:_NUMBER], datetime.fromtimestamp(expires, UTC)):
            raise ConfirmationInvalid("This confirm_token was used already; each lets one call through.")

    def _seal(self, head: bytes, caller: Caller, operation: AnyOperation, request: BaseModel) -> bytes:
        bound = f"{principal_of(caller)}\n{operation.name}\n".encode()
        return self.cipher.sign(head + bound + canonical(request), _PURPOSE)


def _decoded(token: str) -> bytes:
    text = token.removeprefix(PREFIX)
    padded = text + "=" * (-len(text) % 4)
    try:
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != _NUMBER + _MOMENT + _SEAL:
        raise ConfirmationInvalid("This is no confirm_token of this server.")
    return raw
