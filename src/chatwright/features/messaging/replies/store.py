"""Queries of saved replies."""

from chatwright.features.messaging.replies.models import SavedReply
from chatwright.ports.database import Statement, value

_REPLY = "id, shortcut, text, updated_at"
SAVE_REPLY = Statement(
    "messaging.save_reply",
    f"""
    insert into saved_replies (id, workspace_id, shortcut, text) values ($1, $2, $3, $4)
    on conflict (workspace_id, shortcut) do update set text = excluded.text, updated_at = now()
    returning {_REPLY}
    """,
    SavedReply,
)
LIST_REPLIES = Statement(
    "messaging.list_replies",
    f"select {_REPLY} from saved_replies where workspace_id = $1 and id > $2 order by id limit $3",
    SavedReply,
)
DELETE_REPLY = Statement(
    "messaging.delete_reply",
    "delete from saved_replies where workspace_id = $1 and id = $2 returning shortcut",
    value,
)
