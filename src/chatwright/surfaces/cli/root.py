"""The `chatwright` command: groups by noun, with the commands of the groups that are asked for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated

import typer

from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.cli import audit, imports, profiles
from chatwright.surfaces.cli.commands import add_command, groups_of
from chatwright.surfaces.cli.options import kebab

BESIDE: Mapping[str, Mapping[str, Callable[..., None]]] = {
    "audit": {"export": audit.export},
    "imports": {"upload": imports.upload},
}
"""Commands that stream, and so are no operations, by group."""


def new_root() -> typer.Typer:
    """The command without subcommands."""
    return typer.Typer(
        name="chatwright",
        callback=_root,
        add_completion=False,
        no_args_is_help=True,
        # Descriptions hold brackets and backticks, which other modes would take for markup; and rich costs 0.1 s.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def add_catalogue(root: typer.Typer, operations: Iterable[AnyOperation], words: Sequence[str]) -> None:
    """Hang the operations into the command, as groups by noun.

    `words` are the words of the command line. Groups that it does not name stay empty, for building the options
    of every operation would double the start.
    """
    for name, members in groups_of(operations).items():
        group = _group(members)
        root.add_typer(group, name=name)
        if name not in words:
            continue
        for operation in members:
            add_command(group, operation)
        for verb, command in BESIDE.get(name, {}).items():
            group.command(verb)(command)
    root.add_typer(profiles.commands, name="profile")


def _group(members: list[AnyOperation]) -> typer.Typer:
    verbs = ", ".join(kebab(operation.verb) for operation in members)
    return typer.Typer(no_args_is_help=True, rich_markup_mode=None, callback=_nothing, help=f"{verbs}.")


def _nothing() -> None:
    """An empty group is a group too, as long as it has a callback."""


def _show_version(wanted: bool | None) -> None:  # noqa: FBT001 - typer calls it so.
    if wanted:
        from importlib.metadata import version

        print(f"chatwright {version('chatwright')}")
        raise typer.Exit


def _root(
    context: typer.Context,
    profile: Annotated[
        str | None, typer.Option(help="Which server to talk to; see 'chatwright profile list'.")
    ] = None,
    version: Annotated[
        bool | None,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = None,
) -> None:
    """Chatwright: one operation, every face. Everything it can do, as commands over a running server."""
    del version
    context.obj = profile
