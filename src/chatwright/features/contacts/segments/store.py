"""Queries about segments."""

from chatwright.features.contacts.segments.models import Segment
from chatwright.ports.database import Statement, value

_SEGMENT = "id, name, filter, created_at, updated_at"
LIST_SEGMENTS = Statement(
    "contacts.list_segments",
    f"select {_SEGMENT} from segments where workspace_id = $1 and id > $2 order by id limit $3",
    Segment,
)
FIND_SEGMENT = Statement(
    "contacts.find_segment", f"select {_SEGMENT} from segments where workspace_id = $1 and id = $2", Segment
)
INSERT_SEGMENT = Statement(
    "contacts.insert_segment",
    f"insert into segments (id, workspace_id, name, filter) values ($1, $2, $3, $4) returning {_SEGMENT}",
    Segment,
)
UPDATE_SEGMENT = Statement(
    "contacts.update_segment",
    f"""
    update segments set name = coalesce($3, name), filter = coalesce($4, filter), updated_at = now()
    where workspace_id = $1 and id = $2 returning {_SEGMENT}
    """,
    Segment,
)
DELETE_SEGMENT = Statement(
    "contacts.delete_segment",
    "delete from segments where workspace_id = $1 and id = $2 returning name",
    value,
)
