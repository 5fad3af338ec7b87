"""Snapshots of what faces show of operations, in files: a change of them is a change that somebody read."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chatwright.kernel.operation import AnyOperation
from chatwright.surfaces.http.rest import errors_of


def snapshot(operation: AnyOperation) -> dict[str, Any]:
    """Everything that a face shows of an operation."""
    return {
        "name": operation.name,
        "tool": operation.tool,
        "title": operation.title,
        "description": operation.description,
        "scope": operation.scope,
        "effect": operation.effect.value,
        "hints": {"idempotent": operation.idempotent, "outward": operation.outward},
        "http": f"{operation.method} {operation.path}",
        "surfaces": sorted(operation.surfaces),
        "rate": {"per_minute": operation.rate.per_minute, "burst": operation.rate.burst},
        "errors": sorted({error.code for error in errors_of(operation)}),
        "input": operation.input.model_json_schema(),
        "output": operation.output.model_json_schema(mode="serialization"),
    }


def as_text(value: object) -> str:
    """JSON as people compare it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def snapshots(operations: Iterable[AnyOperation], folder: Path) -> dict[Path, str]:
    """A file for each operation, with what it has to say."""
    return {folder / f"{operation.name}.json": as_text(snapshot(operation)) for operation in operations}


def stale(files: dict[Path, str], folder: Path) -> list[Path]:
    """Files that do not say what the code says, and those of operations that are gone."""
    changed = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    return sorted([*changed, *(path for path in folder.glob("*.json") if path not in files)])


def renew(files: dict[Path, str], folder: Path) -> list[Path]:
    """Bring the files up to date; returns those that changed."""
    changed = stale(files, folder)
    for path in changed:
        if path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
        else:
            path.unlink()
    return changed
