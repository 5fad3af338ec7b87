"""Queries of deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatwright.features.messaging.deliveries.models import (
    TracedAttempt,
    TracedPart,
    TracedStatus,
    UsableTemplate,
)
from chatwright.features.messaging.models import HeldFor
from chatwright.ports.database import Statement, record, value


@dataclass(frozen=True, slots=True)
class LockedMessage:
    """A message of ours, locked until the transaction ends."""

    id: UUID
    workspace_id: UUID
    inbox_id: UUID
    conversation_id: UUID
    status: str
    held: HeldFor | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A delivery whose turn it may be, with all that decides it."""

    id: UUID
    workspace_id: UUID
    inbox_id: UUID
    message_id: UUID
    part: int
    round: int
    wire_id: UUID
    status: str
    content: Mapping[str, Any]
    automatic: bool
    wait_for_window: bool
    sending_at: datetime | None
    first_tried_at: datetime | None
    tries: int
    probe: bool
    lane: str
    position: int
    reply_to: str | None
    reply_to_comment: bool
    message_position: int
    conversation_id: UUID
    contact_id: UUID
    address: str
    window_opened_at: datetime | None
    window_ends_at: datetime | None
    last_inbound_at: datetime | None
    unreachable: int
    quiet_hours: Mapping[str, Any] | None
    health_words: str | None
    slot_in: float | None
    """Seconds until the slot that was reserved for it; negative once that is past."""
    pair_free_in: float | None
    """Seconds until the next one may go to this person, if each keeps its distance."""
    pair_blocked_for: float | None
    inbox_blocked_for: float | None
    share: float | None
    """How much of the inbox's pace a provider under load leaves us by now."""
    pause_seconds: float | None
    now: datetime


@dataclass(frozen=True, slots=True)
class SentPart:
    """What of ours a provider speaks of: a part of a message, or a message that went out without us."""

    delivery_id: UUID | None
    message_id: UUID


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A delivery that waits."""

    id: UUID
    message_id: UUID
    lane: str


@dataclass(frozen=True, slots=True)
class ConversationState:
    """What decides whether something may be sent in a conversation."""

    id: UUID
    workspace_id: UUID
    inbox_id: UUID
    contact_id: UUID
    address: str
    last_inbound_at: datetime | None
    window_opened_at: datetime | None
    window_ends_at: datetime | None
    unreachable: int
    unreachable_at: datetime | None
    unreachable_words: str | None
    channel: str
    health: str
    health_words: str | None
    health_until: datetime | None
    connected: bool


@dataclass(frozen=True, slots=True)
class LookUp:
    """A send with an unknown end, as its provider may be asked for it."""

    delivery_id: UUID
    message_id: UUID
    inbox_id: UUID
    workspace_id: UUID
    status: str
    wire_id: UUID
    content: Mapping[str, Any]
    address: str
    conversation_id: UUID
    sending_at: datetime | None


INSERT_PART = Statement(
    "deliveries.insert_part",
    """
    insert into deliveries (id, lane, workspace_id, inbox_id, message_id, part, round, wire_id, content, status,
        held, automatic, wait_for_window, due_at)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, case when $10::text is null then 'queued' else 'held' end, $10,
        $11, $12, case when $10::text is not null then 'infinity' else coalesce(
            (select max(due_at) from deliveries where lane = $2 and state = 'queued' and due_at > now()),
            now()) end
    """,
    value,
)
"""Behind a row that waits it is due no sooner, so that nobody looks at it in vain."""
TURN = Statement(
    "deliveries.turn",
    """
    select d.id, d.workspace_id, d.inbox_id, d.message_id, d.part, d.round, d.wire_id, d.status,
           coalesce(d.content, m.content) as content, d.automatic, d.wait_for_window, d.sending_at,
           d.first_tried_at, d.tries, d.probe, d.lane, d.position, m.reply_to,
           exists (select from messages target
                   where target.inbox_id = d.inbox_id and target.direction = 'in'
                     and target.external_id = m.reply_to and target.content ->> 'kind' = 'comment'
                     and target.content ->> 'type' = 'story_reference') as reply_to_comment,
           m.position as message_position,
           c.id as conversation_id, c.contact_id, c.address, c.window_opened_at, c.window_ends_at,
           c.last_inbound_at, c.unreachable, inboxes.quiet_hours, inboxes.health_words,
           extract(epoch from d.slot_at - clock_timestamp())::float8 as slot_in,
           extract(epoch from pair.free_at - clock_timestamp())::float8 as pair_free_in,
           extract(epoch from pair.blocked_until - clock_timestamp())::float8 as pair_blocked_for,
           extract(epoch from bucket.blocked_until - clock_timestamp())::float8 as inbox_blocked_for,
           least(1, bucket.share + extract(epoch from now() - bucket.slowed_at)::float8 / $2::float8) as share,
           bucket.pause_seconds, now()
    from deliveries d
    join messages m on m.id = d.message_id
    join conversations c on c.id = m.conversation_id
    join inboxes on inboxes.id = d.inbox_id
    left join send_buckets pair on pair.inbox_id = d.inbox_id and pair.address = c.address
    left join send_buckets bucket on bucket.inbox_id = d.inbox_id and bucket.address = ''
    where d.id = $1
    """,
    Turn,
)
THREAD: Statement[str] = Statement(
    "deliveries.thread",
    """
    select external_id from messages
    where conversation_id = $1 and position < $2 and external_id is not null and direction in ('in', 'out')
    order by position desc limit 50
    """,
    value,
)
SUBJECT: Statement[str] = Statement(
    "deliveries.subject",
    """
    select content ->> 'subject' from messages
    where conversation_id = $1 and content ->> 'type' = 'email' and content ->> 'subject' <> ''
    order by position limit 1
    """,
    value,
)
_SHARE = """
    least(1, bucket.share + extract(epoch from clock_timestamp() - bucket.slowed_at)::float8 / $4::float8)
"""
RESERVE: Statement[float] = Statement(
    "deliveries.reserve",
    f"""
    insert into send_buckets as bucket (inbox_id, address, free_at)
    select $1, '', clock_timestamp() + make_interval(secs => $2::float8)
    from set_config('synchronous_commit', 'off', true)
    on conflict (inbox_id, address) do update
    set free_at = greatest(bucket.free_at, bucket.blocked_until, clock_timestamp())
            + make_interval(secs => $2::float8 / {_SHARE})
    returning greatest(0, extract(epoch from bucket.blocked_until - clock_timestamp())::float8,
        extract(epoch from bucket.free_at - clock_timestamp())::float8 - $3::float8 - $2::float8 / {_SHARE})
    """,
    value,
)
"""A reservation that a crash of the server forgets costs nothing but a slot taken twice, so nobody waits for the
disk."""
KEEP_SLOT = Statement(
    "deliveries.keep_slot",
    "update deliveries set slot_at = clock_timestamp() + make_interval(secs => $2) where id = $1",
    value,
)
COUNT_PAIR: Statement[float] = Statement(
    "deliveries.count_pair",
    """
    insert into send_buckets as bucket (inbox_id, address, free_at)
    values ($1, $2, clock_timestamp() + make_interval(secs => $3::float8 - $4::float8))
    on conflict (inbox_id, address) do update
    set free_at = greatest(bucket.free_at, clock_timestamp() - make_interval(secs => $4::float8))
            + make_interval(secs => $3::float8)
    returning extract(epoch from free_at - clock_timestamp())::float8
    """,
    value,
)
BLOCK = Statement(
    "deliveries.block",
    """
    insert into send_buckets as bucket (inbox_id, address, free_at, blocked_until)
    values ($1, $2, clock_timestamp(), clock_timestamp() + make_interval(secs => $3))
    on conflict (inbox_id, address) do update
    set blocked_until = greatest(bucket.blocked_until, excluded.blocked_until)
    """,
    value,
)
UNBLOCK = Statement(
    "deliveries.unblock",
    """
    update send_buckets set blocked_until = null, pause_seconds = null
    where inbox_id = $1 and address = '' and pause_seconds is not null
    """,
    value,
)
SLOW_DOWN = Statement(
    "deliveries.slow_down",
    """
    insert into send_buckets as bucket (inbox_id, address, free_at, share) values ($1, '', clock_timestamp(), $2)
    on conflict (inbox_id, address) do update
    set share = least($2, bucket.share + extract(epoch from clock_timestamp() - bucket.slowed_at)::float8 / $3::float8),
        slowed_at = clock_timestamp()
    """,
    value,
)
NOTE_PAUSE = Statement(
    "deliveries.note_pause",
    """
    insert into send_buckets as bucket (inbox_id, address, free_at, pause_seconds)
    values ($1, '', clock_timestamp(), $2)
    on conflict (inbox_id, address) do update set pause_seconds = excluded.pause_seconds
    """,
    value,
)
PAUSE_OF: Statement[float | None] = Statement(
    "deliveries.pause_of",
    "select pause_seconds from send_buckets where inbox_id = $1 and address = ''",
    value,
)
ATTACHED_FILE = Statement(
    "deliveries.attached_file",
    "select filename, media_type, size, storage_key from attachments where workspace_id = $1 and id = $2",
    record,
)
FORGET_BUCKETS = Statement(
    "deliveries.forget_buckets",
    """
    delete from send_buckets
    where address <> '' and free_at < now() and (blocked_until is null or blocked_until < now())
    """,
    value,
)
BEGIN_ATTEMPT = Statement(
    "deliveries.begin_attempt",
    """
    with sending as (
        update deliveries set sending_at = clock_timestamp(), slot_at = null, held = null, status = 'sending',
            first_tried_at = coalesce(first_tried_at, clock_timestamp())
        where id = $1)
    insert into delivery_attempts (id, delivery_id, message_id, started_at)
    values ($2, $1, $3, clock_timestamp())
    """,
    value,
)
END_ATTEMPTS = Statement(
    "deliveries.end_attempts",
    """
    update delivery_attempts set ended_at = clock_timestamp(), outcome = $2, code = $3, detail = $4, answer = $5
    where delivery_id = $1 and ended_at is null
    """,
    value,
)
REST = Statement(
    "deliveries.rest",
    """
    update deliveries set sending_at = null, slot_at = null, tries = tries + $2, status = $3, held = $4,
        first_tried_at = case when $4::text is null then first_tried_at end, probe = probe and $4::text is null
    where id = $1
    """,
    value,
)
"""It waits: `$2` is 1 when that counts as a try. Time spent held does not count against it."""
PUSH_LANE = Statement(
    "deliveries.push_lane",
    """
    update deliveries set due_at = coalesce(now() + make_interval(secs => nullif($3::float8, 'infinity')), 'infinity')
    where lane = $1 and position > $2 and state = 'queued' and held is null
      and due_at < coalesce(now() + make_interval(secs => nullif($3::float8, 'infinity')), 'infinity')
    """,
    value,
)
"""Those behind a row that waits wait as long, so that nobody looks at them in vain."""
WAKE_LANE = Statement(
    "deliveries.wake_lane",
    """
    update deliveries set due_at = now() + make_interval(secs => $2::float8)
    where lane = $1 and state = 'queued' and held is null and (due_at > now() or $2::float8 > 0)
    """,
    value,
)
"""Those that wait in a lane go on after so many seconds."""
HOLD_LANE: Statement[UUID] = Statement(
    "deliveries.hold_lane",
    """
    update deliveries set held = $3, status = 'held', due_at = 'infinity'
    where lane = $1 and position > $2 and state = 'queued' and held is null returning message_id
    """,
    value,
)
HELD_MESSAGES: Statement[UUID] = Statement(
    "deliveries.held_messages",
    """
    select id from messages
    where id in (select message_id from deliveries where inbox_id = $1 and held = 'inbox') order by id for update
    """,
    value,
)
"""Locks them first, as everybody does who touches a message's deliveries."""
RELEASE_INBOX = Statement(
    "deliveries.release_inbox",
    """
    update deliveries set held = null, status = 'queued', due_at = now()
    where inbox_id = $1 and held = 'inbox' and state = 'queued' returning id, message_id, lane
    """,
    HeldRow,
)
MARK_PROBE = Statement(
    "deliveries.mark_probe",
    """
    update deliveries set probe = true
    where id = (select id from deliveries where inbox_id = $1 and held = 'inbox' order by position limit 1)
    """,
    value,
)
HELD_IN_LANE = Statement(
    "deliveries.held_in_lane",
    "select id, message_id, lane from deliveries where lane = $1 and held = $2 order by position",
    HeldRow,
)
RELEASE = Statement(
    "deliveries.release",
    """
    update deliveries set held = null, status = 'queued', due_at = now()
    where message_id = $1 and held = $2 and state = 'queued' returning id, message_id, lane
    """,
    HeldRow,
)
CANCEL = Statement(
    "deliveries.cancel",
    """
    update deliveries set state = 'cancelled', status = 'cancelled', held = null, lease_owner = null
    where message_id = $1 and part > $2 and state in ('queued', 'leased') and sending_at is null
    returning id, message_id, lane
    """,
    HeldRow,
)
"""A worker that has one of them in hand, but has not begun, finds its lease gone."""
CALL_OFF = Statement(
    "deliveries.call_off",
    """
    update deliveries set state = 'cancelled', status = 'cancelled', held = null, lease_owner = null
    where message_id = $1 and part = $2 and round > $3 and state in ('queued', 'leased') and sending_at is null
    returning id, message_id, lane
    """,
    HeldRow,
)
POSITION: Statement[int] = Statement(
    "deliveries.position", "select position from messages where id = $1", value
)
LOCK_MESSAGE = Statement(
    "deliveries.lock_message",
    """
    select id, workspace_id, inbox_id, conversation_id, status, held, error from messages
    where id = $1 and direction = 'out' for update
    """,
    LockedMessage,
)
PARTS = Statement(
    "deliveries.parts",
    "select id, part, round, status, held from deliveries where message_id = $1 order by part, round",
    record,
)
MOVE_PART = Statement(
    "deliveries.move_part",
    """
    with moved as (update deliveries set status = $2 where id = $1)
    insert into message_statuses (message_id, status, at, code, detail)
    values ($3, $4, coalesce($5, clock_timestamp()), $6, $7)
    on conflict (message_id, status) do nothing
    """,
    value,
)
SHOW_STATUS = Statement(
    "deliveries.show_status",
    """
    update messages set status = $2, error = $3, held = $4, external_id = case
        when $5::text is null or exists (
            select from messages other
            where other.inbox_id = messages.inbox_id and other.direction = 'out' and other.external_id = $5)
        then external_id else $5 end
    where id = $1
    """,
    value,
)
"""An id that another message has is left to it: providers do make mistakes, and a send must not fail for one."""
ADD_STATUS = Statement(
    "deliveries.add_status",
    """
    insert into message_statuses (message_id, status, at, code, detail)
    values ($1, $2, coalesce($3, clock_timestamp()), $4, $5)
    on conflict (message_id, status) do nothing
    """,
    value,
)
KEEP_IDS = Statement(
    "deliveries.keep_ids",
    """
    insert into delivery_ids (inbox_id, external_id, delivery_id)
    select $1, external_id, $3 from unnest($2::text[]) external_id on conflict do nothing
    """,
    value,
)
FIND_SENT = Statement(
    "deliveries.find_sent",
    """
    select id as delivery_id, message_id from deliveries where inbox_id = $1 and wire_id = $2::uuid
    union all
    select deliveries.id, deliveries.message_id from delivery_ids ids
    join deliveries on deliveries.id = ids.delivery_id
    where ids.inbox_id = $1 and ids.external_id = any($3::text[])
    union all
    select null, id from messages
    where inbox_id = $1 and direction = 'out' and (external_id = any($3::text[]) or id = $2::uuid)
    limit 1
    """,
    SentPart,
)
UNCERTAIN = Statement(
    "deliveries.uncertain",
    """
    select d.id, d.message_id, coalesce(d.content, m.content) as content
    from deliveries d join messages m on m.id = d.message_id
    where m.conversation_id = $1 and d.status in ('unknown', 'sending') order by d.position
    """,
    record,
)
SENT_UP_TO = Statement(
    "deliveries.sent_up_to",
    """
    select deliveries.id as delivery_id, messages.id as message_id
    from messages left join deliveries on deliveries.message_id = messages.id
    where messages.conversation_id = $1 and direction = 'out'
      and (messages.position <= $2 or messages.created_at <= $3)
      and (messages.position = $2 or (
          messages.status in ('sending', 'sent', 'delivered')
          and coalesce(deliveries.status, 'sent') in ('sent', 'delivered')))
      and ($2::bigint is not null or deliveries.id is null or deliveries.sending_at <= $3)
    order by messages.id
    """,
    SentPart,
)
"""Of an uncertain message it says nothing, unless it names it: what never went out was not delivered either."""
LAST_POSITION: Statement[int | None] = Statement(
    "deliveries.last_position",
    """
    select max(position) from messages
    where conversation_id = $1 and direction = 'out' and (position <= $2 or created_at <= $3)
    """,
    value,
)
SENDING_NOW = Statement(
    "deliveries.sending_now",
    """
    select exists (select from deliveries where inbox_id = $1 and status = 'sending'
                   and state in ('queued', 'leased'))
    """,
    value,
)
MARK_UNREACHABLE: Statement[int] = Statement(
    "deliveries.mark_unreachable",
    """
    update conversations set unreachable = unreachable + $3, unreachable_at = now(), unreachable_words = $2
    where id = $1 returning unreachable
    """,
    value,
)
MARK_REACHED = Statement(
    "deliveries.mark_reached",
    "update conversations set unreachable = 0, unreachable_words = null where id = $1 and unreachable > 0",
    value,
)
CLOSE_WINDOW = Statement(
    "deliveries.close_window",
    "update conversations set window_ends_at = least(window_ends_at, now()) where id = $1",
    value,
)
MOVE_ADDRESS = Statement(
    "deliveries.move_address",
    """
    update conversations set address = $2
    where id = $1 and not exists (
        select from conversations other where other.inbox_id = conversations.inbox_id and other.address = $2)
    returning id
    """,
    value,
)
LATEST_ROUNDS = Statement(
    "deliveries.latest_rounds",
    """
    select distinct on (part) part, round, content, status, automatic, wait_for_window from deliveries
    where message_id = $1 order by part, round desc
    """,
    record,
)
SET_QUIET_HOURS = Statement(
    "deliveries.set_quiet_hours",
    """
    update inboxes set quiet_hours = $3 where workspace_id = $1 and id = $2 and deleted_at is null returning id
    """,
    value,
)
WAKE_QUIET = Statement(
    "deliveries.wake_quiet",
    """
    update deliveries set due_at = now() where inbox_id = $1 and held = 'quiet_hours' and state = 'queued'
    """,
    value,
)
"""Their quiet hours changed: each looks anew whether it is quiet."""
QUIET_HOURS = Statement(
    "deliveries.quiet_hours", "select quiet_hours from inboxes where workspace_id = $1 and id = $2", value
)
CONVERSATION_STATES = Statement(
    "deliveries.conversation_states",
    """
    select c.id, c.workspace_id, c.inbox_id, c.contact_id, c.address, c.last_inbound_at, c.window_opened_at,
           c.window_ends_at, c.unreachable, c.unreachable_at, c.unreachable_words, inboxes.channel,
           inboxes.health, inboxes.health_words, inboxes.health_until, inboxes.deleted_at is null as connected
    from conversations c join inboxes on inboxes.id = c.inbox_id
    where c.workspace_id = $1 and (c.id = $2 or c.contact_id = any($3::uuid[]))
      and ($4::uuid[] is null or c.inbox_id = any($4))
    order by c.id = $2 desc nulls last, c.updated_at desc, c.id limit 50
    """,
    ConversationState,
)
REPLY_TARGET = Statement(
    "deliveries.reply_target",
    """
    select inbox_id, conversation_id, external_id,
           content ->> 'type' = 'story_reference' and content ->> 'kind' = 'comment' as comment
    from messages where workspace_id = $1 and id = $2
    """,
    record,
)
APPROVED_TEMPLATES = Statement(
    "deliveries.approved_templates",
    """
    select name, language, category from message_templates
    where workspace_id = $1 and inbox_id = $2 and status = 'approved' order by name, language limit 20
    """,
    UsableTemplate,
)
INSERT_LOOKUP = Statement(
    "deliveries.insert_lookup",
    """
    insert into delivery_lookups (id, workspace_id, delivery_id, due_at)
    values ($1, $2, $3, now() + make_interval(secs => $4)) on conflict (delivery_id) do nothing
    """,
    value,
)
LOOK_UP = Statement(
    "deliveries.look_up",
    """
    select d.id as delivery_id, d.message_id, d.inbox_id, d.workspace_id, d.status, d.wire_id,
           coalesce(d.content, m.content) as content, c.address, c.id as conversation_id, d.sending_at
    from deliveries d join messages m on m.id = d.message_id join conversations c on c.id = m.conversation_id
    where d.id = $1
    """,
    LookUp,
)
REQUEUE = Statement(
    "deliveries.requeue",
    """
    update deliveries set state = 'queued', status = 'queued', due_at = now(), sending_at = null, slot_at = null,
        first_tried_at = null
    where id = $1 and state = 'unknown' returning id
    """,
    value,
)
LAST_ASKED: Statement[Mapping[str, Any]] = Statement(
    "deliveries.last_asked",
    """
    select content from (
        select content, degraded from messages where conversation_id = $1 and direction = 'out'
        order by position desc limit 1) last
    where degraded @> array[$2]
    """,
    value,
)
TRACE_MESSAGE = Statement(
    "deliveries.trace_message",
    """
    select id, inbox_id, direction, status, external_id, rules, degraded, pricing from messages
    where workspace_id = $1 and id = $2 and ($3::uuid[] is null or inbox_id = any($3))
    """,
    record,
)
TRACED_EVENTS = Statement(
    "deliveries.traced_events",
    """
    select inbound_events.id, what, inbound_events.created_at as received_at, state, payload
    from message_events join inbound_events on inbound_events.id = event_id
    where message_id = $1 order by inbound_events.id, what
    """,
    record,
)
TRACED_PARTS = Statement(
    "deliveries.traced_parts",
    """
    select part, round, status, held,
           array(select external_id from delivery_ids where delivery_id = deliveries.id
                 order by external_id) as external_ids
    from deliveries where message_id = $1 order by part, round
    """,
    TracedPart,
)
TRACED_ATTEMPTS = Statement(
    "deliveries.traced_attempts",
    """
    select part, round, started_at, ended_at, outcome, code, detail, answer
    from delivery_attempts attempts join deliveries on deliveries.id = attempts.delivery_id
    where attempts.message_id = $1 order by started_at, attempts.id
    """,
    TracedAttempt,
)
TRACED_STATUSES = Statement(
    "deliveries.traced_statuses",
    "select status, at, code, detail from message_statuses where message_id = $1 order by at, status",
    TracedStatus,
)
