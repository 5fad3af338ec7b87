"""Queries about exports."""

from chatwright.features.contacts.exports.models import ContactExport, ExportFile
from chatwright.ports.database import Statement, value

_EXPORT = """
    id, case state when 'leased' then 'running' else state end as state,
    rows, size, created_by, created_at, finished_at
"""
_VISIBLE = "workspace_id = $1 and ($2::uuid[] is null or inbox_ids <@ $2)"
"""A caller limited to inboxes sees exports that hold no more than it may see."""
INSERT_EXPORT = Statement(
    "contacts.insert_export",
    f"""
    insert into contact_exports (id, workspace_id, filter, inbox_ids, storage_key, created_by)
    values ($1, $2, $3, $4, $5, $6) returning {_EXPORT}
    """,
    ContactExport,
)
FIND_EXPORT = Statement(
    "contacts.find_export",
    f"select {_EXPORT} from contact_exports where {_VISIBLE} and id = $3",
    ContactExport,
)
EXPORT_FILE = Statement(
    "contacts.export_file",
    f"select storage_key, size from contact_exports where {_VISIBLE} and id = $3 and state = 'done'",
    ExportFile,
)
LIST_EXPORTS = Statement(
    "contacts.list_exports",
    f"""
    select {_EXPORT} from contact_exports
    where {_VISIBLE} and ($3::uuid is null or id < $3) order by id desc limit $4
    """,
    ContactExport,
)
COUNT_ROWS = Statement(
    "contacts.count_export_rows", "update contact_exports set rows = $2 where id = $1", value
)
FINISH_EXPORT = Statement(
    "contacts.finish_export",
    "update contact_exports set finished_at = now(), rows = $2, size = $3 where id = $1",
    value,
)
