"""Queries about imports."""

from chatwright.features.contacts.imports.models import ContactImport, ImportRowError
from chatwright.ports.database import Statement, value

_IMPORT = """
    id, name, dry_run, rows_total, rows_done, rows_created, rows_updated, rows_skipped, rows_failed,
    created_by, created_at, finished_at,
    case when state = 'leased' or (state = 'queued' and rows_done > 0) then 'running' else state end as state,
    case when state <> 'failed' then null
         when finished_at is null then 'Something went wrong on our side.' else error end as error
"""
INSERT_IMPORT = Statement(
    "contacts.insert_import",
    f"""
    insert into contact_imports
        (id, workspace_id, lane, name, plan, dry_run, content, storage_key, rows_total, created_by)
    values ($1, $2, $2::uuid::text, $3, $4, $5, $6, $7, $8, $9) returning {_IMPORT}
    """,
    ContactImport,
)
FIND_IMPORT = Statement(
    "contacts.find_import",
    f"select {_IMPORT} from contact_imports where workspace_id = $1 and id = $2",
    ContactImport,
)
LIST_IMPORTS = Statement(
    "contacts.list_imports",
    f"""
    select {_IMPORT} from contact_imports
    where workspace_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3
    """,
    ContactImport,
)
CANCEL_IMPORT = Statement(
    "contacts.cancel_import",
    """
    update contact_imports
    set state = 'cancelled', lease_owner = null, finished_at = now(), content = null
    where workspace_id = $1 and id = $2 and state in ('queued', 'leased') returning id
    """,
    value,
)
"""Without the lease a worker that is at it cannot commit its rows."""
ADVANCE_IMPORT = Statement(
    "contacts.advance_import",
    """
    update contact_imports
    set rows_total = $2, rows_done = rows_done + $3, rows_created = rows_created + $4,
        rows_updated = rows_updated + $5, rows_skipped = rows_skipped + $6, rows_failed = rows_failed + $7,
        attempts = 0
    where id = $1
    """,
    value,
)
"""Rows that went through start the count of failed attempts anew."""
FINISH_IMPORT = Statement(
    "contacts.finish_import",
    "update contact_imports set finished_at = now(), content = null where id = $1",
    value,
)
ADD_ERROR = Statement(
    "contacts.add_import_error",
    """
    insert into contact_import_errors (import_id, row, "column", message) values ($1, $2, $3, $4)
    on conflict do nothing
    """,
    value,
)
LIST_ERRORS = Statement(
    "contacts.list_import_errors",
    """
    select row, "column", message from contact_import_errors
    where import_id = $1 and (row, "column") > ($2::bigint, $3) order by row, "column" limit $4
    """,
    ImportRowError,
)
MATCHES = Statement(
    "contacts.import_matches",
    """
    select id from contacts
    where workspace_id = $1 and merged_into is null and (emails && $2::text[] or phones && $3::text[])
    order by id limit 2
    """,
    value,
)
