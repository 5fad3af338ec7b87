"""Queries about merges."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatwright.features.contacts.merges.models import Merge
from chatwright.features.contacts.models import ContactIdentity
from chatwright.features.contacts.profiles import Profile
from chatwright.ports.database import Statement, value


@dataclass(frozen=True, slots=True)
class Side:
    """One of two contacts, as far as merging looks at it."""

    id: UUID
    merged_into: UUID | None
    profile: Profile
    blocked_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class KeptMerge:
    """A merge with what undoing it needs."""

    contact_id: UUID
    absorbed_id: UUID
    undone_at: datetime | None
    record: dict[str, Any]


def _side(**columns: Any) -> Side:  # noqa: ANN401 - the columns of the statement below.
    rest = {name: columns.pop(name) for name in ("id", "merged_into", "blocked_at", "updated_at")}
    return Side(profile=Profile(**columns), **rest)


LOCK_SIDES = Statement(
    "contacts.lock_sides",
    """
    select id, merged_into, blocked_at, updated_at,
           name, first_name, last_name, emails, phones, locale, timezone, fields
    from contacts where workspace_id = $1 and id = any($2) order by id for update
    """,
    _side,
)
"""In order of id, and stronger than what recognising takes, so that nobody adds to either meanwhile."""
SET_STATE = Statement(
    "contacts.set_state",
    """
    update contacts set merged_into = $3, blocked_at = $4, updated_at = coalesce($5, now())
    where workspace_id = $1 and id = $2 returning updated_at
    """,
    value,
)
MOVE_IDENTITIES = Statement(
    "contacts.move_identities",
    """
    update contact_identities set contact_id = $3 where workspace_id = $1 and contact_id = $2
    returning inbox_id, kind, value
    """,
    ContactIdentity,
)
RETURN_IDENTITIES = Statement(
    "contacts.return_identities",
    """
    update contact_identities set contact_id = $3 where workspace_id = $1 and contact_id = $2
      and (inbox_id, kind, value) in (select * from unnest($4::uuid[], $5::text[], $6::text[]))
    """,
    value,
)
MOVE_NOTES = Statement(
    "contacts.move_notes",
    "update contact_notes set contact_id = $3 where workspace_id = $1 and contact_id = $2 returning id",
    value,
)
RETURN_NOTES = Statement(
    "contacts.return_notes",
    "update contact_notes set contact_id = $3 where workspace_id = $1 and contact_id = $2 and id = any($4)",
    value,
)
MOVE_CONSENTS = Statement(
    "contacts.move_consents",
    "update contact_consents set contact_id = $3 where workspace_id = $1 and contact_id = $2 returning id",
    value,
)
RETURN_CONSENTS = Statement(
    "contacts.return_consents",
    "update contact_consents set contact_id = $3 where workspace_id = $1 and contact_id = $2 and id = any($4)",
    value,
)
COPY_TAGS = Statement(
    "contacts.copy_tags",
    """
    insert into contact_tags (contact_id, tag_id) select $2, tag_id from contact_tags where contact_id = $1
    on conflict do nothing returning tag_id
    """,
    value,
)
DROP_TAGS = Statement(
    "contacts.drop_tags", "delete from contact_tags where contact_id = $1 and tag_id = any($2)", value
)

_MERGE = "id, contact_id, absorbed_id, merged_by, merged_at, undone_at"
INSERT_MERGE = Statement(
    "contacts.insert_merge",
    f"""
    insert into contact_merges (id, workspace_id, contact_id, absorbed_id, record, merged_by)
    values ($1, $2, $3, $4, $5, $6) returning {_MERGE}
    """,
    Merge,
)
LOCK_MERGE = Statement(
    "contacts.lock_merge",
    """
    select contact_id, absorbed_id, undone_at, record from contact_merges
    where workspace_id = $1 and id = $2 for update
    """,
    KeptMerge,
)
END_MERGE = Statement(
    "contacts.end_merge",
    "update contact_merges set undone_at = now() where workspace_id = $1 and id = $2",
    value,
)
LIST_MERGES = Statement(
    "contacts.list_merges",
    f"""
    select {_MERGE} from contact_merges
    where workspace_id = $1 and contact_id = $2 and id > $3 order by id limit $4
    """,
    Merge,
)
