"""The audit trail: one record per writing call and per refused call, in a hash chain per workspace."""

import hashlib
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

import orjson

from chatwright.features.workspaces import store
from chatwright.kernel.caller import Caller
from chatwright.kernel.names import shown_name

GENESIS = b"\x00" * 32
BEFORE_ALL = -(2**62)
"""A number before every record, tampered ones too."""
_BATCH = 1000
_LARGEST = 2**63 - 1
"""The largest whole number that fits into JSON as orjson writes it."""
_DEEPEST = 8
"""Levels of nesting that a record shows."""


class _Private:
    """Stands for a value that no record shows."""


class AuditOutcome(StrEnum):
    """How the call ended."""

    DONE = "done"
    REPLAYED = "replayed"
    REFUSED = "refused"
    FAILED = "failed"
    ASKED = "asked"
    """Somebody was asked first: its user, or a person of the workspace. Nothing happened."""


async def append(
    caller: Caller,
    operation: str,
    arguments: Mapping[str, object],
    outcome: AuditOutcome,
    error_code: str | None = None,
    *,
    consent: Mapping[str, object] | None = None,
) -> None:
    """Add a record to the chain of the caller's workspace, in the current transaction.

    `consent` says who let it happen, where somebody had to: `kind` (confirmed, approved) and ids.
    Call it last: the chain's end stays locked until the commit.
    """
    body: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "principal": {"kind": caller.kind, "id": caller.principal_id, "name": caller.name},
        "surface": caller.surface,
        "client": _kept(caller.client, 200),
        "trust": caller.trust,
        "operation": operation,
        "arguments": shape(arguments),
        "outcome": outcome,
        "error": error_code,
        "request_id": caller.request_id,
    }
    if consent is not None:
        body["consent"] = dict(consent)
    text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
    await store.APPEND_AUDIT.run(caller.workspace_id, text, GENESIS)


def shape(value: object, depth: int = 0) -> object:  # noqa: PLR0911 - one line per kind of value.
    """What arguments looked like, without what they said: ids, numbers and flags stay, text becomes its length."""
    if depth > _DEEPEST:
        return "<nested>"
    match value:
        case int() if abs(value) > _LARGEST:
            return "<large number>"
        case None | bool() | int() | float():
            return value
        case UUID():
            return str(value)
        case _Private():
            return "<private>"
        case str():
            return value if _is_id(value) else f"<text {len(value)}>"
        case Mapping():
            return {shown_name(name): shape(inner, depth + 1) for name, inner in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple():
            return [shape(inner, depth + 1) for inner in value[:20]]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return f"<{type(value).__name__}>"


def without_private(arguments: Mapping[str, object], private: Collection[str]) -> dict[str, object]:
    """Arguments with the values of private fields left out, even of what they look like; names of parts stay."""
    return {name: _hidden(inner) if name in private else inner for name, inner in arguments.items()}


def _hidden(inner: object) -> object:
    if not isinstance(inner, Mapping):
        return _Private()
    parts = cast("Mapping[object, object]", inner)
    return {str(name): _Private() for name in parts}


def _kept(text: str, limit: int) -> str:
    """Text from outside as a record can hold it: short, without NUL, which JSON columns refuse, and whole."""
    return text[:limit].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


@dataclass(frozen=True)
class Verdict:
    """What checking a chain found."""

    records: int
    """How many records were read and found in order."""
    broken_at: int | None = None
    """Number of the first record that is missing, moved or altered; None when the chain is whole."""
    reason: str | None = None


def link(before: bytes, seq: int, body: str) -> bytes:
    """The hash of a record: SHA-256 over the hash before it, its number (8 bytes, big-endian) and its body."""
    return hashlib.sha256(before + seq.to_bytes(8, "big") + body.encode()).digest()


async def verify(workspace_id: UUID) -> Verdict:
    """Walk the whole chain and name the first record that does not fit. Others may add to it meanwhile."""
    end = await _end_of(workspace_id)
    expected = 0
    before = GENESIS
    async for record in walk(workspace_id):
        expected += 1
        if record.seq != expected:
            return Verdict(expected - 1, expected, f"record {expected} is missing")
        before = link(before, record.seq, record.body)
        if before != record.hash or (record.seq == end.seq and before != end.hash):
            return Verdict(expected - 1, expected, f"record {expected} was altered or moved")
    if expected < end.seq:
        return Verdict(expected, expected + 1, f"record {expected + 1} is missing")
    # Whatever was read had its end committed with it.
    if expected > (newest := await _end_of(workspace_id)).seq:
        return Verdict(newest.seq, newest.seq + 1, f"record {newest.seq + 1} was added outside the chain")
    return Verdict(expected)


async def _end_of(workspace_id: UUID) -> "store.AuditHead":
    return await store.AUDIT_HEAD.first(workspace_id) or store.AuditHead(0, GENESIS)


async def walk(workspace_id: UUID) -> AsyncIterator["store.AuditRow"]:
    """All records in order, read in batches."""
    after = BEFORE_ALL
    while rows := await batch(workspace_id, after):
        for row in rows:
            yield row
        after = rows[-1].seq


async def batch(workspace_id: UUID, after: int) -> list["store.AuditRow"]:
    """The next records after a number, in order, at most 1000; empty at the end."""
    return await store.AUDIT_AFTER.all(workspace_id, after, _BATCH)


def as_line(row: "store.AuditRow") -> dict[str, Any]:
    """A record as one line of an export: its number, hash and body."""
    return {"seq": row.seq, "hash": row.hash.hex(), **orjson.loads(row.body)}
