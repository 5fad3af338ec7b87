"""Each operation as a command: `chatwright <noun> <verb>`."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

import typer

from chatwright.kernel.caller import Surface
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from chatwright.kernel.paging import MAX_LIMIT
from chatwright.surfaces.cli.audit import judge_chain
from chatwright.surfaces.cli.options import Option, kebab, options_of

Values = Mapping[str, Any]

VERDICTS = {"audit.verify": judge_chain}
"""Results that say by themselves that something is wrong; the command then ends with 1."""


@dataclass(frozen=True)
class Wishes:
    """What a command may be told beside the operation's own fields."""

    profile: str | None
    as_json: bool
    every_page: bool
    idempotency_key: str | None
    dry_run: bool


def groups_of(operations: Iterable[AnyOperation]) -> dict[str, list[AnyOperation]]:
    """The operations this face shows, by the name of their group."""
    groups: dict[str, list[AnyOperation]] = {}
    for operation in operations:
        if Surface.CLI in operation.surfaces:
            groups.setdefault(kebab(operation.noun), []).append(operation)
    return groups


def add_command(group: typer.Typer, operation: AnyOperation) -> None:
    """Hang an operation into its group."""
    options = options_of(operation)

    def command(context: typer.Context, **values: Any) -> None:  # noqa: ANN401 - what typer parsed.
        wishes = Wishes(
            profile=context.obj,
            as_json=values.pop("as_json"),
            every_page=values.pop("every_page", False),
            idempotency_key=values.pop("idempotency_key", None),
            # An operation may have a field of that name, which means more to it.
            dry_run=values.pop("dry_run", False) if operation.outward else False,
        )
        _run(operation, _arguments(options, values), wishes)

    cast("Any", command).__signature__ = inspect.Signature(
        [
            inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
            *(option.parameter() for option in options),
            *_common_parameters(operation),
        ]
    )
    group.command(kebab(operation.verb), help=operation.description, short_help=operation.summary)(command)


def _common_parameters(operation: AnyOperation) -> Iterable[inspect.Parameter]:
    yield _parameter("as_json", bool, "--json", "Print the result as JSON.", default=False)
    if _is_list(operation):
        yield _parameter("every_page", bool, "--all", "Go on to the last page.", default=False)
    if operation.writes:
        words = "Repeating the call under the same key changes nothing more."
        yield _parameter("idempotency_key", str | None, "--idempotency-key", words, default=None)
    if operation.outward:
        words = "Only try it: nothing is kept or sent."
        yield _parameter("dry_run", bool, "--dry-run", words, default=False)


def _parameter(
    name: str,
    words: Any,  # noqa: ANN401 - the type typer shall parse.
    flag: str,
    description: str,
    *,
    default: object,
) -> inspect.Parameter:
    annotation: Any = Annotated[words, typer.Option(flag, help=description, show_default=False)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _is_list(operation: AnyOperation) -> bool:
    return "cursor" in operation.input.model_fields and "items" in operation.output.model_fields


def _arguments(options: Sequence[Option], values: Values) -> dict[str, Any]:
    """The fields that were given, as JSON values."""
    return {
        option.field: option.read(values[option.field])
        for option in options
        if values[option.field] not in (None, [], ())
    }


def _run(operation: AnyOperation, arguments: Values, wishes: Wishes) -> None:
    """Call the server and show what came back."""
    from chatwright.surfaces.cli.failures import failures_shown
    from chatwright.surfaces.cli.output import print_json, print_result
    from chatwright.surfaces.cli.servers import chosen_server

    with failures_shown(), chosen_server(wishes.profile) as server:
        if wishes.every_page:
            pages = server.pages(operation, {"limit": MAX_LIMIT, **arguments})
            value: dict[str, Any] = {
                "items": [item for page in pages for item in page["items"]],
                "next_cursor": None,
            }
        else:
            key = wishes.idempotency_key or _key_of_its_own(operation)
            value = server.call(operation, arguments, idempotency_key=key, dry_run=wishes.dry_run).value
    if wishes.dry_run:
        typer.echo("This was a dry run: nothing of it has happened.", err=True)
    (print_json if wishes.as_json else print_result)(value)
    if judge := VERDICTS.get(operation.name):
        judge(value)


def _key_of_its_own(operation: AnyOperation) -> str | None:
    """A key for one call of a writing operation, so that it survives a lost connection without a second effect."""
    return new_id().hex if operation.writes and not operation.idempotent else None
