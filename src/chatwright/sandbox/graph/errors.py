"""Errors as the Graph API tells them, in an answer and inside a status."""

import secrets
from typing import Any

from starlette.responses import JSONResponse, Response

TITLES = {
    1: "An unknown error occurred",
    2: "Service temporarily unavailable",
    4: "Application request limit reached",
    10: "Application does not have permission for this action",
    17: "User request limit reached",
    32: "Page request limit reached",
    33: "The business phone number has been deleted",
    100: "Invalid parameter",
    190: "Error validating access token",
    368: "The action attempted has been deemed abusive or is otherwise disallowed",
    551: "This person isn't available right now",
    613: "Calls to this api have exceeded the rate limit",
    80007: "There have been too many calls from this account",
    130429: "Rate limit hit",
    130472: "User's number is part of an experiment",
    130497: "Business account is restricted from messaging users in this country",
    131000: "Something went wrong",
    131005: "Access denied",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131016: "Service unavailable",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131030: "Recipient phone number not in allowed list",
    131031: "Business account has been locked",
    131037: "Display name approval needed before messages can be sent",
    131042: "Business eligibility payment issue",
    131045: "Incorrect certificate",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131049: "This message was not delivered to maintain healthy ecosystem engagement",
    131050: "Unable to deliver the message: the recipient stopped marketing messages",
    131051: "Unsupported message type",
    131052: "Media download error",
    131053: "Media upload error",
    131056: "Business account, consumer account pair rate limit hit",
    131057: "Account in maintenance mode",
    131062: "Business-scoped user id recipients are not supported for this message",
    132000: "Template parameter count mismatch",
    132001: "Template does not exist",
    132005: "Template hydrated text too long",
    132007: "Template format character policy violated",
    132012: "Template parameter format mismatch",
    132015: "Template is paused",
    132016: "Template is disabled",
    133010: "Phone number not registered",
    135000: "Generic user error",
}
_STATUSES = {
    1: 500,
    2: 503,
    10: 403,
    190: 401,
    368: 403,
    130429: 429,
    131000: 500,
    131005: 403,
    131016: 503,
    131031: 403,
    131057: 500,
    132001: 404,
}
_TRANSIENT = {1, 2, 4, 17, 32, 613, 80007, 130429, 131016, 131056, 131057}
_HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


class GraphError(Exception):
    """A refusal by the Graph API."""

    def __init__(
        self,
        code: int,
        details: str = "",
        *,
        subcode: int | None = None,
        message: str = "",
        type_: str = "OAuthException",
    ) -> None:
        self.code = code
        self.subcode = subcode
        self.details = details
        self.message = message or TITLES.get(code, "An error occurred")
        self.type = type_
        super().__init__(self.message)

    @property
    def name(self) -> str:
        """The code, with the subcode behind a slash."""
        return str(self.code) if self.subcode is None else f"{self.code}/{self.subcode}"

    def body(self, *, whatsapp: bool) -> dict[str, Any]:
        """The body of an answer; only WhatsApp tells details apart."""
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {self.message}",
            "type": self.type,
            "code": self.code,
        }
        if whatsapp and self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        elif self.details:
            error["message"] = f"(#{self.code}) {self.details}"
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.code in _TRANSIENT:
            error["is_transient"] = True
        return {"error": {**error, "fbtrace_id": "A" + secrets.token_urlsafe(16)}}

    def response(self, *, whatsapp: bool) -> Response:
        """The whole answer."""
        return JSONResponse(self.body(whatsapp=whatsapp), _STATUSES.get(self.code, 400))

    def in_status(self) -> dict[str, Any]:
        """The form inside `statuses[].errors` and `messages[].errors`."""
        return {
            "code": self.code,
            "title": self.message,
            "message": self.message,
            "error_data": {"details": self.details or self.message},
            "href": _HREF,
        }


def missing(name: str) -> GraphError:
    """A parameter of the call itself is missing."""
    return GraphError(100, message=f"The parameter {name} is required.")


def invalid(details: str) -> GraphError:
    """A parameter has a value that the provider does not take."""
    return GraphError(100, message=details)


def no_object(node: str) -> GraphError:
    """What is asked for does not exist, or not for this token."""
    return GraphError(
        100,
        message=f"Unsupported request. Object with ID '{node}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation.",
        subcode=33,
        type_="GraphMethodException",
    )


def named(name: str) -> GraphError:
    """The error that a fault names: a code, or a code and a subcode with a slash between."""
    code, _, subcode = name.partition("/")
    return GraphError(int(code), subcode=int(subcode) if subcode else None)
