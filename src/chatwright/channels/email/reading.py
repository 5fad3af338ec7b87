"""A raw mail, read: who wrote what to whom, in answer to what, with which files, and whether a machine did."""

import email.utils
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import islice
from typing import Literal

from chatwright.channels.email import pages, quotes
from chatwright.channels.email.words import (
    POLICY,
    clean,
    content_type,
    decode,
    head_of,
    header,
    headers,
    one_line,
    parts_in,
    parts_of,
    payload_of,
)

NOBODY = "nobody@unknown.invalid"
"""Who wrote a mail that does not say so; RFC 2606 keeps this domain from ever being somebody's."""
LONGEST_TEXT = 100_000
"""Characters of what is shown of a text; the raw mail keeps the whole."""
MOST_FILES = 100
MOST_PARTS = 300
LONGEST_HEAD = 256 * 1024
"""Bytes of all headers of a mail."""
DEEPEST = 40
"""Parts within parts that are read; deeper ones are kept as a file."""
MOST_REFERENCES = 100
MOST_DELAY = timedelta(days=1)
"""How far a sender's clock may go before ours and still be believed."""
LONGEST_READ = 1_000_000
"""Characters of text in which quotes are looked for."""
CUT = "[…]"
MOST_BOUNDARIES = 10
SHORTEST_BOUNDARY = 8
"""Characters; shorter ones were not made up by a server, and may be words of the mail."""
SAMPLE = 64 * 1024
"""Bytes of the body that a mail which was cut is told apart by: as many as there are under the longest head."""
_ID = re.compile(r"<([^<>\s]{1,500})>")
_BARE_ID = re.compile(r"[^\s<>@]{1,250}@[^\s<>@]{1,250}")
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]@]{1,64}@[^\s<>,;:\"()\[\]@]{1,250}")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_BOUNDARY = re.compile(rb"boundary\s*=\s*\"?([^\s\";]{1,200})", re.IGNORECASE)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_SERVERS = ("mailer-daemon@", "owner-")
"""RFC 3834, section 2: names that are never to be answered by a machine."""
_ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Forwarded-To")

FileKind = Literal["image", "video", "audio", "file"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody in a header."""

    address: str
    """In lower case."""
    name: str | None


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a mail."""

    filename: str
    media_type: str
    part: EmailMessage

    @property
    def kind(self) -> FileKind:
        """How to show it; pictures that browsers cannot draw are files."""
        main = self.media_type.partition("/")[0]
        if self.media_type in {"image/png", "image/jpeg", "image/gif", "image/webp"}:
            return "image"
        return main if main in {"audio", "video"} else "file"  # pyright: ignore[reportReturnType] - just asked.

    def content(self) -> bytes:
        """Its bytes; of a mail within the mail, that mail as it is."""
        inner = parts_of(self.part)
        if not inner:
            return payload_of(self.part)
        return b"\r\n".join(map(_whole, inner))


def _whole(mail: EmailMessage) -> bytes:
    """A mail within a mail, written out again."""
    try:
        return mail.as_bytes(policy=_KEEP)
    except Exception:  # noqa: BLE001 - the library cannot write all that it can read.
        head = "".join(f"{name}: {value}\r\n" for name, value in mail.raw_items())
        body = b"\r\n".join(map(_whole, parts_of(mail))) or payload_of(mail)
        return head.encode("utf-8", "surrogateescape") + b"\r\n" + body


_KEEP = POLICY.clone(refold_source="none", utf8=True)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, read."""

    message_id: str
    """Without its angle brackets; made from the digest where it has none."""
    digest: str
    """The same for every copy of the mail, another for every other mail; see `digest_of`."""
    sender: Sender
    """Whom to answer."""
    recipients: tuple[str, ...]
    """Addresses that it was sent to, by its headers and by the servers on the way."""
    subject: str
    sent_at: datetime | None
    answers: tuple[str, ...]
    """Ids of the mails it answers, the nearest first."""
    text: str
    quoted: str
    html: str | None
    files: tuple[FoundFile, ...]
    automatic: str | None
    """Why it is taken to be written by a machine; None for a person's."""
    source: EmailMessage


def read_mail(
    raw: bytes, *, own_address: str, received_at: datetime | None = None, cut: bool = False
) -> Mail:
    """Read a mail, however broken; what cannot be read is left out of the result, never of the raw mail."""
    digest = digest_of(raw, cut=cut)
    message = parsed(raw)
    bodies = _Bodies()
    bodies.take(message)
    parts = quotes.split(bodies.text()[:LONGEST_READ])
    sender = _sender(message, own_address)
    return Mail(
        message_id=_message_id(message, digest),
        digest=digest,
        sender=sender,
        recipients=tuple(_recipients(message)),
        subject=header(message, "Subject")[:500],
        sent_at=_sent_at(message, received_at),
        answers=tuple(_answers(message)),
        text=_shortened(parts.new),
        quoted=_shortened(parts.rest),
        html=bodies.html(),
        files=tuple(bodies.files[:MOST_FILES]),
        automatic=_why_automatic(message, own_address),
        source=message,
    )


def digest_of(raw: bytes, *, cut: bool) -> str:
    """What tells a mail from any other that is no copy of it, as hex.

    Servers on the way add headers, so that two copies are not the same bytes. Some programs give every mail the
    same id, so the id alone does not make a copy.
    """
    head = head_of(raw[:LONGEST_HEAD])
    names = [header(head, name) for name in ("Message-ID", "Date", "From", "Subject")]
    end = _HEAD_END.search(raw)
    if end is None or not (names[0] or names[1]):
        return hashlib.sha256(raw).hexdigest()
    body = raw[end.end() : end.end() + SAMPLE] if cut else raw[end.end() :]
    # Servers that do not keep mails as they came write them anew each time, with other words between the parts.
    for boundary in islice(dict.fromkeys(_BOUNDARY.findall(raw[:LONGEST_HEAD])), MOST_BOUNDARIES):
        body = body.replace(boundary, b"") if len(boundary) >= SHORTEST_BOUNDARY else body
    told = "\n".join(names).encode() + b"\n\n" + body.replace(b"\r\n", b"\n").strip()
    return hashlib.sha256(told).hexdigest()


def parsed(raw: bytes) -> EmailMessage:
    """The mail in parts; one that has absurdly many, or nests them absurdly deep, as headers above one text."""
    raw = _with_fewer_headers(raw)
    if _count_parts(raw) > MOST_PARTS:
        return head_of(raw)
    try:
        message = parts_in(raw)
        # The depth that reading needs as well.
        sum(1 for _ in message.walk())
    except RecursionError:
        return head_of(raw)
    return message


def _with_fewer_headers(raw: bytes) -> bytes:
    """A mail whose headers are cut where they are absurdly long; every one of them is looked at many times."""
    end = _HEAD_END.search(raw)
    head = end.start() if end else len(raw)
    if head <= LONGEST_HEAD:
        return raw
    return raw[: raw.rfind(b"\n", 0, LONGEST_HEAD)] + raw[head:]


def _count_parts(raw: bytes) -> int:
    """How many parts there are at most."""
    boundaries = set(_BOUNDARY.findall(raw))
    if len(boundaries) > MOST_PARTS:
        return len(boundaries)
    return sum(raw.count(b"\n--" + boundary) for boundary in boundaries)


def ids_in(text: str) -> list[str]:
    """The message ids in a header, in its order; rubbish around them is passed over."""
    return _ID.findall(text) or _BARE_ID.findall(text)[:1]


def addresses_in(text: str) -> list[str]:
    """The mail addresses in a header, in lower case."""
    return [found.lower().strip("'.") for found in _ADDRESS.findall(text)]


def _message_id(message: EmailMessage, digest: str) -> str:
    found = ids_in(_joined(message, "Message-ID"))
    return found[0] if found else f"{digest[:40]}@no-message-id.invalid"


def _answers(message: EmailMessage) -> list[str]:
    near = ids_in(_joined(message, "In-Reply-To"))
    far = ids_in(_joined(message, "References"))
    return list(dict.fromkeys([*near, *reversed(far)]))[:MOST_REFERENCES]


def _joined(message: EmailMessage, name: str) -> str:
    return " ".join(headers(message, name))


def _sender(message: EmailMessage, own_address: str) -> Sender:
    """Whom to answer: Reply-To, as forms on websites need it, unless a list set it; else who wrote."""
    names = ["From", "Sender", "Return-Path"]
    if not headers(message, "List-Id"):
        names.insert(0, "Reply-To")
    author = _named(_joined(message, "From"))
    for name in names:
        found = _mailbox(_joined(message, name))
        if found and (found.address != own_address or name != "Reply-To"):
            return found if found.name else Sender(found.address, author)
    return Sender(NOBODY, author)


def _mailbox(text: str) -> Sender | None:
    """The first mailbox of a header, however it is written."""
    found = _ADDRESS.search(text, max(text.find("<"), 0)) or _ADDRESS.search(text)
    return None if found is None else Sender(found[0].lower().strip("'."), _named(text[: found.start()]))


def _named(text: str) -> str | None:
    """The name before an address."""
    before = _ADDRESS.split(text, maxsplit=1)[0]
    return one_line(before.replace('"', " ").replace("\\", "")).strip(" <(,;:'")[:200] or None


def _recipients(message: EmailMessage) -> Iterator[str]:
    for name in ("To", "Cc", *_ENVELOPE):
        yield from addresses_in(_joined(message, name))


def _sent_at(message: EmailMessage, received_at: datetime | None) -> datetime | None:
    """The sender's own time of writing, unless it cannot be right."""
    try:
        sent_at = email.utils.parsedate_to_datetime(_joined(message, "Date"))
        sent_at = sent_at.replace(tzinfo=sent_at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return received_at
    if received_at is None:
        return sent_at if 1990 < sent_at.year < 2100 else None
    return sent_at if sent_at.year > 1990 and sent_at < received_at + MOST_DELAY else received_at


def _why_automatic(message: EmailMessage, own_address: str) -> str | None:
    """RFC 3834, section 2, and the habits beside it."""
    submitted = header(message, "Auto-Submitted").lower()
    precedence = header(message, "Precedence").lower()
    return_path = [path.strip() for path in headers(message, "Return-Path")]
    signs = {
        "Auto-Submitted": submitted.partition(";")[0].strip() not in {"", "no"},
        "X-Auto-Response-Suppress": bool(header(message, "X-Auto-Response-Suppress")),
        "Precedence": precedence in _BULK,
        "List-Id": bool(headers(message, "List-Id")),
        "X-Autoreply": bool(headers(message, "X-Autoreply") or headers(message, "X-Autorespond")),
        "empty Return-Path": "<>" in return_path,
        "a server's report": content_type(message) == "multipart/report",
        "a server's name": any(one.startswith(_SERVERS) for one in addresses_in(_joined(message, "From"))),
        "our own address": own_address in addresses_in(_joined(message, "From")),
    }
    return next((name for name, shown in signs.items() if shown), None)


class _Bodies:
    """Sorts the parts of a mail into texts to read and files to keep."""

    def __init__(self) -> None:
        self.files: list[FoundFile] = []
        self._texts: list[tuple[str | None, str | None]] = []
        """Plain text and safe HTML of each piece of the body, in order."""

    def take(self, part: EmailMessage, depth: int = 0) -> None:
        """Take a part with everything in it."""
        kind = content_type(part)
        if depth > DEEPEST:
            self.files.append(_file_of(part, len(self.files) + 1))
        elif kind == "multipart/alternative" and part.is_multipart():
            self._take_best(part, depth)
        elif part.is_multipart() and not kind.startswith("message/"):
            for inner in parts_of(part):
                self.take(inner, depth + 1)
        elif _is_body(part):
            self._texts.append(_text_of(part))
        else:
            self.files.append(_file_of(part, len(self.files) + 1))

    def text(self) -> str:
        """All pieces in words."""
        return "\n\n".join(plain or pages.text_of(html or "") for plain, html in self._texts).strip()

    def html(self) -> str | None:
        """All pieces as a page; None when none of them is one."""
        if not any(html for _, html in self._texts):
            return None
        page = "".join(html or pages.page_of(plain or "") for plain, html in self._texts)
        return page if len(page) <= pages.LONGEST_HTML else None

    def _take_best(self, part: EmailMessage, depth: int) -> None:
        """Of several forms of the same, the words and the page; a calendar's invitation is kept as a file."""
        forms = _Bodies()
        for inner in parts_of(part):
            forms.take(inner, depth + 1)
        plain = next((plain for plain, _ in forms._texts if plain and plain.strip()), None)
        html = next((html for _, html in forms._texts if html), None)
        if plain or html:
            self._texts.append((plain, html))
        self.files.extend(forms.files)


def _is_body(part: EmailMessage) -> bool:
    """Whether a part is something to read: text, or what claims to have parts and has none."""
    kind = content_type(part)
    if kind not in {"text/plain", "text/html"} and not kind.startswith("multipart/"):
        return False
    disposition = header(part, "Content-Disposition").partition(";")[0].strip().lower()
    return disposition != "attachment" and not _filename(part)


def _text_of(part: EmailMessage) -> tuple[str | None, str | None]:
    text = decode(payload_of(part)[: 4 * LONGEST_READ], _charset(part))
    if content_type(part) != "text/html":
        return text, None
    return None, pages.safe_html(text[: pages.LONGEST_HTML])


def _charset(part: EmailMessage) -> str | None:
    try:
        return part.get_content_charset()
    except Exception:  # noqa: BLE001 - the parser of structured headers fails on bad ones in many ways.
        return None


def _file_of(part: EmailMessage, number: int) -> FoundFile:
    media_type = content_type(part)
    name = _filename(part)
    if not name and media_type == "message/rfc822":
        inner = parts_of(part)
        subject = header(inner[0], "Subject") if inner else ""
        name = f"{subject[:100] or 'mail'}.eml"
    return FoundFile(name or f"file-{number}{_ENDINGS.get(media_type, '')}", media_type, part)


_ENDINGS = {"text/calendar": ".ics", "image/png": ".png", "image/jpeg": ".jpg", "application/pdf": ".pdf"}


def _filename(part: EmailMessage) -> str:
    """The name of a file, without folders."""
    try:
        name = part.get_filename() or ""
    except Exception:  # noqa: BLE001 - the parser of structured headers fails on bad ones in many ways.
        return "file"
    return re.split(r"[/\\]", one_line(clean(name)))[-1][:200]


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}\n{CUT}"
