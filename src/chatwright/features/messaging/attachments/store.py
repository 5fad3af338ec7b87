"""Queries of attachments."""

from chatwright.features.messaging.attachments.models import Attachment
from chatwright.ports.database import Statement, value

_ATTACHMENT = "id, filename, media_type, size, created_at"
INSERT_ATTACHMENT = Statement(
    "messaging.insert_attachment",
    f"""
    insert into attachments (id, workspace_id, storage_key, filename, media_type, size, made_by)
    values ($1, $2, $3, $4, $5, $6, $7) returning {_ATTACHMENT}
    """,
    Attachment,
)
FIND_ATTACHMENT = Statement(
    "messaging.find_attachment",
    f"""
    select {_ATTACHMENT} from attachments
    where workspace_id = $1 and id = $2 and ($3::uuid[] is null or made_by = $4 or exists (
        select from messages
        where content ->> 'attachment_id' = attachments.id::text and inbox_id = any($3)))
    """,
    Attachment,
)
"""Who is limited to some inboxes sees the files of their messages, and its own."""
STORAGE_KEY = Statement(
    "messaging.storage_key", "select storage_key from attachments where workspace_id = $1 and id = $2", value
)
