"""Files for imports at the terminal: their bytes are no field of an operation."""

from pathlib import Path
from typing import Annotated

import typer

UPLOAD_PATH = "/imports/files"


def upload(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The CSV file.", exists=True, dir_okay=False, readable=True)],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Upload a CSV file; then give the key it answers to `imports start --storage-key`."""
    from chatwright.surfaces.cli.failures import failures_shown
    from chatwright.surfaces.cli.output import print_json, print_result
    from chatwright.surfaces.cli.servers import chosen_server

    with failures_shown(), chosen_server(context.obj) as server, file.open("rb") as content:
        value = server.upload(UPLOAD_PATH, content)
    (print_json if as_json else print_result)(value)
