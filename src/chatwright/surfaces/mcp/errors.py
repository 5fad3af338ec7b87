"""Errors of the MCP face, and how errors of the product travel over its wire."""

from typing import Any

from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from chatwright.kernel.errors import ChatwrightError, Forbidden, InvalidInput, NotFound, Problem

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
