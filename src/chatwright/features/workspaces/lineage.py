"""What tokens and grants keep over those that they make: their limits, their rate and their end."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from chatwright.features.workspaces import store
from chatwright.features.workspaces.narrowing import both, earlier, operations_within
from chatwright.features.workspaces.rules import effective_scopes, narrowed_scopes
from chatwright.features.workspaces.store import MakerRow
from chatwright.kernel.caller import Caller, Maker, PrincipalKind
from chatwright.kernel.events import Event
from chatwright.ports.database import emit

MAKING = frozenset({PrincipalKind.TOKEN, PrincipalKind.GRANT})


def lineage_of(caller: Caller) -> list[UUID]:
    """What access that a caller makes comes from: the caller itself, where it can end, and all that it comes from."""
    makers = [UUID(maker.principal_id) for maker in caller.made_by]
    return [*makers, UUID(caller.principal_id)] if caller.kind in MAKING else makers


async def within_makers(caller: Caller, made_by: Collection[UUID]) -> Caller:
    """A caller with no more than the tokens and grants that it comes from have by now.

    Those that an outside issuer gave out have no row here; nothing of them changes.
    """
    if not made_by:
        return caller
    rows = {row.id: row for row in await store.MAKERS.all(caller.workspace_id, list(made_by))}
    for row in rows.values():
        caller = _within(caller, row)
    return replace(caller, made_by=tuple(_maker(maker_id, rows.get(maker_id)) for maker_id in made_by))


async def end_made_by(workspace_id: UUID, *maker_ids: UUID) -> int:
    """End all that these tokens and grants made, at any depth; says how many tokens and grants that were."""
    ended = await store.END_MADE_BY.all(workspace_id, list(maker_ids))
    for one in ended:
        emit(Event(f"{one.kind}.revoked", workspace_id, one.id))
    return len(ended)


def _within(caller: Caller, maker: MakerRow) -> Caller:
    return replace(
        caller,
        scopes=narrowed_scopes(caller.scopes, effective_scopes(maker.scopes, read_only=maker.read_only)),
        operations=both(caller.operations, operations_within(maker.toolsets, maker.tag_ids)),
        inbox_ids=both(caller.inbox_ids, maker.inbox_ids),
        tag_ids=both(caller.tag_ids, maker.tag_ids),
        supervised=caller.supervised or maker.supervised,
        expires_at=earlier(caller.expires_at, maker.expires_at),
    )


def _maker(maker_id: UUID, row: MakerRow | None) -> Maker:
    if row is None:
        return Maker(PrincipalKind.GRANT, str(maker_id))
    return Maker(PrincipalKind(row.kind), str(maker_id), row.calls_per_minute)
