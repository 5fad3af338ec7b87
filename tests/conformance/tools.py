"""The tools that the conformance suite calls by name."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    LOG_LEVEL_META_KEY,
    AudioContent,
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    InputRequiredResult,
    InputResponseRequestParams,
    ListToolsResult,
    LoggingMessageNotification,
    LoggingMessageNotificationParams,
    PaginatedRequestParams,
    TextContent,
    TextResourceContents,
    Tool,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from chatwright.surfaces.mcp.context import Context
from tests.conformance import asking

PIXEL: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
"""A grey PNG of one pixel."""
SILENCE: Final = "UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQQAAACAgICA"
"""A WAV of four samples."""
MOMENT: Final = 0.01

Answer = CallToolResult | InputRequiredResult
Run = Callable[[Context, CallToolRequestParams], Awaitable[Answer]]


@dataclass(frozen=True)
class Fixture:
    """A tool and what it does."""

    run: Run
    description: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})


class FixtureTools:
    """Answers tools/list and tools/call."""

    def __init__(self, bus: InMemorySubscriptionBus) -> None:
        self._fixtures = {**_contents(), **_during(bus), **_forms(), **_rounds(), **_schemas()}

    def schema_of(self, name: str) -> dict[str, Any] | None:
        return fixture.schema if (fixture := self._fixtures.get(name)) else None

    async def answer_list(self, ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        del ctx, params
        tools = [
            Tool(name=name, description=fixture.description, input_schema=fixture.schema)
            for name, fixture in self._fixtures.items()
        ]
        return ListToolsResult(tools=tools)

    async def answer_call(self, ctx: Context, params: CallToolRequestParams) -> Answer:
        if (fixture := self._fixtures.get(params.name)) is None:
            raise MCPError(INVALID_PARAMS, f"There is no tool '{params.name}'.")
        return await fixture.run(ctx, params)


def _contents() -> dict[str, Fixture]:
    """Tools that answer with each kind of content."""
    text = TextContent(text="Some text.")
    image = ImageContent(data=PIXEL, mime_type="image/png")
    sound = AudioContent(data=SILENCE, mime_type="audio/wav")
    note = EmbeddedResource(
        resource=TextResourceContents(uri="test://note", mime_type="text/plain", text="A note.")
    )
    return {
        "test_simple_text": Fixture(_always(text), "Answers with a text."),
        "test_image_content": Fixture(_always(image), "Answers with an image."),
        "test_audio_content": Fixture(_always(sound), "Answers with a sound."),
        "test_embedded_resource": Fixture(_always(note), "Answers with a resource."),
        "test_multiple_content_types": Fixture(_always(text, image, note), "Answers with three kinds."),
        "test_error_handling": Fixture(_fail, "Fails whatever is asked."),
    }


def _during(bus: InMemorySubscriptionBus) -> dict[str, Fixture]:
    """Tools that say something, or change something, before they answer."""

    async def change_tools(ctx: Context, params: CallToolRequestParams) -> Answer:
        del ctx, params
        await bus.publish(ToolsListChanged())
        return _text("The tools have changed.")

    async def change_prompts(ctx: Context, params: CallToolRequestParams) -> Answer:
        del ctx, params
        await bus.publish(PromptsListChanged())
        return _text("The prompts have changed.")

    return {
        "test_tool_with_logging": Fixture(_log, "Logs three lines."),
        "test_logging_tool": Fixture(_log, "Logs three lines to whoever asked for a log."),
        "test_tool_with_progress": Fixture(_progress, "Tells how far it is, three times."),
        "test_streaming_elicitation": Fixture(_progress, "Tells how far it is, and asks nothing."),
        "test_reconnection": Fixture(
            _always(TextContent(text="Done.")), "Answers on the stream it is asked."
        ),
        "test_trigger_tool_change": Fixture(change_tools, "Tells subscribers of other tools."),
        "test_trigger_prompt_change": Fixture(change_prompts, "Tells subscribers of other prompts."),
    }


def _forms() -> dict[str, Fixture]:
    """Tools that ask a person or a model while they run."""

    async def sample(ctx: Context, params: CallToolRequestParams) -> Answer:
        return _text(await asking.ask_model(ctx, (params.arguments or {})["prompt"]))

    async def elicit(ctx: Context, params: CallToolRequestParams) -> Answer:
        message = (params.arguments or {})["message"]
        return _text(await asking.ask_person(ctx, message, _PERSON, *_PERSON))

    async def elicit_defaults(ctx: Context, params: CallToolRequestParams) -> Answer:
        del params
        return _text(await asking.ask_person(ctx, "Check what we know.", _DEFAULTS))

    async def elicit_choices(ctx: Context, params: CallToolRequestParams) -> Answer:
        del params
        return _text(await asking.ask_person(ctx, "Choose.", _CHOICES))

    async def need_a_model(ctx: Context, params: CallToolRequestParams) -> Answer:
        del params
        asking.require(ctx, asking.SAMPLING)
        return _text("Your client has a model.")

    return {
        "test_sampling": Fixture(sample, "Asks the caller's model.", _object(prompt={"type": "string"})),
        "test_elicitation": Fixture(elicit, "Asks the caller's person.", _object(message={"type": "string"})),
        "test_elicitation_sep1034_defaults": Fixture(elicit_defaults, "Asks with defaults filled in."),
        "test_elicitation_sep1330_enums": Fixture(elicit_choices, "Asks to choose."),
        "test_missing_capability": Fixture(need_a_model, "Refuses a caller without a model."),
    }


def _rounds() -> dict[str, Fixture]:
    """Tools that ask by sending the caller back with a question."""

    async def ask_what_it_can(ctx: Context, params: CallToolRequestParams) -> Answer:
        return _answer(asking.ask_what_it_can(ctx, params))

    asked: dict[str, Callable[[InputResponseRequestParams], str | InputRequiredResult]] = {
        "elicitation": asking.ask_name,
        "sampling": asking.ask_capital,
        "list_roots": asking.ask_roots,
        "request_state": asking.ask_with_state,
        "tampered_state": asking.ask_with_state,
        "multiple_inputs": asking.ask_much,
        "multi_round": asking.ask_twice,
    }
    return {
        **{
            f"test_input_required_result_{name}": Fixture(_round(ask), f"Asks first: {name}.")
            for name, ask in asked.items()
        },
        "test_input_required_result_capabilities": Fixture(ask_what_it_can, "Asks what its caller can do."),
    }


def _schemas() -> dict[str, Fixture]:
    """Tools that are about their schema."""
    run = _always(TextContent(text="It fits."))
    region = {"type": "string", "x-mcp-header": "Region"}
    return {
        "json_schema_2020_12_tool": Fixture(run, "Takes what a schema of many words allows.", _SCHEMA),
        "test_region": Fixture(
            run, "Takes an argument that travels as a header too.", _object(region=region)
        ),
    }


def _always(*content: ContentBlock) -> Run:
    async def run(ctx: Context, params: CallToolRequestParams) -> Answer:
        del ctx, params
        return CallToolResult(content=list(content))

    return run


def _round(ask: Callable[[InputResponseRequestParams], str | InputRequiredResult]) -> Run:
    async def run(ctx: Context, params: CallToolRequestParams) -> Answer:
        del ctx
        return _answer(ask(params))

    return run


def _answer(said: str | InputRequiredResult) -> Answer:
    return _text(said) if isinstance(said, str) else said


def _text(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)])


async def _fail(ctx: Context, params: CallToolRequestParams) -> Answer:
    del ctx, params
    return CallToolResult(content=[TextContent(text="This fails, as it should.")], is_error=True)


async def _log(ctx: Context, params: CallToolRequestParams) -> Answer:
    del params
    # Since 2026-07-28 only who asked for a log with the request gets one.
    if ctx.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS or LOG_LEVEL_META_KEY in (ctx.meta or {}):
        for line in ("Begun.", "Working.", "Done."):
            notification = LoggingMessageNotification(
                params=LoggingMessageNotificationParams(level="info", data=line)
            )
            await ctx.session.send_notification(notification, ctx.request_id)
            await asyncio.sleep(MOMENT)
    return _text("Logged.")


async def _progress(ctx: Context, params: CallToolRequestParams) -> Answer:
    del params
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100)
        await asyncio.sleep(MOMENT)
    return _text("Got there.")


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


_PERSON: Final = {
    "username": {"type": "string", "description": "How to address them"},
    "email": {"type": "string", "description": "Where to write to"},
}
_DEFAULTS: Final = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
_WORDS: Final = ["option1", "option2", "option3"]
_TITLED: Final = [{"const": f"value{number}", "title": f"Choice {number}"} for number in (1, 2, 3)]
_CHOICES: Final = {
    "untitledSingle": {"type": "string", "enum": _WORDS},
    "titledSingle": {"type": "string", "oneOf": _TITLED},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["One", "Two"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": _WORDS}},
    "titledMulti": {"type": "array", "items": {"anyOf": _TITLED}},
}
_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {"$anchor": "addressDef", "type": "object", "properties": {"town": {"type": "string"}}}
    },
    "properties": {
        "home": {"$ref": "#/$defs/address"},
        "by": {"enum": ["post", "phone"]},
        "phone": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["home"]}, {"required": ["phone"]}]}],
    "if": {"properties": {"by": {"const": "phone"}}},
    "then": {"required": ["phone"]},
    "else": {"required": ["home"]},
    "additionalProperties": False,
}
