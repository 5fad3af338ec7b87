"""Who sent an event, and when: Zalo signs what it sends and repeats what was not taken.

The signature is a plain SHA-256 over app id, body, timestamp and the account's secret key, and no HMAC (Official
Account documentation, Webhook, Signature). For some events the account's id was seen in the place of the app's.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

import orjson

from chatwright.channels.zalo.settings import ZaloSettings
from chatwright.kernel.errors import Unauthenticated
from chatwright.net.reading import as_map, as_number, as_text

HEADER = "x-zevent-signature"
RETRY_HEADER = "num_retry"
FRESH = timedelta(minutes=5)
"""How far an event's time may be from ours, unless it is one that Zalo sends again, up to two hours later."""


def verify_signature(settings: ZaloSettings, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Which id the signature is made with, `app_id` or `oa_id`; raises Unauthenticated.

    `now` is in seconds since 1970.
    """
    timestamp = _timestamp_in(body)
    given = _mac_in(headers.get(HEADER, "")).encode("utf-8", "replace")
    secret = settings.oa_secret_key.get_secret_value()
    proofs = {
        "app_id": signature(settings.app_id, body, timestamp, secret),
        "oa_id": signature(settings.oa_id, body, timestamp, secret),
    }
    # Both are compared, so that the time it takes does not tell which one was right.
    fitting = [name for name, proof in proofs.items() if hmac.compare_digest(proof.encode(), given)]
    if not fitting:
        message = "The signature of this call is missing or wrong."
        raise Unauthenticated(message)
    if RETRY_HEADER not in headers and not _is_fresh(timestamp, now):
        message = "This event is too old, or of a time to come."
        raise Unauthenticated(message)
    return fitting[0]


def signature(first: str, body: bytes, timestamp: str, secret: str) -> str:
    """The hex digest; `first` is the app's id or the account's."""
    return hashlib.sha256(first.encode() + body + timestamp.encode() + secret.encode()).hexdigest()


def _timestamp_in(body: bytes) -> str:
    """The event's timestamp as it stands in the body, without which there is no signature; empty when missing."""
    try:
        return as_text(as_map(orjson.loads(body)).get("timestamp")) or ""
    except orjson.JSONDecodeError:
        return ""


def _mac_in(header: str) -> str:
    """The digest behind `mac=`, which was also seen with spaces around."""
    name, found, mac = header.partition("=")
    return mac.strip().lower() if found and name.strip().lower() == "mac" else header.strip().lower()


def _is_fresh(timestamp: str, now: float) -> bool:
    milliseconds = as_number(timestamp)
    return milliseconds is not None and abs(now - milliseconds / 1000) <= FRESH.total_seconds()
