"""Queries of what comes in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatwright.features.messaging.store import CONVERSATION, ConversationRow
from chatwright.ports.database import Statement, record, value


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """A message that news is about."""

    id: UUID
    conversation_id: UUID
    position: int
    direction: str
    content: Mapping[str, Any]
    created_at: datetime
    edited_at: datetime | None
    unsent_at: datetime | None


COUNT_UNKNOWN = Statement(
    "messaging.count_unknown",
    """
    insert into unknown_events as unknown (inbox_id, kind, seen, last_event_id)
    select $1, case when $2 = any(array_agg(kind)) or count(*) < 100 then $2 else 'other' end, 1, $3
    from unknown_events where inbox_id = $1
    on conflict (inbox_id, kind) do update
    set seen = unknown.seen + 1, last_event_id = excluded.last_event_id, last_seen_at = now()
    """,
    value,
)
"""Kinds can be a visitor's own invention: beyond a hundred of an inbox, further ones are counted as `other`."""
MARK_UNKNOWN = Statement(
    "messaging.mark_unknown", "update inbound_events set unknown = $2 where id = $1", value
)
ADD_MESSAGE_EVENT = Statement(
    "messaging.add_message_event",
    "insert into message_events (message_id, event_id, what) values ($1, $2, $3) on conflict do nothing",
    value,
)
INSERT_CONVERSATION = Statement(
    "messaging.insert_conversation",
    """
    insert into conversations (id, workspace_id, inbox_id, contact_id, address) values ($1, $2, $3, $4, $5)
    on conflict (inbox_id, address) do nothing returning id
    """,
    value,
)
LOCK_CONVERSATION_AT = Statement(
    "messaging.lock_conversation_at",
    f"""
    select {CONVERSATION} from conversations
    where inbox_id = $1 and (address = $2 or contact_id = $3)
    order by address = $2 desc, updated_at desc limit 1 for update
    """,
    ConversationRow,
)
"""By its address where there is one, else the contact's latest."""
LOCK_CONVERSATION_OF = Statement(
    "messaging.lock_conversation_of",
    f"select {CONVERSATION} from conversations where inbox_id = $1 and id = $2 for update",
    ConversationRow,
)
CONVERSATION_OF_THREAD: Statement[UUID] = Statement(
    "messaging.conversation_of_thread",
    """
    with wanted as (select * from unnest($2::text[]) with ordinality as one (external_id, place)),
    found as (
        select conversation_id, place from wanted join messages using (external_id)
        where messages.inbox_id = $1 and messages.direction in ('in', 'out')
        union all
        select messages.conversation_id, place from wanted
        join delivery_ids using (external_id) join deliveries on deliveries.id = delivery_ids.delivery_id
        join messages on messages.id = deliveries.message_id
        where delivery_ids.inbox_id = $1)
    select conversation_id from found order by place limit 1
    """,
    value,
)
MOVE_CONVERSATION = Statement(
    "messaging.move_conversation",
    "update conversations set contact_id = $2, address = $3 where id = $1",
    value,
)
OPEN_WINDOW = Statement(
    "messaging.open_window",
    """
    update conversations set window_opened_at = greatest(window_opened_at, $2::timestamptz),
        window_ends_at = greatest(window_ends_at, $2::timestamptz + $3::interval),
        unreachable = 0, unreachable_words = null
    where id = $1
    returning exists (select from deliveries where inbox_id = conversations.inbox_id and held = 'window'
                        and lane = conversations.id::text)
    """,
    value,
)
"""Whoever writes is reachable. Says whether something has waited for the window."""
SENDING_TO: Statement[bool] = Statement(
    "messaging.sending_to",
    """
    select exists (select from conversations c join deliveries d on d.lane = c.id::text
                   where c.inbox_id = $1 and c.address = any($2::text[])
                     and d.status = 'sending' and d.state in ('queued', 'leased'))
    """,
    value,
)
SET_LAST_TEXT = Statement(
    "messaging.set_last_text",
    """
    update conversations set last_text = $3, updated_at = clock_timestamp()
    where id = $1 and last_position = $2
    """,
    value,
)
"""If that position is still the last one."""
INSERT_RECEIVED: Statement[UUID] = Statement(
    "messaging.insert_received",
    """
    with noted as (insert into message_events (message_id, event_id, what) values ($1, $18, $19))
    insert into messages (id, workspace_id, inbox_id, conversation_id, position, direction, author_kind,
        author_id, author_name, content, external_id, status, sent_at, reply_to, referral, automatic, unsent_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) returning id
    """,
    value,
)
WRITTEN_LATELY: Statement[int] = Statement(
    "messaging.written_lately",
    """
    select count(*) from messages
    where conversation_id = $1 and position > $2 and direction = 'in' and content ->> 'type' <> 'media'
      and created_at > now() - interval '1 hour'
    """,
    value,
)
"""Files of a mail are messages, too, and do not count. The position keeps it from reading long conversations."""
KNOWN_MESSAGE = Statement(
    "messaging.known_message",
    """
    select id, unsent_at,
           exists (select from message_events where message_id = messages.id and event_id = $3) as by_this
    from messages where inbox_id = $1 and direction = 'in' and external_id = $2
    """,
    record,
)
"""`by_this` is whether this raw event brought it."""
KNOWN_OURS = Statement(
    "messaging.known_ours",
    "select id from messages where inbox_id = $1 and direction = 'out' and external_id = $2",
    value,
)
LOCK_NAMED = Statement(
    "messaging.lock_named",
    """
    select id, conversation_id, position, direction, content, created_at, edited_at, unsent_at from messages
    where inbox_id = $1 and direction in ('in', 'out') and (external_id = $2 or id = $3::uuid or id in (
        select message_id from deliveries join delivery_ids ids on ids.delivery_id = deliveries.id
        where ids.inbox_id = $1 and ids.external_id = $2
        union select message_id from deliveries where inbox_id = $1 and wire_id = $3::uuid))
    order by direction limit 1 for update
    """,
    KnownMessage,
)
"""The message that a channel means by one of its ids, or by ours."""
EDIT_MESSAGE = Statement(
    "messaging.edit_message",
    """
    update messages set content = $2, edited_at = coalesce($3, now())
    where id = $1 and unsent_at is null and (edited_at is null or $3::timestamptz is null or edited_at < $3)
    returning id
    """,
    value,
)
UNSEND_MESSAGE = Statement(
    "messaging.unsend_message",
    """
    with reactions as (delete from message_reactions where message_id = $1),
    downloads as (delete from media_downloads where message_id = $1),
    raw as (
        update inbound_events set payload = '{}'
        where id in (select event_id from message_events where message_id = $1)),
    files as (
        update attachments set unwanted_at = now()
        where id = (select (content ->> 'attachment_id')::uuid from messages where id = $1))
    update messages set content = $2, referral = null, unsent_at = coalesce($3, now())
    where id = $1 and unsent_at is null returning id
    """,
    value,
)
PURGE_EVENT = Statement(
    "messaging.purge_event", "update inbound_events set payload = '{}' where id = $1", value
)
SET_REACTION = Statement(
    "messaging.set_reaction",
    """
    insert into message_reactions as reactions (message_id, author, emoji, at)
    values ($1, $2, $3, coalesce($4, now()))
    on conflict (message_id, author) do update set emoji = excluded.emoji, at = excluded.at
    where reactions.at <= excluded.at and reactions.emoji <> excluded.emoji
    returning message_id
    """,
    value,
)
"""One that was taken back stays as an empty one, so that older news cannot bring it back."""
ADD_REFERRAL = Statement(
    "messaging.add_referral",
    """
    insert into referrals (id, workspace_id, inbox_id, contact_id, conversation_id, message_id, referral, at)
    values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()))
    """,
    value,
)
SET_PRICING = Statement("messaging.set_pricing", "update messages set pricing = $2 where id = $1", value)
INSERT_LEAD = Statement(
    "messaging.insert_lead",
    """
    insert into leads (id, workspace_id, inbox_id, lead_id, form_id, ad_id, answers, at)
    values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()))
    on conflict (inbox_id, lead_id) do nothing returning id
    """,
    value,
)
SETTLE_LEAD = Statement(
    "messaging.settle_lead",
    "update leads set answers = $2, contact_id = $3, form_id = $4, ad_id = $5 where id = $1",
    value,
)
