"""Queries of the messaging room."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatwright.features.messaging.models import Message, Owner, StatusChange
from chatwright.ports.database import Statement, value


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation as stored."""

    id: UUID
    workspace_id: UUID
    inbox_id: UUID
    contact_id: UUID
    address: str
    state: str
    snoozed_until: datetime | None
    assignee_id: UUID | None
    owner: Owner
    version: int
    last_position: int
    last_text: str
    last_inbound_at: datetime | None
    read_position: int
    contact_read_position: int
    unread: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NamedConversation(ConversationRow):
    """A conversation to show."""

    inbox_name: str


@dataclass(frozen=True, slots=True)
class VisibleMessage:
    """A message as the contact may see it."""

    id: UUID
    position: int
    direction: str
    author_kind: str
    author_name: str
    content: Mapping[str, Any]
    client_id: str | None
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CourtesyRow:
    """Whom to show something, and up to which of their messages."""

    inbox_id: UUID
    address: str
    last_external_id: str | None
    """Of their latest message."""
    read_external_id: str | None
    """Of their latest message that we have read."""


ACCEPT_EVENTS: Statement[UUID] = Statement(
    "messaging.accept_events",
    """
    with lanes as (
        select pg_advisory_xact_lock(key)
        from (select distinct hashtextextended(lane, 0) as key from unnest($2::text[]) lane order by key) as keys)
    insert into inbound_events (id, lane, workspace_id, inbox_id, dedupe_key, payload, unknown)
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::jsonb[], $7::text[])
    where (select count(*) from lanes) > 0
    on conflict (inbox_id, dedupe_key) do nothing returning id
    """,
    value,
)
"""Positions are given while a lane is locked: else an event could be committed, and worked, before another
with a lower one. The locks' order keeps two such statements from waiting for each other."""
CONVERSATION = """id, workspace_id, inbox_id, contact_id, address, state, snoozed_until, assignee_id, owner,
    version, last_position, last_text, last_inbound_at, read_position, contact_read_position, unread,
    created_at, updated_at"""
LOCK_CONVERSATION = Statement(
    "messaging.lock_conversation",
    f"select {CONVERSATION} from conversations where workspace_id = $1 and id = $2 for update",
    ConversationRow,
)
_NAMED = f"""{CONVERSATION},
    (select name from inboxes where inboxes.id = conversations.inbox_id) as inbox_name"""
FIND_CONVERSATION = Statement(
    "messaging.find_conversation",
    f"select {_NAMED} from conversations where workspace_id = $1 and id = $2",
    NamedConversation,
)
CONVERSATION_BY_ADDRESS = Statement(
    "messaging.conversation_by_address",
    f"select {CONVERSATION} from conversations where inbox_id = $1 and address = $2",
    ConversationRow,
)
CONTACT_OF_CONVERSATION = Statement(
    "messaging.contact_of_conversation",
    "select contact_id from conversations where workspace_id = $1 and id = $2",
    value,
)
CONTACT_OF_MESSAGE = Statement(
    "messaging.contact_of_message",
    """
    select conversations.contact_id from messages
    join conversations on conversations.id = messages.conversation_id
    where messages.workspace_id = $1 and messages.id = $2
    """,
    value,
)
LIST_CONVERSATIONS = Statement(
    "messaging.list_conversations",
    f"""
    select {_NAMED} from conversations
    where workspace_id = $1 and ($2::uuid[] is null or inbox_id = any($2))
      and ($3::text is null or state = $3) and ($4::text is null or owner = $4)
      and ($5::uuid is null or inbox_id = $5) and ($6::uuid[] is null or contact_id = any($6))
      and ($7::uuid is null or assignee_id = $7) and ($8::boolean is null or (unread > 0) = $8)
      and ($9::timestamptz is null or (updated_at, id) < ($9, $10::uuid))
      and ($12::uuid[] is null or exists (
          select from contacts join contact_tags worn on worn.contact_id = coalesce(contacts.merged_into, contacts.id)
          where contacts.id = conversations.contact_id and worn.tag_id = any($12)))
    order by updated_at desc, id desc limit $11
    """,
    NamedConversation,
)
ADVANCE_CONVERSATION = Statement(
    "messaging.advance_conversation",
    """
    update conversations set last_position = last_position + 1, last_text = $2, updated_at = clock_timestamp(),
        last_inbound_at = case when $3 then clock_timestamp() else last_inbound_at end,
        unread = case when $3 then unread + 1 else unread end,
        state = case when $3 then 'open' else state end,
        snoozed_until = case when $3 then null else snoozed_until end
    where id = $1 returning last_position
    """,
    value,
)
SET_STATE = Statement(
    "messaging.set_state",
    """
    update conversations set state = $2, snoozed_until = $3, updated_at = clock_timestamp()
    where id = $1
    """,
    value,
)
SET_ASSIGNEE = Statement(
    "messaging.set_assignee",
    "update conversations set assignee_id = $2, updated_at = clock_timestamp() where id = $1",
    value,
)
SET_OWNER = Statement(
    "messaging.set_owner",
    """
    update conversations set owner = $2, version = version + 1, updated_at = clock_timestamp()
    where id = $1 and owner <> $2
    """,
    value,
)
MARK_READ = Statement(
    "messaging.mark_read",
    """
    update conversations set read_position = least(last_position, $2::bigint),
        unread = (select count(*) from messages where conversation_id = $1 and direction = 'in' and position > $2)
    where id = $1
    """,
    value,
)
MARK_UNREAD = Statement(
    "messaging.mark_unread",
    """
    update conversations set unread = greatest(unread, 1),
        read_position = coalesce((select max(position) - 1 from messages
                                  where conversation_id = $1 and direction = 'in'), 0)
    where id = $1
    """,
    value,
)
CONTACT_READ = Statement(
    "messaging.contact_read",
    """
    update conversations set contact_read_position = greatest(contact_read_position, $2::bigint)
    where id = $1
    """,
    value,
)
FORGET_CONVERSATIONS = Statement(
    "messaging.forget_conversations",
    f"""
    with gone as (
        select id from conversations where workspace_id = $1 and contact_id = any($2::uuid[])),
    said as (select messages.id from messages join gone on gone.id = conversation_id),
    raw as (
        update inbound_events set payload = '{{}}'
        where id in (select event_id from message_events where message_id in (select id from said))),
    files as (
        update attachments set unwanted_at = now()
        where id in (select (content ->> 'attachment_id')::uuid from messages where id in (select id from said))),
    statuses as (delete from message_statuses where message_id in (select id from said)),
    sends as (delete from deliveries where message_id in (select id from said)),
    words as (delete from messages where id in (select id from said))
    delete from conversations where id in (select id from gone) returning {CONVERSATION}
    """,
    ConversationRow,
)
INSERT_COURTESY = Statement(
    "messaging.insert_courtesy",
    """
    insert into courtesies (id, lane, workspace_id, conversation_id, what)
    select $1, c.id::text, c.workspace_id, c.id, $3 from conversations c join inboxes on inboxes.id = c.inbox_id
    where c.id = $2 and inboxes.deleted_at is null and inboxes.channel = any($4::text[])
    on conflict (conversation_id, what) where state = 'queued' do nothing
    """,
    value,
)
COURTESY = Statement(
    "messaging.courtesy",
    """
    select inbox_id, address,
           (select external_id from messages where conversation_id = c.id and direction = 'in'
              and author_kind = 'contact' order by position desc limit 1) as last_external_id,
           (select external_id from messages where conversation_id = c.id and direction = 'in'
              and position <= c.read_position order by position desc limit 1) as read_external_id
    from conversations c where id = $1
    """,
    CourtesyRow,
)
WAKE_SNOOZED = Statement(
    "messaging.wake_snoozed",
    f"""
    update conversations set state = 'open', snoozed_until = null, updated_at = clock_timestamp()
    where state = 'snoozed' and snoozed_until <= now() returning {CONVERSATION}
    """,
    ConversationRow,
)
_MESSAGE = """id, conversation_id, position, direction, author_kind, author_id, author_name, content, status,
    error, held, degraded, pricing as cost, referral, automatic, sent_at, edited_at, unsent_at, created_at,
    (select id from messages answered
     where answered.inbox_id = messages.inbox_id and answered.direction in ('in', 'out')
       and answered.external_id = messages.reply_to limit 1) as reply_to_id,
    coalesce((select jsonb_agg(jsonb_build_object('author', author, 'emoji', emoji, 'at', at) order by at)
              from message_reactions where message_id = messages.id and emoji <> ''), '[]') as reactions"""
INSERT_MESSAGE = Statement(
    "messaging.insert_message",
    f"""
    insert into messages (id, workspace_id, inbox_id, conversation_id, position, direction, author_kind,
        author_id, author_name, content, external_id, status)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning {_MESSAGE}
    """,
    Message,
)
INSERT_OUTGOING = Statement(
    "messaging.insert_outgoing",
    f"""
    insert into messages (id, workspace_id, inbox_id, conversation_id, position, direction, author_kind,
        author_id, author_name, content, status, held, degraded, rules, reply_to)
    values ($1, $2, $3, $4, $5, 'out', $6, $7, $8, $9, $10, $11, $12, $13, $14) returning {_MESSAGE}
    """,
    Message,
)
LIST_MESSAGES = Statement(
    "messaging.list_messages",
    f"""
    select {_MESSAGE} from messages where workspace_id = $1 and conversation_id = $2 and position < $3
    order by position desc limit $4
    """,
    Message,
)
FIND_MESSAGE = Statement(
    "messaging.find_message",
    f"""
    select {_MESSAGE} from messages
    where workspace_id = $1 and id = $2 and ($3::uuid[] is null or inbox_id = any($3))
    """,
    Message,
)
VISIBLE_MESSAGES = Statement(
    "messaging.visible_messages",
    """
    select messages.id, position, direction, author_kind, author_name, content, external_id as client_id, status,
           messages.created_at as at
    from messages join conversations on conversations.id = messages.conversation_id
    where conversations.inbox_id = $1 and conversations.address = $2 and position > $3
      and direction in ('in', 'out')
    order by position limit $4
    """,
    VisibleMessage,
)
ADD_STATUS = Statement(
    "messaging.add_status",
    """
    insert into message_statuses (message_id, status, detail) values ($1, $2, $3)
    on conflict (message_id, status) do nothing
    """,
    value,
)
TIMELINE = Statement(
    "messaging.timeline",
    "select status, at, detail from message_statuses where message_id = $1 order by at",
    StatusChange,
)
