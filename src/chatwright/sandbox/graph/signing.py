"""Webhook bodies as Meta writes and signs them."""

import hashlib
import hmac
import json
from typing import Any


def escaped(value: dict[str, Any]) -> bytes:
    """JSON with every character beyond ASCII, and every slash, escaped: the very bytes that are signed."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode()


def signature(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def appsecret_proof(secret: str, token: str) -> str:
    """What proves that a caller with a token also holds the app's secret."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
