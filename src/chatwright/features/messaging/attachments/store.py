"""Queries of attachments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatwright.features.messaging.attachments.models import Attachment
from chatwright.ports.database import Statement, record, value


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A message whose file is to be fetched."""

    message_id: UUID
    workspace_id: UUID
    conversation_id: UUID
    content: Mapping[str, Any]
    payload: Mapping[str, Any] | None
    """The raw event that brought it."""


@dataclass(frozen=True, slots=True)
class UnwantedFile:
    """A file that nobody wants any more."""

    id: UUID
    storage_key: str


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
LINKED_FILE = Statement(
    "messaging.linked_file",
    """
    select filename, media_type, size, storage_key from attachments
    where id = $1 and unwanted_at is null and media_type <> ''
    """,
    record,
)
"""Of any workspace: whoever has its signed address may read it."""
INSERT_DOWNLOAD = Statement(
    "messaging.insert_download",
    """
    insert into media_downloads (id, workspace_id, inbox_id, message_id, media) values ($1, $2, $3, $4, $5)
    on conflict (message_id) do nothing
    """,
    value,
)
WANTED_FILE = Statement(
    "messaging.wanted_file",
    """
    select id as message_id, workspace_id, conversation_id, content,
           (select payload from message_events join inbound_events on inbound_events.id = event_id
            where message_id = messages.id and what in ('received', 'echo') limit 1) as payload
    from messages where id = $1 and unsent_at is null and content ->> 'type' = 'media'
    """,
    WantedFile,
)
BEGIN_ATTACHMENT = Statement(
    "messaging.begin_attachment",
    """
    insert into attachments (id, workspace_id, storage_key, filename, media_type, size, made_by, unwanted_at)
    values ($1, $2, $3, '', '', 0, $4, now() + interval '1 hour')
    """,
    value,
)
LINK_ATTACHMENT = Statement(
    "messaging.link_attachment",
    """
    update messages set content = (content - 'url')
        || jsonb_build_object('attachment_id', $2::uuid, 'url', null, 'filename', coalesce(content ->> 'filename', $3))
    where id = $1 and unsent_at is null and content ->> 'type' = 'media' returning id
    """,
    value,
)
"""The provider's address has done its work; it would end soon, and may let whoever has it read the file."""
FINISH_ATTACHMENT = Statement(
    "messaging.finish_attachment",
    """
    update attachments set filename = $2, media_type = $3, size = $4, unwanted_at = null where id = $1
    """,
    value,
)
FORGET_MEDIA = Statement(
    "messaging.forget_media", "update media_downloads set media = null where id = $1", value
)
NOTE_MISSING = Statement("messaging.note_missing", "update messages set error = $2 where id = $1", value)
UNWANTED = Statement(
    "messaging.unwanted_attachments",
    """
    select id, storage_key from attachments
    where unwanted_at <= now() and not exists (
        select from messages where content ->> 'attachment_id' = attachments.id::text)
    order by unwanted_at limit 100
    """,
    UnwantedFile,
)
FORGET_ATTACHMENT = Statement("messaging.forget_attachment", "delete from attachments where id = $1", value)
