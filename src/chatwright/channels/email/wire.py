"""Raw events of this channel.

{"mail": base64 of the raw mail, "received_at": ISO 8601 or null, "size": bytes}  a mail; cut when it is longer
{"unreadable": base64 of the raw mail, ...}                                       as above, a mail we trip over
{"unsubscribe": "ann@example.com"}                                                somebody followed the link
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from chatwright.channels.email.reading import LONGEST_HEAD, addresses_in, digest_of
from chatwright.channels.email.words import head_of, headers
from chatwright.ports.inbound import RawEvent

UNREADABLE = "unreadable"
"""Lane and key of mails that we trip over."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredMail:
    """A mail as it was stored."""

    raw: bytes
    received_at: datetime | None
    size: int
    """Bytes on the server, which are more than `raw` has if the mail was cut."""


def mail_event(raw: bytes, received_at: datetime | None = None, size: int | None = None) -> RawEvent:
    """The event of a mail that came in, the same for each copy of it.

    One that we trip over is kept as it is, in an event that nobody can read: a mailbox goes on behind it.
    """
    size = len(raw) if size is None else size
    kept = {"received_at": received_at.astimezone(UTC).isoformat() if received_at else None, "size": size}
    text = base64.b64encode(raw).decode()
    try:
        key, lane = _names_of(raw, cut=size > len(raw))
    except Exception as error:  # noqa: BLE001 - whatever it is, all mails behind this one would wait for it.
        _log.warning("email.unreadable", size=size, exc_info=error)
        key = f"{UNREADABLE}:{hashlib.sha256(raw).hexdigest()}"
        return RawEvent(key, UNREADABLE, {UNREADABLE: text, **kept})
    return RawEvent(key, lane, {"mail": text, **kept})


def _names_of(raw: bytes, *, cut: bool) -> tuple[str, str]:
    """The key and the lane of a mail's event."""
    head = head_of(raw[:LONGEST_HEAD])
    author = next(iter(addresses_in(" ".join(headers(head, "From")))), "")
    return f"mail:{digest_of(raw, cut=cut)}", author[:200] or "nobody"


def stored_mail(payload: Mapping[str, Any]) -> StoredMail | None:
    """The mail of an event; None when there is none in it."""
    text, received_at, size = payload.get("mail"), payload.get("received_at"), payload.get("size")
    if not isinstance(text, str):
        return None
    try:
        raw = base64.b64decode(text, validate=True)
        at = datetime.fromisoformat(received_at) if isinstance(received_at, str) else None
    except (binascii.Error, ValueError):
        return None
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return StoredMail(raw, at, size if isinstance(size, int) else len(raw))


def unsubscription_event(address: str, moment: datetime) -> RawEvent:
    """Somebody followed the link; copies within a minute are one."""
    return RawEvent(
        dedupe_key=f"unsubscribe:{address}:{moment.astimezone(UTC):%Y%m%d%H%M}",
        lane=address,
        payload={"unsubscribe": address},
    )
