"""Queries about tags."""

from chatwright.features.contacts.tags.models import Tag
from chatwright.ports.database import Statement, record, value

_TAG = """
    t.id, t.name, t.created_at,
    (select count(*) from contact_tags ct join contacts c on c.id = ct.contact_id
     where ct.tag_id = t.id and c.merged_into is null) as contacts
"""
LIST_TAGS = Statement(
    "contacts.list_tags",
    f"select {_TAG} from tags t where t.workspace_id = $1 and t.id > $2 order by t.id limit $3",
    Tag,
)
FIND_TAG = Statement(
    "contacts.find_tag",
    f"select {_TAG} from tags t where t.workspace_id = $1 and t.id = $2 for update of t",
    Tag,
)
TAG_WITH_KEY = Statement(
    "contacts.tag_with_key", "select id from tags where workspace_id = $1 and key = $2", value
)
INSERT_TAG = Statement(
    "contacts.insert_tag",
    """
    insert into tags (id, workspace_id, name, key) values ($1, $2, $3, $4)
    on conflict (workspace_id, key) do nothing returning id
    """,
    value,
)
RENAME_TAG = Statement(
    "contacts.rename_tag", "update tags set name = $3, key = $4 where workspace_id = $1 and id = $2", value
)
DELETE_TAG = Statement("contacts.delete_tag", "delete from tags where workspace_id = $1 and id = $2", value)
HOLD_TAGS = Statement(
    "contacts.hold_tags",
    "select id, key from tags where workspace_id = $1 and key = any($2) order by id for key share",
    record,
)
PUT_ON = Statement(
    "contacts.put_tags_on",
    """
    insert into contact_tags (contact_id, tag_id) select $1, * from unnest($2::uuid[])
    on conflict do nothing returning tag_id
    """,
    value,
)
TAKE_OFF = Statement(
    "contacts.take_tags_off",
    """
    delete from contact_tags using tags
    where tags.id = contact_tags.tag_id and contact_id = $2 and tags.workspace_id = $1 and tags.key = any($3)
    returning tag_id
    """,
    value,
)
STRANGE_TAGS = Statement(
    "contacts.strange_tags",
    """
    select asked.id from unnest($2::uuid[]) as asked (id)
    where not exists (select from tags where tags.id = asked.id and tags.workspace_id = $1)
    """,
    value,
)
