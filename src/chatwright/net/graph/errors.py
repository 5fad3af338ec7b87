"""What Meta's APIs answer when they refuse, read and mapped onto what it asks of us.

    {"error": {"message": "...", "type": "OAuthException", "code": 131047, "error_subcode": 1,
               "is_transient": false, "error_user_msg": "...", "error_data": {"details": "..."} or "..."}}

`type` says nothing: nearly every error of the Graph API is an `OAuthException`, a missing template too. What counts
is the code with its subcode, then the HTTP status. The same codes come in the body of a refused call and, for
WhatsApp, later in a message's status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chatwright.net.graph.reactions import Rule, rule_for
from chatwright.net.graph.usage import Usage
from chatwright.net.http import Answer
from chatwright.net.reading import as_code, as_map, as_text, dig
from chatwright.ports.sending import Reaction

LONGEST_DETAIL = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as Meta words it."""

    code: int | None = None
    """None where the answer was none of the Graph API's."""
    subcode: int | None = None
    message: str | None = None
    details: str | None = None
    """What exactly was wrong; Meta asks that logic be built on codes and this, never on titles."""
    user_message: str | None = None
    """Words that Meta means for people."""
    transient: bool = False
    status: int | None = None
    """HTTP status; None for an error told later, in a webhook."""
    trace: str | None = None
    """What Meta's support asks for."""

    @property
    def reaction(self) -> Reaction:
        """What it asks of us."""
        rule = self._rule()
        return rule.reaction if rule else _by_status(self)

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, where its kind has a usual wait."""
        rule = self._rule()
        return rule.retry_after if rule else None

    @property
    def scope(self) -> Literal["inbox", "pair"]:
        """What has to wait."""
        rule = self._rule()
        return rule.scope if rule else "inbox"

    @property
    def label(self) -> str | None:
        """The code in one word, e.g. `131047` or `10/2018278`; `HTTP 502` where Meta gave none."""
        if self.code is None:
            return f"HTTP {self.status}" if self.status else None
        return str(self.code) if self.subcode is None else f"{self.code}/{self.subcode}"

    @property
    def words(self) -> str:
        """What happened, for people: our own words where we have some, with what Meta says of the details."""
        rule = self._rule()
        theirs = self.details or self.user_message or self.message
        parts = [rule.words if rule else None, theirs]
        return " ".join(part for part in parts if part)[:LONGEST_DETAIL] or "Meta refused without saying why."

    def _rule(self) -> Rule | None:
        return rule_for(self.code, self.subcode)


class GraphError(Exception):
    """A call that Meta refused."""

    def __init__(self, refusal: Refusal, usage: Usage, retry_after: float | None = None) -> None:
        super().__init__(refusal.label)
        self.refusal = refusal
        self.usage = usage
        self.retry_after = retry_after
        """Seconds that the answer's header asks to wait."""


def read_refusal(error: object, status: int | None = None) -> Refusal:
    """One error object of a body or a webhook; whatever is missing or odd in it is left out."""
    fields = as_map(error)
    data = fields.get("error_data")
    return Refusal(
        code=as_code(fields.get("code")),
        subcode=as_code(fields.get("error_subcode")) or None,
        message=as_text(fields.get("message")) or as_text(fields.get("title")),
        details=as_text(dig(data, "details")) or as_text(data),
        user_message=as_text(fields.get("error_user_msg")),
        transient=fields.get("is_transient") is True,
        status=status,
        trace=as_text(fields.get("fbtrace_id")),
    )


def first_refusal(errors: Sequence[object]) -> Refusal | None:
    """The first of a webhook's `errors`; None when there are none."""
    return read_refusal(errors[0]) if errors else None


def refusal_in(answer: Answer) -> Refusal | None:
    """The error that an answer carries, also with a status of success; None for a good answer."""
    error = as_map(answer.json()).get("error")
    if error is None and answer.status < 300:
        return None
    return read_refusal(error, answer.status)


def _by_status(refusal: Refusal) -> Reaction:
    """What an error asks of us whose code nobody here knows."""
    status = refusal.status or 0
    if status == 429:
        return Reaction.RETRY_AFTER
    if refusal.transient or status in {408, 425, 503} or 300 <= status < 400:
        return Reaction.RETRY
    if status == 401:
        return Reaction.REFRESH_TOKEN
    if status >= 500 or 200 <= status < 300:
        # An error of the Graph API says that nothing was done; another server's on the way says nothing of that.
        return Reaction.RETRY if refusal.code is not None else Reaction.UNKNOWN
    return Reaction.BAD_PAYLOAD
