"""Errors of the MCP face, and how errors of the product travel over its wire."""

from collections.abc import Iterable
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from chatwright.kernel.errors import (
    ChatwrightError,
    Forbidden,
    InvalidInput,
    NotFound,
    Problem,
    ScopeMissing,
)

RESOURCE_NOT_FOUND = -32002
"""What revisions before 2026-07-28 answer for an unknown resource; since then it is INVALID_PARAMS."""


class MethodNotAllowed(InvalidInput):
    code = "METHOD_NOT_ALLOWED"
    http_status = 405


class WrongHost(InvalidInput):
    code = "WRONG_HOST"
    http_status = 421
    hint = "Reach the server under its public URL, or name this host among those it answers to."


class WrongOrigin(Forbidden):
    code = "WRONG_ORIGIN"
    hint = "Name this origin among those the server answers to."


class TokenInAddress(InvalidInput):
    code = "TOKEN_IN_ADDRESS"
    http_status = 400
    hint = (
        "Send the header 'Authorization: Bearer ...', and replace this token: addresses are written to logs."
    )

    def __init__(self) -> None:
        super().__init__("Access tokens are not taken from the address of a request.")


class StepUpNeeded(ScopeMissing):
    """A message that the caller's scopes do not cover, with all that a token for it should have."""

    def __init__(self, missing: ScopeMissing, scopes: Iterable[str]) -> None:
        super().__init__(missing.scope)
        self.scopes = sorted(scopes)


class MalformedRequest(InvalidInput):
    code = "MALFORMED_REQUEST"
    http_status = 400


def wire_problem(problem: Problem) -> dict[str, Any]:
    """A problem as JSON values, without what it does not say."""
    return problem.model_dump(mode="json", exclude_none=True)


def protocol_error(
    error: ChatwrightError, *, request_id: str, protocol_version: str, resource: bool = False
) -> MCPError:
    """The JSON-RPC error for a failure outside of tools, whose results carry their own errors."""
    if resource and isinstance(error, NotFound) and protocol_version not in MODERN_PROTOCOL_VERSIONS:
        code = RESOURCE_NOT_FOUND
    elif isinstance(error, InvalidInput | NotFound | Forbidden):
        code = INVALID_PARAMS
    else:
        code = INTERNAL_ERROR
    return MCPError(code, error.message, wire_problem(error.problem(request_id)))
