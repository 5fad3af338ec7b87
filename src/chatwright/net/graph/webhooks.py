"""Meta's webhooks: proven, then cut into the changes they carry.

    {"object": "page", "entry": [{"id": "...", "time": 1, "changes": [{"field": "...", "value": {...}}],
                                  "messaging": [...], "standby": [...]}]}

Instagram also puts `field` and `value` on the entry itself (Instagram Platform, Webhooks, Examples).
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from chatwright.kernel.errors import Forbidden, InvalidInput, Unauthenticated
from chatwright.net.reading import as_list, as_map, as_text

SIGNATURE = "x-hub-signature-256"
LONGEST_RETRY = timedelta(days=8)
"""Meta repeats a webhook for up to seven days, and clocks differ; what is older was played back by somebody."""
_LISTS = ("messaging", "standby")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a webhook tells."""

    about: str
    """The kind of object: `whatsapp_business_account`, `page` or `instagram`."""
    entry: str
    """Id of the account at Meta whose entry it stands in."""
    field: str
    """The field subscribed to; `messaging` or `standby` for an item of that list; empty for an unknown shape."""
    value: object
    at: object = None
    """When Meta made the entry, as it says so."""


def verify_signature(body: bytes, header: str | None, secrets: Sequence[str]) -> None:
    """Check that somebody who knows one of the app secrets sent exactly these bytes; raises Unauthenticated."""
    given = (header or "").encode("utf-8", "replace")
    proofs = [b"sha256=" + _hmac(secret, body).encode() for secret in secrets if secret]
    # A list, so that every secret is tried: the time it takes does not tell which one was right.
    if not any([hmac.compare_digest(proof, given) for proof in proofs]):  # noqa: C419
        message = "The signature of this call is missing or wrong."
        raise Unauthenticated(message)


def handshake(query: Mapping[str, str], token: str) -> str:
    """The challenge to answer when Meta asks whether the webhook is ours; raises Forbidden."""
    knows = hmac.compare_digest(query.get("hub.verify_token", "").encode(), token.encode())
    if not token or not knows or query.get("hub.mode") != "subscribe":
        message = "This call does not know the verify token."
        raise Forbidden(message)
    return query.get("hub.challenge", "")


def proof_of(access_token: str, app_secret: str) -> str:
    """The `appsecret_proof` of calls made with a token (Graph API, Securing requests)."""
    return _hmac(app_secret, access_token.encode())


def changes_in(body: bytes) -> list[Change]:
    """Cut a webhook into what it tells, in its order and whatever its shape; InvalidInput when it is no JSON."""
    call = _read(body)
    about = as_text(as_map(call).get("object")) or ""
    entries = as_list(as_map(call).get("entry"))
    if not entries:
        return [Change(about, "", "", call)]
    return [change for entry in entries for change in _of_entry(about, entry)]


def is_replay(at: datetime | None, now: datetime | None = None) -> bool:
    """Whether an event of this time cannot come from Meta any more."""
    return at is not None and at < (now or datetime.now(UTC)) - LONGEST_RETRY


def fingerprint(value: object) -> str:
    """The same for equal JSON, for events that have no id of their own."""
    return hashlib.sha256(_canonical(value)).hexdigest()[:32]


def _of_entry(about: str, entry: object) -> Iterator[Change]:
    fields = as_map(entry)
    name, at = as_text(fields.get("id")) or "", fields.get("time")
    found = list(_parts(fields))
    for field, value in found or [("", entry)]:
        yield Change(about, name, field, value, at)


def _parts(entry: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for change in as_list(entry.get("changes")):
        parts = as_map(change)
        field = as_text(parts.get("field"))
        yield (field, parts.get("value")) if field else ("", change)
    for name in _LISTS:
        for item in as_list(entry.get(name)):
            yield name, item
    field = as_text(entry.get("field"))
    if field and "value" in entry:
        yield field, entry["value"]


def _read(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_leniently(body)


def _read_leniently(body: bytes) -> object:
    """Meta cuts long texts by UTF-16 units, which can leave half an emoji; orjson takes none."""
    try:
        call: Any = json.loads(body, parse_constant=lambda _: None)
        whole = (
            json.dumps(call, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
        return orjson.loads(whole)
    except (ValueError, RecursionError) as error:
        message = "The body is not JSON."
        raise InvalidInput(message) from error


def _canonical(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        message = "The body is nested too deeply."
        raise InvalidInput(message) from error


def _hmac(secret: str, data: bytes) -> str:
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
