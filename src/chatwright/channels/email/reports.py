"""Mails of servers: what they could not deliver (RFC 3464), who complained (RFC 5965), what was read (RFC 8098)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

from chatwright.channels.email.codes import Verdict, read_report
from chatwright.channels.email.reading import addresses_in, ids_in
from chatwright.channels.email.words import (
    content_type,
    decode,
    fields_in,
    head_of,
    header,
    headers,
    parts_of,
    payload_of,
)

Outcome = Literal["failed", "delayed", "delivered", "read"]
_OUTCOMES: dict[str, Outcome] = {
    "failed": "failed",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}
_RETURNED = frozenset({"message/rfc822", "message/rfc822-headers", "text/rfc822-headers", "message/global"})


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mail of ours."""

    message_id: str
    """Without its angle brackets."""
    outcome: Outcome
    verdict: Verdict | None = None
    """Why it failed or waits."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Somebody called a mail of ours spam."""

    links: tuple[str, ...]
    """What the returned mail gave in List-Unsubscribe."""
    answer_addresses: tuple[str, ...]
    """Where answers to it were to go."""
    recipients: tuple[str, ...]
    """Who got it, as far as the report says."""


def fates_in(message: EmailMessage) -> list[Fate]:
    """What a report says of mails of ours; empty for any other mail, and where it does not say which mail it means."""
    if content_type(message) != "multipart/report":
        return []
    parts = parts_of(message)
    mail_id = _returned_id(message, parts)
    fates: list[Fate] = []
    for part in parts:
        match content_type(part):
            case "message/delivery-status" | "message/global-delivery-status" if mail_id:
                fates.extend(_delivery_fates(part, mail_id))
            case "message/disposition-notification":
                fates.extend(_reading_fates(part))
            case _:
                continue
    return fates


def complaint_in(message: EmailMessage) -> Complaint | None:
    """The complaint that a feedback report passes on; None for any other mail."""
    if content_type(message) != "multipart/report":
        return None
    parts = parts_of(message)
    feedback = next((part for part in parts if content_type(part) == "message/feedback-report"), None)
    if feedback is None:
        return None
    fields = next(_blocks(feedback), EmailMessage())
    returned = _returned(parts)
    told = [*headers(fields, "Original-Rcpt-To"), *headers(fields, "Removal-Recipient")]
    if returned is not None:
        told.extend(headers(returned, "To"))
    return Complaint(
        links=tuple(headers(returned, "List-Unsubscribe")) if returned is not None else (),
        answer_addresses=tuple(addresses_in(" ".join(headers(returned, "Reply-To"))))
        if returned is not None
        else (),
        recipients=tuple(addresses_in(" ".join(told))),
    )


def _delivery_fates(part: EmailMessage, mail_id: str) -> Iterator[Fate]:
    for block in _blocks(part):
        outcome = _OUTCOMES.get(header(block, "Action").partition(" ")[0].lower())
        if outcome is not None:
            diagnostic = header(block, "Diagnostic-Code")
            yield Fate(mail_id, outcome, read_report(header(block, "Status"), diagnostic))


def _reading_fates(part: EmailMessage) -> Iterator[Fate]:
    for block in _blocks(part):
        kind = header(block, "Disposition").rpartition(";")[2].strip().lower()
        if kind.startswith("displayed"):
            yield from (Fate(found, "read") for found in ids_in(header(block, "Original-Message-ID"))[:1])


def _blocks(part: EmailMessage) -> Iterator[EmailMessage]:
    """Groups of fields; the parser makes parts of those it knows, and leaves others as text."""
    inner = parts_of(part)
    if inner and any(block.keys() for block in inner):
        yield from inner
        return
    texts = [decode(payload_of(one), None) for one in (inner or [part])]
    for group in "\n".join(texts).replace("\r\n", "\n").split("\n\n"):
        if group.strip():
            yield fields_in(group.strip("\n"))


def _returned_id(message: EmailMessage, parts: Sequence[EmailMessage]) -> str | None:
    """The id of the mail that is reported about: of the returned one, else what the report answers."""
    returned = _returned(parts)
    found = ids_in(header(returned, "Message-ID")) if returned is not None else []
    for name in ("In-Reply-To", "References"):
        found.extend(reversed(ids_in(header(message, name))))
    return found[0] if found else None


def _returned(parts: Sequence[EmailMessage]) -> EmailMessage | None:
    """The mail, or its headers, that a report carries back."""
    for part in parts:
        if content_type(part) in _RETURNED:
            inner = parts_of(part)
            if inner and inner[0].keys():
                return inner[0]
            raw = payload_of(inner[0] if inner else part)
            return head_of(raw.lstrip())
    return None
