"""What the codes of mail servers (RFC 5321, RFC 3463) ask of us."""

import re
from dataclasses import dataclass

from chatwright.ports.sending import Reaction

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_BASIC = re.compile(r"(?<![\d.])([245]\d\d)(?![\d.])")
_NOBODY = re.compile(
    r"(user|recipient|mailbox|address|account)\W.{0,40}(unknown|not found|not exist|doesn't exist|disabled|invalid)|"
    r"(unknown|no such|invalid) (user|recipient|mailbox|address)",
    re.IGNORECASE,
)
"""How servers without enhanced codes say that nobody is there."""
NOBODY_THERE = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
"""X.1.1 unknown mailbox, .2 unknown system, .3 bad syntax, .6 moved away, .10 null MX (RFC 7505), X.2.1 disabled."""
_LOGIN = frozenset({530, 534, 535, 538})
"""RFC 4954, section 6: sign in, other mechanism, wrong credentials, encryption needed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a server said, as codes."""

    basic: int
    """The three digits; 0 when there are none."""
    enhanced: str | None
    """Subject and detail of the enhanced code, e.g. `1.1` of 5.1.1; None when it is missing or says nothing (0.0)."""
    words: str

    @property
    def code(self) -> str:
        """As one reads it: `550 5.1.1`."""
        severity = str(self.basic)[:1]
        return f"{self.basic} {severity}.{self.enhanced}" if self.enhanced else str(self.basic)


def read_answer(basic: int, words: str) -> Verdict:
    """What a server answered to a command."""
    return Verdict(basic, _told_by(words), words)


def read_report(status: str, diagnostic: str) -> Verdict:
    """What a report says: its status, or the answer it passes on where the status itself says nothing."""
    told = _ENHANCED.search(status)
    severity = int(told[1]) if told else 5
    answered = _BASIC.search(diagnostic.partition(";")[2])
    return Verdict(
        int(answered[1]) if answered else severity * 100,
        _told_by(status) or _told_by(diagnostic),
        diagnostic.partition(";")[2].strip() or diagnostic,
    )


def reaction_to(verdict: Verdict) -> Reaction:
    """What to do about it."""
    if verdict.basic in _LOGIN:
        return Reaction.RECONNECT
    # A full mailbox may be emptied, whatever the first digit claims.
    if verdict.basic < 500 or verdict.enhanced == "2.2":
        return Reaction.RETRY
    if verdict.enhanced in NOBODY_THERE:
        return Reaction.UNREACHABLE
    if verdict.enhanced is None and _NOBODY.search(verdict.words):
        return Reaction.UNREACHABLE
    return Reaction.BAD_PAYLOAD


def _told_by(words: str) -> str | None:
    """The first enhanced code that says something."""
    for _, subject, detail in _ENHANCED.findall(words):
        if (subject, detail) != ("0", "0"):
            return f"{int(subject)}.{int(detail)}"
    return None
