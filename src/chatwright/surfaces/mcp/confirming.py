"""Asking the person behind a client, in the round trip that the newest revision has for it.

The call is answered with a form to confirm. Its state, sealed by the SDK's boundary for this principal, tool and
arguments, is the confirm token itself: whoever sends it back with a yes makes the same call again with that token,
on any process. Other clients get the token in the error, with the preview, and call again by themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from chatwright.features.workspaces.confirmations.tokens import GOOD_SECONDS
from chatwright.features.workspaces.keys import principal_of
from chatwright.kernel.errors import ConfirmationRequired
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.site import Site
from chatwright.surfaces.mcp.answers import SUMMARY_PLACE, outside_preview
from chatwright.surfaces.mcp.context import Context, caller_of

_FORM: Final = "confirm"
_FIELD: Final = "go_ahead"
_MESSAGE_PLACE: Final = f"/inputRequests/{_FORM}/params/message"
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {_FIELD: {"type": "boolean", "title": "Yes, go ahead", "default": False}},
    "required": [_FIELD],
}
_SEALING: Final = "mcp request state"
"""What the key is derived for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person said to a form."""

    yes: bool
    confirm_token: str
    """The token of the call that was asked about."""


def asks_in_form(ctx: Context) -> bool:
    """Whether the client can put a form before its person within this call."""
    capabilities = ctx.session.client_capabilities
    elicitation = None if capabilities is None else capabilities.elicitation
    if elicitation is None or ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return False
    # An empty declaration means forms, from the time when there was nothing else.
    return elicitation.form is not None or elicitation.url is None


def form_for(error: ConfirmationRequired, operation: AnyOperation) -> InputRequiredResult:
    """The form that asks what an error asks."""
    details = cast("Mapping[str, Any]", error.details)
    form = ElicitRequestFormParams(message=details["preview"]["summary"], requested_schema=_SCHEMA)
    quotes = SUMMARY_PLACE in dict(outside_preview(details, operation))
    return InputRequiredResult(
        input_requests={_FORM: ElicitRequest(params=form)},
        request_state=details["confirm_token"],
        _meta={"outside": [_MESSAGE_PLACE]} if quotes else None,
    )


def reply_in(ctx: Context) -> Reply | None:
    """What the person said, where this is the call made again with it; None for a call that was not asked about."""
    params = ctx.params or {}
    token, responses = params.get("requestState"), params.get("inputResponses")
    if not isinstance(token, str) or not isinstance(responses, Mapping):
        return None
    try:
        said = ElicitResult.model_validate(cast("Mapping[str, Any]", responses).get(_FORM))
    except ValidationError:
        return Reply(yes=False, confirm_token=token)
    agreed = said.action == "accept" and (said.content or {}).get(_FIELD) is True
    return Reply(yes=agreed, confirm_token=token)


def sealed_states(site: Site) -> RequestStateBoundary:
    """What seals states on their way out and judges them on their way in, alike in every process and after restarts.

    The ring of keys has one: another master key is another product to its secrets too. A second one, put behind
    the first, would still be read.
    """
    security = RequestStateSecurity(
        keys=[site.cipher.sign(b"request state", _SEALING)],
        ttl=float(GOOD_SECONDS),
        bind_principal=lambda ctx: principal_of(caller_of(ctx)),
        audience=site.public_url,
    )
    return RequestStateBoundary(security, default_audience=site.public_url)
