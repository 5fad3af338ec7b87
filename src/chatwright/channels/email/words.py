"""Text from mails as the rest of the product can take it."""

import re
from collections.abc import Sequence
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser, HeaderParser
from email.policy import EmailPolicy
from typing import cast

LONGEST_HEADER = 10_000
LONGEST_PARAMETERS = 1000
"""Characters that are read of a header, and of one with parameters (Content-Type and its like). The library's time
grows with the square of them."""
_NEWEST_LAST = {"references", "in-reply-to"}
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACES = re.compile(r"\s+")


class _Patient(EmailPolicy):
    """Reads mails with headers of any length, in parts of any depth, in bounded time."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(list(sourcelines))
        kind = name.lower()
        longest = LONGEST_PARAMETERS if kind.startswith("content-") else LONGEST_HEADER
        return name, value[-longest:] if kind in _NEWEST_LAST else value[:longest]


POLICY = _Patient()
"""With which every mail from outside is parsed."""


def head_of(raw: bytes) -> EmailMessage:
    """The headers of a mail, with whatever follows as one text."""
    return cast("EmailMessage", BytesHeaderParser(policy=POLICY).parsebytes(raw))


def fields_in(text: str) -> EmailMessage:
    """A group of fields in the form of headers."""
    return cast("EmailMessage", HeaderParser(policy=POLICY).parsestr(text))


def parts_in(raw: bytes) -> EmailMessage:
    """A mail with everything in it; raises RecursionError when it is nested absurdly deep."""
    return cast("EmailMessage", BytesParser(policy=POLICY).parsebytes(raw))


def clean(text: str) -> str:
    """Text that can be stored: without lone surrogates, and without control characters but tabs and line ends."""
    return _CONTROLS.sub("", _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)).replace("\r\n", "\n")


def decode(raw: bytes, charset: str | None) -> str:
    """Bytes in the charset they claim to be in, else in UTF-8, else as Windows would show them; never raises."""
    for name in (charset, "utf-8"):
        try:
            return clean(raw.decode(name or "utf-8"))
        except (LookupError, ValueError):
            continue
    return clean(raw.decode("cp1252", errors="replace"))


def header(mail: EmailMessage, name: str) -> str:
    """A header in words, on one line; empty when it is missing. The last way out is its raw text."""
    raw = _raw_header(mail, name)
    if raw is None:
        return ""
    try:
        text = str(mail[name])
    except Exception:  # noqa: BLE001 - the parser of structured headers fails on bad ones in many ways.
        text = _by_words(raw)
    return one_line(text)


def headers(mail: EmailMessage, name: str) -> list[str]:
    """All headers of one name, as they were sent, each on one line."""
    wanted = name.lower()
    found = [value for key, value in mail.raw_items() if key.lower() == wanted]
    return [one_line(_by_words(str(value))) for value in found[:100]]


def content_type(part: EmailMessage) -> str:
    """The media type of a part, in lower case."""
    try:
        return part.get_content_type()
    except Exception:  # noqa: BLE001 - the parser of structured headers fails on bad ones in many ways.
        return "application/octet-stream"


def payload_of(part: EmailMessage) -> bytes:
    """The bytes of a part that has no parts of its own, decoded as far as that goes."""
    try:
        decoded = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001 - the parser of structured headers fails on bad ones in many ways.
        decoded = part.get_payload()
    if isinstance(decoded, bytes):
        return decoded
    return decoded.encode("utf-8", "surrogateescape") if isinstance(decoded, str) else b""


def parts_of(part: EmailMessage) -> list[EmailMessage]:
    """The parts within a part; a mail within a mail is one."""
    payload = part.get_payload()
    return cast("list[EmailMessage]", payload) if isinstance(payload, list) else []


def one_line(text: str) -> str:
    """Text without line breaks and runs of spaces."""
    return _SPACES.sub(" ", clean(text[:LONGEST_HEADER])).strip()


def _raw_header(mail: EmailMessage, name: str) -> str | None:
    wanted = name.lower()
    return next((str(value) for key, value in mail.raw_items() if key.lower() == wanted), None)


def _by_words(raw: str) -> str:
    """A header with its encoded words (RFC 2047) in plain; as it stands where they are broken."""
    readable = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(readable)))
    except (ValueError, LookupError, MessageError):
        return readable
