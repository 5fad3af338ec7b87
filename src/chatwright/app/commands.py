"""All commands: those that run the product here, and those of the catalogue, which call a running one."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from chatwright.catalogue import CATALOGUE
from chatwright.features.workspaces.models import Role
from chatwright.kernel.errors import Misconfigured
from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.cli import root
from chatwright.surfaces.cli.failures import failures_shown

Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)]
Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")]
Data = Annotated[Path, typer.Option(help="Folder of the embedded database, the key and the files.")]
Sandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox/--no-sandbox",
        help="Run the provider sandbox beside it: chat as a WhatsApp, Messenger, Instagram, Telegram or Zalo user.",
    ),
]
SandboxPort = Annotated[
    int | None,
    typer.Option(
        help="Port of the sandbox; left out, 100 above the product's.", min=0, max=65535, show_default=False
    ),
]
ProductURL = Annotated[str, typer.Option(help="Where the product is, for the links of the page.")]
Toolsets = Annotated[
    str, typer.Option(help="Show these toolsets only, e.g. agent,segments; else the default one.")
]
Exclude = Annotated[str, typer.Option(help="Leave these tools out, e.g. send_message,delete_contact.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Leave out every tool that writes.")]
DEFAULT_PORT = 8800
SANDBOX_PORT = 8900
PRODUCT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_DATA = Path("data")


def build(words: Sequence[str]) -> typer.Typer:
    """The whole command, for a command line of these words."""
    commands = root.new_root()
    for command in (up, serve, work, sandbox):
        commands.command()(command)
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    group = typer.Typer(rich_markup_mode=None, invoke_without_command=True, callback=mcp)
    group.command()(inspect)
    commands.add_typer(group, name="mcp", context_settings=settings, add_help_option=False)
    group = typer.Typer(rich_markup_mode=None, invoke_without_command=True, callback=extensions)
    group.command("check")(check_extension)
    commands.add_typer(group, name="extensions")
    root.add_catalogue(commands, _operations(), words)
    return commands


def _operations() -> Sequence[AnyOperation]:
    """The product's and those of extensions; without these where one of them is broken, which 'serve' says too."""
    from chatwright.app.extensions.offering import offering_at_hand

    try:
        return offering_at_hand().operations
    except Misconfigured as error:
        sys.stderr.write(f"Commands of extensions are left out. {error.message}\n")
        return CATALOGUE


def up(
    port: Port = DEFAULT_PORT,
    host: Host = DEFAULT_HOST,
    data: Data = DEFAULT_DATA,
    *,
    sandbox: Sandbox = False,
    sandbox_port: SandboxPort = None,
) -> None:
    """Run the whole product: web, workers and, unless DATABASE_URL is set, a PostgreSQL of its own."""
    from chatwright.app import up as running

    beside = port + SANDBOX_PORT - DEFAULT_PORT if port else 0
    chosen = sandbox_port if sandbox_port is not None else beside
    with failures_shown():
        running.up(running.Place(host, port), data, sandbox_port=chosen if sandbox else None)


def serve(port: Port = DEFAULT_PORT, host: Host = DEFAULT_HOST, data: Data = DEFAULT_DATA) -> None:
    """Run the web part only; 'chatwright work' does the rest, in as many processes as needed."""
    from chatwright.app import up as running

    with failures_shown():
        running.serve(running.Place(host, port), data)


def work(data: Data = DEFAULT_DATA) -> None:
    """Run workers only, beside 'up' or 'serve' on the same data folder or database."""
    from chatwright.app import up as running

    with failures_shown():
        running.work(data)


def sandbox(
    port: Port = SANDBOX_PORT, host: Host = DEFAULT_HOST, product_url: ProductURL = PRODUCT_URL
) -> None:
    """Run the provider sandbox: the APIs of Meta, Telegram and Zalo, and phones to chat on.

    Nothing leaves this machine, and nothing is kept when it stops. The page at its address shows ready-made
    accounts with their credentials, phones of people who know them, and switches for what may go wrong.
    The product must be allowed to call it: start that with CHATWRIGHT_ALLOWED_HOSTS=127.0.0.1:8900, or run both
    at once with 'chatwright up --sandbox'.
    """
    from chatwright.app import up as running

    with failures_shown():
        running.sandbox(running.Place(host, port), product_url)


def mcp(
    context: typer.Context,
    toolsets: Toolsets = "",
    exclude: Exclude = "",
    *,
    read_only: ReadOnly = False,
) -> None:
    """Speak MCP over standard input and output, for clients that start a program."""
    if context.invoked_subcommand is not None:
        return
    from chatwright.client import stdio

    arguments = ["--toolsets", toolsets, "--exclude", exclude, *(["--read-only"] if read_only else [])]
    chosen = [] if context.obj is None else ["--profile", context.obj]
    raise typer.Exit(stdio.main([*chosen, *arguments]))


def inspect(
    toolsets: Toolsets = "",
    exclude: Exclude = "",
    role: Annotated[Role | None, typer.Option(help="List what this role may use; else everything.")] = None,
    *,
    read_only: ReadOnly = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show what the tools of MCP cost a model that lists them, in bytes and tokens."""
    from chatwright.app import inspection

    with failures_shown():
        found = inspection.inspect(toolsets, exclude, read_only=read_only, role=role)
    (inspection.print_as_json if as_json else inspection.print_inspection)(found)


def extensions(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show which packages extend the product here, and with what."""
    if context.invoked_subcommand is not None:
        return
    from chatwright.app.extensions import showing

    with failures_shown():
        found = showing.survey()
    (showing.print_as_json if as_json else showing.print_survey)(found)


def check_extension(
    name: Annotated[str, typer.Argument(help="The extension, as 'chatwright extensions' names it.")],
    snapshots: Annotated[
        Path | None,
        typer.Option(help="Folder with a snapshot of each operation, to be committed.", show_default=False),
    ] = None,
    *,
    write: Annotated[bool, typer.Option("--write", help="Write the snapshots anew first.")] = False,
) -> None:
    """Check an extension as its author would: it fits, its tools are small, and they show what the snapshots say."""
    from chatwright.app.extensions import showing

    with failures_shown():
        seen = showing.check(name, snapshots, write=write)
    sys.stdout.write("\n".join(seen) + "\n")
