"""Every error the product raises on purpose, as one tree.

    ChatwrightError
    ├── InvalidInput                INVALID_ARGUMENT          422
    │   └── InvalidCursor           INVALID_CURSOR            422
    ├── Unauthenticated             UNAUTHENTICATED           401
    ├── Forbidden                   FORBIDDEN                 403
    │   ├── ScopeMissing            INSUFFICIENT_SCOPE        403
    │   ├── OutsideGrant            OUTSIDE_GRANT             403
    │   ├── ConfirmationRequired    CONFIRMATION_REQUIRED     403
    │   ├── ConfirmationDeclined    CONFIRMATION_DECLINED     403
    │   ├── ConfirmationInvalid     CONFIRMATION_INVALID      403
    │   └── ApprovalRequired        APPROVAL_REQUIRED         403
    ├── NotFound                    NOT_FOUND                 404
    │   └── UnknownOperation        UNKNOWN_OPERATION         404
    ├── Conflict                    CONFLICT                  409
    │   ├── IdempotencyConflict     IDEMPOTENCY_CONFLICT      409
    │   └── IdempotencyInProgress   IDEMPOTENCY_IN_PROGRESS   409  retryable
    ├── PayloadTooLarge             PAYLOAD_TOO_LARGE         413
    ├── RateLimitExceeded           RATE_LIMIT_EXCEEDED       429  retryable
    ├── Misconfigured               MISCONFIGURED             500
    ├── Internal                    INTERNAL                  500
    ├── DeadlineExceeded            DEADLINE_EXCEEDED         504  retryable
    └── Unavailable                 UNAVAILABLE               503  retryable

Rooms hang their own leaves (`ContactNotFound` under `NotFound`) in an `errors.py` of their own.
The code is the contract: it never changes once released. The message is our own words, safe to
show to a person or a model; it never carries a secret or a stack trace.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from chatwright.kernel.names import shown_name


class FieldProblem(BaseModel):
    """One thing wrong with one field of a request."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    path: str
    """Dotted path of the field, e.g. `emails.0.address`; empty for the request as a whole."""
    message: str
    """What is wrong, in words."""


_ID = "This is no id. Ids are UUIDs, as lists and searches show them."
_TEXT = "This has to be text."
_WHOLE = "This has to be a whole number."
_NUMBER = "This has to be a number."
_SWITCH = "This has to be true or false."
_OBJECT = "This has to be an object."
_LIST = "This has to be a list."
_CHOICE = "This has to be one of {expected}."
_MOMENT = "This has to be a moment with its time zone, such as 2026-01-31T09:30:00Z."
_DATE = "This has to be a date such as 2026-01-31."
_TIME = "This has to be a time of day such as 09:30."

_WORDS: Mapping[str, str] = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field.",
    "union_tag_invalid": "There is no such kind; the kinds are {expected_tags}.",
    "union_tag_not_found": "Say which kind it is, by {discriminator}.",
    "uuid_type": _ID,
    "uuid_parsing": _ID,
    "string_type": _TEXT,
    "string_too_short": "This is too short: {min_length} or more characters are needed.",
    "string_too_long": "This is too long: {max_length} characters fit.",
    "string_pattern_mismatch": "This has to match {pattern}.",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "too_short": "There are too few: {min_length} or more are needed.",
    "too_long": "There are too many: {max_length} fit.",
    "literal_error": _CHOICE,
    "enum": _CHOICE,
    "greater_than": "This has to be more than {gt}.",
    "greater_than_equal": "This has to be {ge} or more.",
    "less_than": "This has to be less than {lt}.",
    "less_than_equal": "This has to be {le} or less.",
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "timezone_aware": _MOMENT,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "time_type": _TIME,
    "time_parsing": _TIME,
}
"""Our words where pydantic speaks of its own concepts, with what the model asks for, never with what was given."""

_BRANCH = re.compile(
    r"(literal|list|dict|tuple|set|nullable|lax-or-strict|json-or-python|function-[a-z]+)\[.*\]|constrained-[a-z]+",
    re.DOTALL,
)
"""What pydantic calls a branch of a union, in the place of a field's name, e.g. `literal['a','b']`."""


def field_problems(error: ValidationError, *, under: str = "") -> list[FieldProblem]:
    """What pydantic found, field by field, with paths below `under`; never the values themselves."""
    messages: dict[str, list[str]] = {}
    for found in error.errors(include_url=False, include_input=False):
        names = [shown_name(name) for name in found["loc"] if not _BRANCH.fullmatch(str(name))]
        path = ".".join([*([under] if under else []), *names])
        messages.setdefault(path, []).append(_words(found))
    return [FieldProblem(path=path, message=" Or: ".join(said)) for path, said in messages.items()]


def _words(found: ErrorDetails) -> str:
    """What is wrong, as a sentence."""
    words = _WORDS.get(found["type"])
    if words is not None:
        return words.format_map(found.get("ctx", {}))
    text = found["msg"].removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def told(problems: Sequence[FieldProblem]) -> str:
    """Field problems as the end of a sentence, with its full stop."""
    return "; ".join(f"{p.path or 'request'}: {p.message.rstrip('.')}" for p in problems) + "."


class Problem(BaseModel):
    """What every face shows of an error."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    code: str
    """Stable, upper-case name of the error."""
    message: str
    """What happened, in words."""
    retryable: bool = False
    """Whether the same call may succeed later."""
    retry_after_ms: int | None = None
    """How long to wait before trying again, in milliseconds, where that is known."""
    fields: list[FieldProblem] = []
    """The fields at fault, for invalid input."""
    details: dict[str, Any] | None = None
    """The facts behind it, where there are any: what a decision was made on."""
    hint: str | None = None
    """What to do next, where there is something to do."""
    request_id: str | None = None
    """The id under which logs and the audit trail know this call."""


class ChatwrightError(Exception):
    """The root: an error with a stable code, an HTTP status and words a caller can act on."""

    code: ClassVar[str] = "ERROR"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    hint: str | None = None

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retry_after_ms: int | None = None,
        fields: Sequence[FieldProblem] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """`details` are JSON values that the caller may see."""
        super().__init__(message)
        self.message = message
        self.hint = hint or self.hint
        self.retry_after_ms = retry_after_ms
        self.fields = tuple(fields)
        self.details = None if details is None else dict(details)

    def problem(self, request_id: str | None = None) -> Problem:
        """Put this error into the one shape that every face shows."""
        return Problem(
            code=self.code,
            message=self.message,
            retryable=self.retryable,
            retry_after_ms=self.retry_after_ms,
            fields=list(self.fields),
            details=self.details,
            hint=self.hint,
            request_id=request_id,
        )


class InvalidInput(ChatwrightError):
    code = "INVALID_ARGUMENT"
    http_status = 422


class InvalidCursor(InvalidInput):
    code = "INVALID_CURSOR"
    hint = "Start again without a cursor."

    def __init__(self, message: str) -> None:
        super().__init__(message, fields=[FieldProblem(path="cursor", message=message)])


class Unauthenticated(ChatwrightError):
    code = "UNAUTHENTICATED"
    http_status = 401


class Forbidden(ChatwrightError):
    code = "FORBIDDEN"
    http_status = 403


class ScopeMissing(Forbidden):
    code = "INSUFFICIENT_SCOPE"

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"This call needs the scope '{scope}', which the caller does not have.",
            hint="Ask the workspace owner for a token or role with this scope.",
        )
        self.scope = scope


class OutsideGrant(Forbidden):
    code = "OUTSIDE_GRANT"
    hint = "Ask the person who gave this access for a grant that covers it."


class ConfirmationRequired(Forbidden):
    code = "CONFIRMATION_REQUIRED"
    hint = "Show the preview to your user. If they agree, repeat the call with details.confirm_token as confirm_token."


class ConfirmationDeclined(Forbidden):
    code = "CONFIRMATION_DECLINED"
    hint = "Your user said no. Ask them what they want before you try anything like it."


class ConfirmationInvalid(Forbidden):
    code = "CONFIRMATION_INVALID"
    hint = "Repeat the call without confirm_token to be given a new one."


class ApprovalRequired(Forbidden):
    code = "APPROVAL_REQUIRED"
    hint = "A person has to approve this call first. get_approval shows what became of it, by details.approval_id."


class NotFound(ChatwrightError):
    code = "NOT_FOUND"
    http_status = 404


class UnknownOperation(NotFound):
    code = "UNKNOWN_OPERATION"


class Conflict(ChatwrightError):
    code = "CONFLICT"
    http_status = 409


class IdempotencyConflict(Conflict):
    code = "IDEMPOTENCY_CONFLICT"
    hint = "Use a new idempotency key for a call with other arguments."


class IdempotencyInProgress(Conflict):
    code = "IDEMPOTENCY_IN_PROGRESS"
    retryable = True


class PayloadTooLarge(ChatwrightError):
    code = "PAYLOAD_TOO_LARGE"
    http_status = 413


class RateLimitExceeded(ChatwrightError):
    code = "RATE_LIMIT_EXCEEDED"
    http_status = 429
    retryable = True


class Misconfigured(ChatwrightError):
    code = "MISCONFIGURED"


class Internal(ChatwrightError):
    code = "INTERNAL"


class DeadlineExceeded(ChatwrightError):
    code = "DEADLINE_EXCEEDED"
    http_status = 504
    retryable = True


class Unavailable(ChatwrightError):
    code = "UNAVAILABLE"
    http_status = 503
    retryable = True
