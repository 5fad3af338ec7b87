"""Putting a call into the queue, and taking it out again as it was."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from pydantic import BaseModel

from chatwright.features.workspaces.approvals import store
from chatwright.features.workspaces.approvals.errors import QueueFull
from chatwright.features.workspaces.approvals.models import USUAL_HOURS
from chatwright.features.workspaces.arguments import readable
from chatwright.features.workspaces.keys import canonical, principal_of
from chatwright.kernel.caller import Caller, Maker, PrincipalKind, Surface, Trust
from chatwright.kernel.errors import ApprovalRequired, Forbidden
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.kernel.operation import AnyOperation
from chatwright.ports.cipher import Cipher
from chatwright.ports.database import emit

_PURPOSE = "approval"
MOST_WAITING: Final = 100
"""Calls of one principal that may wait: more would only bury those of others."""


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call as it was asked for."""

    arguments: Mapping[str, Any]
    key: str | None
    """The idempotency key that it had."""
    requester: Caller
    """As it stood when it asked; what it may do when it is let through is looked up anew."""


async def enqueue(
    cipher: Cipher,
    caller: Caller,
    operation: AnyOperation,
    arguments: Mapping[str, Any],
    request: BaseModel,
    key: str | None,
) -> ApprovalRequired:
    """Put a call into the queue, in the current transaction; gives the error that tells the caller so.

    Who asks for the same call again while it waits is given the place it has. Raises QueueFull for one more than
    `MOST_WAITING`, and Forbidden for what only a
    person can do, because its face does the rest of it (a download).
    """
    if not operation.surfaces:
        raise Forbidden(
            f"{operation.title} needs a person here, and cannot be approved ahead.",
            hint="A member of the workspace does this, signed in.",
        )
    principal = principal_of(caller)
    same = f"{principal}\n{operation.name}\n{key or ''}\n".encode() + canonical(request)
    digest = cipher.sign(same, _PURPOSE)
    announce_expired(await store.EXPIRE_SAME.all(caller.workspace_id, digest))
    approval_id = new_id()
    place = await store.ENQUEUE.one(
        approval_id,
        caller.workspace_id,
        operation.name,
        principal,
        named(caller),
        caller.person_id,
        readable(operation, request.model_dump(mode="json", exclude_unset=True)),
        cipher.seal(_packed(caller, arguments, key), f"approval:{approval_id}"),
        digest,
        USUAL_HOURS,
    )
    if place.fresh:
        if await store.COUNT_WAITING.one(caller.workspace_id, principal) > MOST_WAITING:
            raise QueueFull(f"{MOST_WAITING} calls of yours wait for a person to decide already.")
        data = {"operation": operation.name}
        emit(Event("approval.requested", caller.workspace_id, place.id, data=data))
    return ApprovalRequired(
        f"{operation.title} waits for a person of the workspace to approve it.",
        details={"approval_id": str(place.id), "expires_at": place.expires_at.isoformat()},
    )


def unsealed(cipher: Cipher, row: store.ApprovalRow) -> WaitingCall:
    """The call of a row that still waits."""
    kept = orjson.loads(cipher.open(row.sealed or b"", f"approval:{row.id}"))
    stood = kept["requester"]
    requester = Caller(
        workspace_id=row.workspace_id,
        kind=PrincipalKind(row.requested_by["kind"]),
        principal_id=row.requested_by["id"],
        name=row.requested_by["name"],
        scopes=frozenset(stood["scopes"]),
        surface=Surface(stood["surface"]),
        inbox_ids=_ids(stood["inbox_ids"]),
        tag_ids=_ids(stood["tag_ids"]),
        operations=None if stood["operations"] is None else frozenset(stood["operations"]),
        supervised=stood["supervised"],
        person_id=row.person_id,
        client=stood["client"],
        trust=Trust(stood["trust"]),
        expires_at=_moment(stood.get("expires_at")),
        made_by=tuple(Maker(PrincipalKind(kind), id_) for kind, id_ in stood.get("made_by", ())),
        call_key=row.id.hex,
    )
    return WaitingCall(kept["arguments"], kept["key"], requester)


def announce_expired(expired: Iterable[store.Expired]) -> None:
    """Say of calls that nobody decided them in time."""
    for one in expired:
        emit(Event("approval.decided", one.workspace_id, one.id, data={"status": "expired"}))


def named(caller: Caller) -> dict[str, str]:
    """A principal as records name it."""
    return {"kind": str(caller.kind), "id": caller.principal_id, "name": caller.name}


def _packed(caller: Caller, arguments: Mapping[str, Any], key: str | None) -> bytes:
    requester = {
        "scopes": sorted(caller.scopes),
        "surface": caller.surface,
        "inbox_ids": _listed(caller.inbox_ids),
        "tag_ids": _listed(caller.tag_ids),
        "operations": _listed(caller.operations),
        "supervised": caller.supervised,
        "client": caller.client,
        "trust": caller.trust,
        "expires_at": caller.expires_at,
        "made_by": [[maker.kind, maker.principal_id] for maker in caller.made_by],
    }
    return orjson.dumps({"arguments": dict(arguments), "key": key, "requester": requester}, default=str)


def _listed(limits: frozenset[Any] | None) -> list[Any] | None:
    return None if limits is None else sorted(limits)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _ids(limits: list[str] | None) -> frozenset[UUID] | None:
    return None if limits is None else frozenset(map(UUID, limits))
