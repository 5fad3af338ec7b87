"""Queries about notes."""

from chatwright.features.contacts.notes.models import ContactNote
from chatwright.ports.database import Statement, value

_NOTE = "id, contact_id, text, author, created_at, updated_at"
LIST_NOTES = Statement(
    "contacts.list_notes",
    f"""
    select {_NOTE} from contact_notes
    where workspace_id = $1 and contact_id = $2 and id > $3 order by id limit $4
    """,
    ContactNote,
)
FIND_NOTE = Statement(
    "contacts.find_note",
    f"select {_NOTE} from contact_notes where workspace_id = $1 and id = $2",
    ContactNote,
)
INSERT_NOTE = Statement(
    "contacts.insert_note",
    f"""
    insert into contact_notes (id, workspace_id, contact_id, text, author) values ($1, $2, $3, $4, $5)
    returning {_NOTE}
    """,
    ContactNote,
)
UPDATE_NOTE = Statement(
    "contacts.update_note",
    f"""
    update contact_notes set text = $3, updated_at = now() where workspace_id = $1 and id = $2
    returning {_NOTE}
    """,
    ContactNote,
)
DELETE_NOTE = Statement(
    "contacts.delete_note", "delete from contact_notes where workspace_id = $1 and id = $2", value
)
