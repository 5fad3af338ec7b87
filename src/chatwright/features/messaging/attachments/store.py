"""Queries of attachments."""

from chatwright.features.messaging.attachments.models import Attachment
from chatwright.ports.database import Statement, value

_ATTACHMENT = "id, filename, media_type, size, created_at"
INSERT_ATTACHMENT = Statement(
    "messaging.insert_attachment",
    f"""
    insert into attachments (id, workspace_id, storage_key, filename, media_type, size)
    values ($1, $2, $3, $4, $5, $6) returning {_ATTACHMENT}
    """,
    Attachment,
)
FIND_ATTACHMENT = Statement(
    "messaging.find_attachment",
    f"select {_ATTACHMENT} from attachments where workspace_id = $1 and id = $2",
    Attachment,
)
STORAGE_KEY = Statement(
    "messaging.storage_key", "select storage_key from attachments where workspace_id = $1 and id = $2", value
)
