"""Queries about custom fields."""

from chatwright.features.contacts.fields.models import ContactField
from chatwright.ports.database import Statement, value

_FIELD = "id, key, label, kind, choices, created_at"
LIST_FIELDS = Statement(
    "contacts.list_fields",
    f"select {_FIELD} from contact_fields where workspace_id = $1 and id > $2 order by id limit $3",
    ContactField,
)
ALL_FIELDS = Statement(
    "contacts.all_fields",
    f"select {_FIELD} from contact_fields where workspace_id = $1 order by id",
    ContactField,
)
HOLD_FIELDS = Statement(
    "contacts.hold_fields",
    f"select {_FIELD} from contact_fields where workspace_id = $1 and key = any($2) order by id for share",
    ContactField,
)
"""Keeps the fields from being deleted until the transaction that writes values of them ends."""
COUNT_FIELDS = Statement(
    "contacts.count_fields", "select count(*) from contact_fields where workspace_id = $1", value
)
FIND_FIELD = Statement(
    "contacts.find_field",
    f"select {_FIELD} from contact_fields where workspace_id = $1 and id = $2 for update",
    ContactField,
)
INSERT_FIELD = Statement(
    "contacts.insert_field",
    f"""
    insert into contact_fields (id, workspace_id, key, label, kind, choices) values ($1, $2, $3, $4, $5, $6)
    on conflict (workspace_id, key) do nothing returning {_FIELD}
    """,
    ContactField,
)
UPDATE_FIELD = Statement(
    "contacts.update_field",
    f"""
    update contact_fields set label = coalesce($3, label), choices = coalesce($4, choices)
    where workspace_id = $1 and id = $2 returning {_FIELD}
    """,
    ContactField,
)
DELETE_FIELD = Statement(
    "contacts.delete_field", "delete from contact_fields where workspace_id = $1 and id = $2", value
)
FORGET_VALUES = Statement(
    "contacts.forget_values",
    """
    update contacts set fields = fields - $2, folded = folded #- array['fields', $2]
    where workspace_id = $1 and fields ? $2
    """,
    value,
)
