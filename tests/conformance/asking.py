"""Fixtures that need something of their caller before they can answer."""

from collections.abc import Mapping
from typing import Any, Final

from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    ClientCapabilities,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequest,
    InputRequiredResult,
    InputResponseRequestParams,
    ListRootsRequest,
    ListRootsResult,
    PromptMessage,
    RootsCapability,
    SamplingCapability,
    SamplingMessage,
    TextContent,
)
from mcp_types import MissingRequiredClientCapabilityErrorData

from chatwright.surfaces.mcp.context import Context

SAMPLING: Final = ClientCapabilities(sampling=SamplingCapability())
ELICITATION: Final = ClientCapabilities(elicitation=ElicitationCapability())
ROOTS: Final = ClientCapabilities(roots=RootsCapability())


# --- During the call, on the revisions that have a way back ---------------------------------------------------


async def ask_model(ctx: Context, prompt: str) -> str:
    """What the caller's model says to a prompt."""
    require(ctx, SAMPLING)
    answer = await ctx.session.send_request(
        _sampling(prompt), CreateMessageResult, metadata=ServerMessageMetadata(ctx.request_id)
    )
    return _said(answer)


async def ask_person(ctx: Context, message: str, properties: Mapping[str, Any], *required: str) -> str:
    """What the caller's person did with a form."""
    require(ctx, ELICITATION)
    schema = {"type": "object", "properties": dict(properties), "required": list(required)}
    answer = await ctx.session.elicit_form(message, schema, ctx.request_id)
    return f"{answer.action}: {answer.content}"


def require(ctx: Context, capability: ClientCapabilities) -> None:
    """Refuse a caller that did not say it can do what is needed."""
    if not ctx.session.check_client_capability(capability):
        data = MissingRequiredClientCapabilityErrorData(required_capabilities=capability)
        raise MCPError(
            MISSING_REQUIRED_CLIENT_CAPABILITY,
            "This needs a client that can do more.",
            data.model_dump(by_alias=True, exclude_none=True),
        )


# --- By round trips, since 2026-07-28 -------------------------------------------------------------------------

NAME: Final = {"name": {"type": "string"}}


def ask_name(params: InputResponseRequestParams) -> str | InputRequiredResult:
    if (form := _form(params, "user_name")) is None:
        return InputRequiredResult(input_requests={"user_name": _elicitation("Who are you?", NAME)})
    return f"Good day, {form['name']}."


def ask_capital(params: InputResponseRequestParams) -> str | InputRequiredResult:
    match (params.input_responses or {}).get("capital_question"):
        case CreateMessageResult() as answer:
            return _said(answer)
        case _:
            return InputRequiredResult(input_requests={"capital_question": _sampling("Capital of Peru?")})


def ask_roots(params: InputResponseRequestParams) -> str | InputRequiredResult:
    match (params.input_responses or {}).get("client_roots"):
        case ListRootsResult() as answer:
            return ", ".join(str(root.uri) for root in answer.roots)
        case _:
            return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})


def ask_with_state(params: InputResponseRequestParams) -> str | InputRequiredResult:
    if params.request_state == "asked" and _form(params, "confirm") is not None:
        return "state-ok"
    question = _elicitation("Shall we?", {"ok": {"type": "boolean"}})
    return InputRequiredResult(input_requests={"confirm": question}, request_state="asked")


def ask_much(params: InputResponseRequestParams) -> str | InputRequiredResult:
    questions: dict[str, InputRequest] = {
        "user_name": _elicitation("Who are you?", NAME),
        "greeting": _sampling("Say good day."),
        "client_roots": ListRootsRequest(),
    }
    if params.request_state == "asked" and questions.keys() <= (params.input_responses or {}).keys():
        return "Everything was answered."
    return InputRequiredResult(input_requests=questions, request_state="asked")


def ask_twice(params: InputResponseRequestParams) -> str | InputRequiredResult:
    if (form := _form(params, "step1")) is not None and params.request_state == "first":
        colour = _elicitation("Which colour?", {"color": {"type": "string"}})
        return InputRequiredResult(input_requests={"step2": colour}, request_state=f"second:{form['name']}")
    if (form := _form(params, "step2")) is not None and params.request_state:
        return f"{params.request_state.removeprefix('second:')} likes {form['color']}."
    return InputRequiredResult(
        input_requests={"step1": _elicitation("Who are you?", NAME)}, request_state="first"
    )


def ask_what_it_can(ctx: Context, params: InputResponseRequestParams) -> str | InputRequiredResult:
    """Ask for all that the caller said it can do, and nothing else."""
    questions: dict[str, tuple[ClientCapabilities, InputRequest]] = {
        "name": (ELICITATION, _elicitation("Who are you?", NAME)),
        "greeting": (SAMPLING, _sampling("Say good day.")),
        "roots": (ROOTS, ListRootsRequest()),
    }
    able = {
        key: question
        for key, (capability, question) in questions.items()
        if ctx.session.check_client_capability(capability)
    }
    if not able or params.input_responses:
        return "Nothing more to ask."
    return InputRequiredResult(input_requests=able)


def ask_context(params: GetPromptRequestParams) -> GetPromptResult | InputRequiredResult:
    """A prompt that is written once its reader has said what for."""
    if (form := _form(params, "user_context")) is None:
        question = _elicitation("What is it for?", {"context": {"type": "string"}})
        return InputRequiredResult(input_requests={"user_context": question})
    message = PromptMessage(role="user", content=TextContent(text=f"Think of {form['context']}."))
    return GetPromptResult(messages=[message])


def _form(params: InputResponseRequestParams, key: str) -> dict[str, Any] | None:
    match (params.input_responses or {}).get(key):
        case ElicitResult(action="accept", content=content):
            return dict(content or {})
        case _:
            return None


def _elicitation(message: str, properties: Mapping[str, Any]) -> ElicitRequest:
    schema = {"type": "object", "properties": dict(properties), "required": list(properties)}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _sampling(prompt: str) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(text=prompt))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=60))


def _said(answer: CreateMessageResult) -> str:
    return answer.content.text if isinstance(answer.content, TextContent) else answer.content.type
