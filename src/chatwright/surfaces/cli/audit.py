"""The audit trail at the terminal: what the catalogue cannot say of it."""

import sys
from collections.abc import Mapping
from typing import Any

import typer

EXPORT_PATH = "/audit/export"


def judge_chain(verdict: Mapping[str, Any]) -> None:
    """End with 1, naming the record, when the chain was tampered with."""
    if verdict["intact"]:
        return
    sys.stderr.write(f"AUDIT_CHAIN_BROKEN: At record {verdict['broken_at']}: {verdict['reason']}.\n")
    raise typer.Exit(1)


def export(context: typer.Context) -> None:
    """Write the whole audit trail as JSON lines, oldest first."""
    from chatwright.surfaces.cli.failures import failures_shown
    from chatwright.surfaces.cli.servers import chosen_server

    with failures_shown(), chosen_server(context.obj) as server:
        for line in server.lines(EXPORT_PATH):
            sys.stdout.write(line + "\n")
