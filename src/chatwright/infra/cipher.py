"""AES-GCM under one master key, from the environment or a file in the data folder."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chatwright.kernel.errors import Misconfigured

KEY_BYTES = 32
NONCE_BYTES = 12
MIN_DISTINCT_BYTES = 12
"""A random key of 32 bytes has fewer distinct ones with a chance below 1e-9; a typed one often has."""


class MasterKeyCipher:
    """Seals with AES-256-GCM (NIST SP 800-38D); every purpose has a key derived from the master key."""

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._sealing = AESGCM(self._derive("seal"))

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt under a fresh nonce, which goes first."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._sealing.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt and authenticate."""
        try:
            return self._sealing.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except InvalidTag as error:
            message = "A stored secret cannot be opened with this key. Was CHATWRIGHT_KEY changed?"
            raise Misconfigured(message) from error

    def sign(self, message: bytes, purpose: str) -> bytes:
        """HMAC-SHA-256 under the purpose's own key."""
        return hmac.digest(self._derive(f"sign:{purpose}"), message, "sha256")

    def _derive(self, purpose: str) -> bytes:
        return hmac.digest(self._master, f"chatwright:{purpose}".encode(), hashlib.sha256)


def read_key(text: str, *, source: str) -> bytes:
    """Decode and judge a base64 key; raises Misconfigured when it is malformed or weak."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        message = f"{source} is not base64."
        raise Misconfigured(message, hint=KEY_HINT) from error
    if len(key) != KEY_BYTES or len(set(key)) < MIN_DISTINCT_BYTES:
        message = f"{source} is too weak: it must be {KEY_BYTES} random bytes in base64."
        raise Misconfigured(message, hint=KEY_HINT)
    return key


KEY_HINT = "Make one with: python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'"


def load_or_create_key(path: Path) -> bytes:
    """The key file of the data folder (mode 600), made on first use."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_key(path.read_text(), source=str(path))
    with os.fdopen(descriptor, "w") as file:
        text = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        file.write(text + "\n")
    return read_key(text, source=str(path))
