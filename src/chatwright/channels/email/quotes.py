"""Where a mail stops saying something new: at what it quotes of earlier ones, and at a signature.

Nobody can know for sure, so a mail is cut only at signs that hardly occur in plain writing, and what is cut off is
kept beside. Everything here looks at a few lines at a time: a mail is written by somebody else, and patterns
that run over all of it could be made to take hours.
"""

import re
from dataclasses import dataclass

LONGEST_LINE = 500
"""Longer lines are plain text, whatever they begin with."""
_WROTE = (
    "wrote",
    "writes",
    "schrieb",
    "a écrit",
    "escribió",
    "escreveu",
    "ha scritto",
    "schreef",
    "skrev",
    "kirjoitti",
    "napisał",
    "napsal",
    "írta",
    "yazd\N{LATIN SMALL LETTER DOTLESS I}",
    "a scris",
    "написал",
    "пише",
    "đã viết",
    "menulis",
    "写道",
    "寫道",
    "のメール",
    "작성",
    "เขียนว่า",
    "כתב",
    "كتب",
)
"""The verb with which mail programs introduce a quote, by language."""
_FIELDS = (
    "from|sent|to|date|subject|cc|von|gesendet|an|datum|betreff|de|envoyé|à|objet|enviado|para|asunto|assunto|da|inviato|"
    "oggetto|van|verzonden|aan|onderwerp|från|skickat|till|ämne|fra|til|emne|от|отправлено|кому|тема|từ|đến|chủ đề|"
    "đã gửi|kimden|gönderilen|kime|konu|od|wysłano|do|temat|发件人|发送时间|收件人|主题|差出人|送信日時|宛先|件名"
)
_HEADER_LINE = re.compile(rf"[>\s*]*({_FIELDS})\*?\s?[:\uff1a]\*?\s?\S.{{0,400}}", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*[-_]{2,}\s*[^\W\d_][^-_]{2,60}\s*[-_]{2,}\s*")
"""`-----Original Message-----` in any language."""
_RULE = re.compile(r"\s*_{10,}\s*")
_SENT_FROM = re.compile(
    r"(sent from my|sent from outlook|get outlook for|sent with proton|von meinem \S+ gesendet|gesendet von|envoyé de|"
    r"enviado desde|enviado do|inviato da|verzonden vanaf|skickat från|gửi từ|发自我的|iPhoneから送信)\b.{0,80}",
    re.IGNORECASE,
)
_SIGNATURE = "--"
_EVIDENCE = re.compile(r"\d|@|<")


@dataclass(frozen=True, slots=True)
class Split:
    """A text in two parts."""

    new: str
    rest: str
    """What it quotes, and the signature; empty when there is neither."""


def split(text: str) -> Split:
    """Part what is new in a mail from the rest. A mail that only quotes is taken to be new as a whole."""
    lines = [line.rstrip() for line in text.split("\n")]
    tail = _quoted_tail(lines)
    end = next((at for at in range(tail) if _ends_at(lines, at)), tail)
    if new := _joined(lines[:end]):
        return Split(new, _joined(lines[end:]))
    if below := _written_below(lines):
        return Split(below, _joined(lines))
    return Split(_joined(lines), "")


def _quoted_tail(lines: list[str]) -> int:
    """Where the quote begins that the mail ends with; the number of lines if it ends with none."""
    tail = len(lines)
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].startswith(">"):
            tail = at
        elif lines[at]:
            break
    return tail


def _ends_at(lines: list[str], at: int) -> bool:
    line = lines[at]
    if not line or len(line) > LONGEST_LINE:
        return False
    return (
        line == _SIGNATURE
        or bool(_SENT_FROM.fullmatch(line))
        or bool(_SEPARATOR.fullmatch(line))
        or _starts_quote(lines, at)
        or _starts_header(lines, at)
    )


def _starts_quote(lines: list[str], at: int) -> bool:
    """A line such as `On Monday, Ann <ann@example.com> wrote:`, which programs break into up to three."""
    words = ""
    for line in lines[at : at + 3]:
        if not line or len(line) > LONGEST_LINE:
            return False
        words = f"{words} {line.strip()}".strip()
        if words.endswith((":", "\N{FULLWIDTH COLON}")) and _EVIDENCE.search(words):
            return any(verb in words.lower() for verb in _WROTE)
    return False


def _starts_header(lines: list[str], at: int) -> bool:
    """A block of header lines as Outlook puts it above a quote, perhaps under a rule."""
    first = at + 1 if _RULE.fullmatch(lines[at]) else at
    block = lines[first : first + 3]
    return len(block) == 3 and all(
        len(line) <= LONGEST_LINE and _HEADER_LINE.fullmatch(line) for line in block
    )


def _written_below(lines: list[str]) -> str:
    """What somebody wrote below or between what they quote."""
    first = next((at for at, line in enumerate(lines) if line.startswith(">")), len(lines))
    own = [line for line in lines[first:] if not line.startswith(">")]
    end = own.index(_SIGNATURE) if _SIGNATURE in own else len(own)
    return _joined(own[:end])


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n")
