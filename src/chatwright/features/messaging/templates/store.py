"""Queries of templates."""

from uuid import UUID

from chatwright.features.messaging.templates.models import Template
from chatwright.ports.database import Statement, record, value

_TEMPLATE = "id, inbox_id, name, language, category, status, components, quality, reason, updated_at"
KEEP_TEMPLATE = Statement(
    "messaging.keep_template",
    """
    with before as (
        select id, status from message_templates where inbox_id = $3 and name = $4 and language = $5)
    insert into message_templates as templates
        (id, workspace_id, inbox_id, name, language, category, status, components, template_id, quality, reason)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict (inbox_id, name, language) do update
    set category = excluded.category, status = excluded.status, components = excluded.components,
        template_id = excluded.template_id, quality = excluded.quality, reason = excluded.reason,
        updated_at = now()
    where (templates.category, templates.status, templates.components, templates.template_id, templates.quality,
           templates.reason)
        is distinct from (excluded.category, excluded.status, excluded.components, excluded.template_id,
                          excluded.quality, excluded.reason)
    returning templates.id, templates.status, (select status from before) as before
    """,
    record,
)
"""Returns nothing when it is known to be so."""
TEMPLATE_NEWS = Statement(
    "messaging.template_news",
    """
    update message_templates set status = coalesce($5, message_templates.status),
        category = coalesce($6, category), quality = coalesce($7, quality),
        reason = case when $5 = 'approved' then null else coalesce($8, reason) end,
        template_id = coalesce($4, template_id), updated_at = now()
    from (select id, status from message_templates
          where inbox_id = $1 and (name = $2 and language = $3 or template_id = $4)
          order by name = $2 desc limit 1 for update) as before
    where message_templates.id = before.id
    returning message_templates.id, message_templates.status, before.status as before
    """,
    record,
)
INSERT_NEWS = Statement(
    "messaging.insert_template_news",
    """
    insert into message_templates
        (id, workspace_id, inbox_id, name, language, category, status, template_id, quality, reason)
    values ($1, $2, $3, $4, $5, coalesce($6, 'unknown'), coalesce($7, 'pending'), $8, $9, $10)
    on conflict do nothing returning id, status, null::text as before
    """,
    record,
)
LIST_TEMPLATES = Statement(
    "messaging.list_templates",
    f"""
    select {_TEMPLATE} from message_templates
    where workspace_id = $1 and id > $2 and ($3::uuid[] is null or inbox_id = any($3))
      and ($4::uuid is null or inbox_id = $4) and ($5::text is null or status = $5)
    order by id limit $6
    """,
    Template,
)
COUNT_TEMPLATES = Statement(
    "messaging.count_templates", "select count(*) from message_templates where inbox_id = $1", value
)
FIND_TEMPLATE = Statement(
    "messaging.find_template",
    f"""
    select {_TEMPLATE} from message_templates
    where workspace_id = $1 and id = $2 and ($3::uuid[] is null or inbox_id = any($3))
    """,
    Template,
)
NAMED_TEMPLATE = Statement(
    "messaging.named_template",
    f"select {_TEMPLATE} from message_templates where inbox_id = $1 and name = $2 and language = $3",
    Template,
)
DELETE_TEMPLATE: Statement[UUID] = Statement(
    "messaging.delete_template",
    "delete from message_templates where workspace_id = $1 and id = $2 returning id",
    value,
)
DELETE_OTHERS: Statement[UUID] = Statement(
    "messaging.delete_other_templates",
    """
    delete from message_templates
    where inbox_id = $1 and (name, language) not in (select * from unnest($2::text[], $3::text[]))
    returning id
    """,
    value,
)
