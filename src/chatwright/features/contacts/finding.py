"""Pages and numbers of contacts that meet conditions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from chatwright.features.contacts import store
from chatwright.features.contacts.access import limits_of, tags_of
from chatwright.features.contacts.audience import Clause, carrying, check_fields, clause_of, compiled, seen_in
from chatwright.features.contacts.fields import store as fields_store
from chatwright.features.contacts.filters import Node, inboxes_of
from chatwright.features.contacts.models import Contact
from chatwright.features.contacts.tables import contacts
from chatwright.features.workspaces.inboxes import check_inboxes
from chatwright.kernel.caller import Caller
from chatwright.kernel.paging import Page, PageRequest, after_id, page_of
from chatwright.ports.database import Statement, value


async def checked_clause(caller: Caller, node: Node) -> Clause:
    """A filter as a condition, after everything it names was looked up.

    Raises UnknownField, FieldMismatch or InboxNotFound.
    """
    await check_inboxes(caller, inboxes_of(node))
    return await workspace_clause(caller.workspace_id, node)


async def workspace_clause(workspace_id: UUID, node: Node) -> Clause:
    """The same for work that has no caller any more."""
    fields = await fields_store.ALL_FIELDS.all(workspace_id)
    check_fields(node, {field.key: field for field in fields})
    return clause_of(node, datetime.now(UTC))


async def page_of_contacts(caller: Caller, request: PageRequest, *clauses: Clause) -> Page[Contact]:
    """The contacts that the caller may see and that meet all conditions, newest first."""
    before = None if request.cursor is None else after_id(request.cursor)
    clauses = (*clauses, *_within(caller))
    ids = await some_ids(
        caller.workspace_id, limits_of(caller), *clauses, before=before, limit=request.limit + 1
    )
    rows = await store.SHOW_CONTACTS.all(caller.workspace_id, ids, limits_of(caller))
    return page_of(rows, request.limit, lambda contact: (str(contact.id),))


async def some_ids(
    workspace_id: UUID, inbox_ids: Sequence[UUID] | None, *clauses: Clause, before: UUID | None, limit: int
) -> list[UUID]:
    """Ids of contacts in these inboxes that meet all conditions, newest first."""
    wanted = _visible(workspace_id, inbox_ids, clauses, contacts.c.id)
    if before is not None:
        wanted = wanted.where(contacts.c.id < before)
    query = compiled(wanted.order_by(contacts.c.id.desc()).limit(limit))
    return await Statement("contacts.some_ids", query.sql, value).all(*query.args)


async def count_contacts(caller: Caller, *clauses: Clause) -> int:
    """How many contacts the caller may see that meet all conditions."""
    query = compiled(
        _visible(caller.workspace_id, limits_of(caller), (*clauses, *_within(caller)), func.count())
    )
    return await Statement("contacts.count", query.sql, value).one(*query.args)


def _within(caller: Caller) -> list[Clause]:
    tag_ids = tags_of(caller)
    return [] if tag_ids is None else [carrying(tag_ids)]


def _visible(
    workspace_id: UUID,
    inbox_ids: Sequence[UUID] | None,
    clauses: Sequence[Clause],
    column: Any,  # noqa: ANN401
) -> Select[Any]:
    visible = select(column).where(
        contacts.c.workspace_id == workspace_id, contacts.c.merged_into.is_(None), *clauses
    )
    return visible if inbox_ids is None else visible.where(seen_in(inbox_ids))
