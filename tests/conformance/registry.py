"""The conformance registry: a server with what the conformance suite asks for by name.

It stands where the product's own server stands, behind the same door, in the same application.
"""

from typing import Any, Final

from mcp.server.lowlevel.server import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    BlobResourceContents,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    EmbeddedResource,
    EmptyResult,
    GetPromptRequestParams,
    GetPromptResult,
    ImageContent,
    InputRequiredResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)

from chatwright.features.workspaces.pipeline import principal_of
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.face import Scopes
from tests.conformance.asking import ask_context
from tests.conformance.tools import PIXEL, FixtureTools

SCOPES: Final = Scopes(all=[], at_first=[])
_STATE_KEY: Final = bytes(range(32))
_BEFORE_ID, _AFTER_ID = "test://template/", "/data"


def conformance_server() -> "Server[dict[str, Any]]":
    """The registry as a server. `McpFace` puts it behind the door."""
    bus = InMemorySubscriptionBus()
    tools = FixtureTools(bus)
    server: Server[dict[str, Any]] = Server(
        "chatwright-conformance",
        version="1.0.0",
        get_tool_input_schema=tools.schema_of,
        on_list_tools=tools.answer_list,
        on_call_tool=tools.answer_call,
        on_list_resources=_list_resources,
        on_list_resource_templates=_list_templates,
        on_read_resource=_read,
        on_subscribe_resource=_subscribe,
        on_unsubscribe_resource=_unsubscribe,
        on_list_prompts=_list_prompts,
        on_get_prompt=_get_prompt,
        on_completion=_complete,
        on_subscriptions_listen=ListenHandler(bus),
    )
    server.add_request_handler("logging/setLevel", SetLevelRequestParams, _set_level)
    security = RequestStateSecurity(
        keys=[_STATE_KEY], bind_principal=lambda ctx: principal_of(caller_of(ctx))
    )
    server.middleware.append(RequestStateBoundary(security, default_audience="conformance"))
    return server


async def _list_resources(ctx: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
    del ctx, params
    resources = [
        Resource(uri=uri, name=uri.removeprefix("test://"), description="A fixture.", mime_type=mime_type)
        for uri, mime_type in (
            ("test://static-text", "text/plain"),
            ("test://static-binary", "image/png"),
            ("test://watched-resource", "text/plain"),
        )
    ]
    return ListResourcesResult(resources=resources)


async def _list_templates(ctx: Context, params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
    del ctx, params
    template = ResourceTemplate(
        uri_template=f"{_BEFORE_ID}{{id}}{_AFTER_ID}",
        name="numbered",
        description="A fixture for each number.",
    )
    return ListResourceTemplatesResult(resource_templates=[template])


async def _read(ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
    del ctx
    uri = str(params.uri)
    match uri:
        case "test://static-text" | "test://watched-resource":
            contents = TextResourceContents(uri=uri, mime_type="text/plain", text="Always the same.")
        case "test://static-binary":
            contents = BlobResourceContents(uri=uri, mime_type="image/png", blob=PIXEL)
        case _ if uri.startswith(_BEFORE_ID) and uri.endswith(_AFTER_ID):
            number = uri.removeprefix(_BEFORE_ID).removesuffix(_AFTER_ID)
            contents = TextResourceContents(
                uri=uri, mime_type="application/json", text=f'{{"number": "{number}"}}'
            )
        case _:
            raise MCPError(INVALID_PARAMS, "There is no such resource.", {"uri": uri})
    return ReadResourceResult(contents=[contents])


async def _subscribe(ctx: Context, params: SubscribeRequestParams) -> EmptyResult:
    del ctx, params
    return EmptyResult()


async def _unsubscribe(ctx: Context, params: UnsubscribeRequestParams) -> EmptyResult:
    del ctx, params
    return EmptyResult()


async def _set_level(ctx: Context, params: SetLevelRequestParams) -> EmptyResult:
    del ctx, params
    return EmptyResult()


_PROMPTS: Final = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}


async def _list_prompts(ctx: Context, params: PaginatedRequestParams | None) -> ListPromptsResult:
    del ctx, params
    prompts = [
        Prompt(
            name=name,
            description="A fixture.",
            arguments=[PromptArgument(name=argument, required=True) for argument in arguments],
        )
        for name, arguments in _PROMPTS.items()
    ]
    return ListPromptsResult(prompts=prompts)


async def _get_prompt(ctx: Context, params: GetPromptRequestParams) -> GetPromptResult | InputRequiredResult:
    del ctx
    given = params.arguments or {}
    if missing := set(_PROMPTS.get(params.name, ())) - given.keys():
        raise MCPError(INVALID_PARAMS, f"The prompt needs {', '.join(sorted(missing))}.")
    match params.name:
        case "test_simple_prompt":
            contents = [TextContent(text="Say something kind.")]
        case "test_prompt_with_arguments":
            contents = [TextContent(text=f"Compare {given['arg1']} with {given['arg2']}.")]
        case "test_prompt_with_embedded_resource":
            note = TextResourceContents(uri=given["resourceUri"], mime_type="text/plain", text="A note.")
            contents = [EmbeddedResource(resource=note), TextContent(text="Sum up the note.")]
        case "test_prompt_with_image":
            image = ImageContent(data=PIXEL, mime_type="image/png")
            contents = [image, TextContent(text="Describe the picture.")]
        case "test_input_required_result_prompt":
            return ask_context(params)
        case _:
            raise MCPError(INVALID_PARAMS, f"There is no prompt '{params.name}'.")
    return GetPromptResult(messages=[PromptMessage(role="user", content=content) for content in contents])


async def _complete(ctx: Context, params: CompleteRequestParams) -> CompleteResult:
    del ctx
    words = [word for word in ("tea", "test", "toast") if word.startswith(params.argument.value)]
    return CompleteResult(completion=Completion(values=words, total=len(words), has_more=False))
