"""Carrying out a call of a tool: what is asked of the pipeline, and what is done around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mcp.types import CallToolResult, ContentBlock, InputRequiredResult, TextContent

from chatwright.features.workspaces.pipeline import Outcome, Pipeline
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import ChatwrightError, ConfirmationRequired, FieldProblem, InvalidInput
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.operations import operation_named
from chatwright.surfaces.mcp.answers import Wish, answer, asked_first, failure
from chatwright.surfaces.mcp.confirming import asks_in_form, form_for, reply_in
from chatwright.surfaces.mcp.context import Context, caller_of
from chatwright.surfaces.mcp.progress import followed, link_to, wants_progress
from chatwright.surfaces.mcp.schemas import (
    CONCISE,
    CONFIRM_TOKEN,
    DETAIL_LEVEL,
    DRY_RUN,
    FULL,
    IDEMPOTENCY_KEY,
    takes_detail,
)

_TRIED = TextContent(text="This was a dry run: nothing of it has happened.")


@dataclass(frozen=True, slots=True)
class _Parted:
    """A tool's arguments, parted into the operation's own and those that the face has for tools of its kind."""

    own: dict[str, Any]
    full: bool
    dry_run: bool
    key: str | None
    confirm_token: str | None


class Calls:
    """Runs operations for tools."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def run(
        self, ctx: Context, operation: AnyOperation, arguments: Mapping[str, Any]
    ) -> CallToolResult | InputRequiredResult:
        """Carry out one call; a failure of the product's own is a result too."""
        caller = caller_of(ctx)
        try:
            parted = _parted(operation, arguments)
            outcome = await self._outcome(ctx, caller, operation, parted)
            again = partial(self._pipeline.run, caller, operation)
            result = await answer(Wish(operation, parted.full), parted.own, outcome, again)
            return _with_more(result, operation, outcome)
        except ConfirmationRequired as error:
            if asks_in_form(ctx):
                return form_for(error, operation)
            return asked_first(error.problem(caller.request_id), operation)
        except ChatwrightError as error:
            return failure(error.problem(caller.request_id))

    async def _outcome(
        self, ctx: Context, caller: Caller, operation: AnyOperation, parted: _Parted
    ) -> Outcome:
        if parted.dry_run:
            return await self._pipeline.rehearse(caller, operation, parted.own)
        reply = reply_in(ctx)
        if reply is not None and not reply.yes:
            await self._pipeline.decline(caller, operation, parted.own)
        outcome = await self._pipeline.run(
            caller,
            operation,
            parted.own,
            idempotency_key=parted.key,
            confirm_token=parted.confirm_token if reply is None else reply.confirm_token,
        )
        shows = _shows(operation)
        if shows is None or not wants_progress(ctx):
            return outcome
        return await followed(ctx, shows, outcome, partial(self._pipeline.run, caller, shows))


def _shows(operation: AnyOperation) -> AnyOperation | None:
    """The operation that shows the long work which this one starts."""
    return None if operation.job is None else operation_named(operation.job)


def _with_more(result: CallToolResult, operation: AnyOperation, outcome: Outcome) -> CallToolResult:
    """An answer with what there is to say beside the value."""
    more: list[ContentBlock] = []
    meta: dict[str, Any] = {}
    if outcome.rehearsed:
        more.append(_TRIED)
        meta = {DRY_RUN: True}
    elif (shows := _shows(operation)) is not None:
        link = link_to(shows, outcome.value)
        more.append(link)
        meta = {"watch": link.uri}
    if not more:
        return result
    return result.model_copy(
        update={"content": [*result.content, *more], "meta": {**(result.meta or {}), **meta}}
    )


def _parted(operation: AnyOperation, arguments: Mapping[str, Any]) -> _Parted:
    """Part the arguments; raises InvalidInput for one of the face's own that is not what it has to be."""
    own = dict(arguments)
    level = own.pop(DETAIL_LEVEL, CONCISE) if takes_detail(operation) else CONCISE
    if level not in {CONCISE, FULL}:
        raise _wrong(DETAIL_LEVEL, f"The level of detail is '{CONCISE}' or '{FULL}'.")
    dry_run = own.pop(DRY_RUN, False) if operation.outward else False
    if not isinstance(dry_run, bool):
        raise _wrong(DRY_RUN, "Whether to try it only: true or false.")
    return _Parted(
        own=own,
        full=level == FULL,
        dry_run=dry_run,
        key=_text(own, IDEMPOTENCY_KEY, "An idempotency key is a text.") if operation.writes else None,
        confirm_token=_text(own, CONFIRM_TOKEN, "A confirm token is a text.") if operation.asks else None,
    )


def _text(arguments: dict[str, Any], name: str, words: str) -> str | None:
    """Take a text out of the arguments; None where there is none."""
    value = arguments.pop(name, None)
    if value is not None and not isinstance(value, str):
        raise _wrong(name, words)
    return value


def _wrong(name: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields=[FieldProblem(path=name, message=message)])
