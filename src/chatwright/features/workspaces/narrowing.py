"""How access that a caller hands on is narrowed: never wider than the caller's own, in any dimension."""

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from chatwright.features.workspaces.errors import TagNotFound, UnknownToolset
from chatwright.features.workspaces.inboxes import check_inboxes
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import FieldProblem, OutsideGrant
from chatwright.ports.reach import reach_of_tags
from chatwright.ports.tags import tag_directory
from chatwright.ports.toolsets import operations_of, unknown_toolsets

Limit = TypeVar("Limit")


async def check_tags(caller: Caller, tag_ids: Collection[UUID]) -> None:
    """Raise TagNotFound unless all of these are tags of the workspace which the caller may see."""
    hidden = set[UUID]() if caller.tag_ids is None else set(tag_ids) - caller.tag_ids
    if hidden or await tag_directory().strange(caller.workspace_id, tag_ids):
        raise TagNotFound


async def narrowed_inboxes(caller: Caller, wanted: Collection[UUID] | None) -> list[UUID] | None:
    """The inboxes to hand on: those wanted, checked, or the caller's own."""
    if wanted is None:
        return None if caller.inbox_ids is None else sorted(caller.inbox_ids)
    await check_inboxes(caller, wanted)
    return sorted(set(wanted))


async def narrowed_tags(caller: Caller, wanted: Collection[UUID] | None) -> list[UUID] | None:
    """The tags to hand on: those wanted, checked, or the caller's own."""
    if wanted is None:
        return None if caller.tag_ids is None else sorted(caller.tag_ids)
    await check_tags(caller, wanted)
    return sorted(set(wanted))


def narrowed_toolsets(caller: Caller, wanted: Collection[str] | None) -> list[str] | None:
    """The toolsets to hand on: those wanted, or the caller's own.

    Raises UnknownToolset, and OutsideGrant for one that holds anything outside of the caller's own.
    """
    if wanted is None:
        return None if caller.toolsets is None else sorted(caller.toolsets)
    if unknown := unknown_toolsets(wanted):
        message = f"There is no toolset called {', '.join(sorted(unknown))}."
        raise UnknownToolset(message, fields=[FieldProblem(path="toolsets", message=message)])
    if caller.operations is not None and not operations_of(wanted) <= caller.operations:
        message = "These toolsets hold more than the caller's own."
        raise OutsideGrant(message)
    return sorted(set(wanted))


def operations_within(
    toolsets: Collection[str] | None, tag_ids: Collection[UUID] | None
) -> frozenset[str] | None:
    """What toolsets allow, and of that, what can be limited to tags where there are some."""
    allowed = None if toolsets is None else operations_of(toolsets)
    if tag_ids is None:
        return allowed
    return both(allowed, reach_of_tags().operations)


def both(one: Collection[Limit] | None, other: Collection[Limit] | None) -> frozenset[Limit] | None:
    """What two limits both let through; None is no limit."""
    if one is None or other is None:
        found = one if other is None else other
        return None if found is None else frozenset(found)
    return frozenset(one) & frozenset(other)


def fewer(one: int | None, other: int | None) -> int | None:
    """The smaller of two limits; None is no limit."""
    return min((each for each in (one, other) if each is not None), default=None)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The first of two ends; None is no end."""
    return min((each for each in (one, other) if each is not None), default=None)
