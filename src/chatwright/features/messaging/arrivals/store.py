"""Queries of raw events."""

from chatwright.features.messaging.arrivals.models import InboundEvent, UnknownKind
from chatwright.ports.database import Statement, record

_EVENT = "id, state, unknown, error, attempts, created_at as received_at, payload"
LIST_EVENTS = Statement(
    "messaging.list_odd_events",
    f"""
    select {_EVENT} from inbound_events
    where inbox_id = $1 and id > $2 and (state = 'failed' or unknown is not null)
      and ($3::text is null or ($3 = 'failed') = (state = 'failed'))
    order by id limit $4
    """,
    InboundEvent,
)
RETRY_EVENT = Statement(
    "messaging.retry_event",
    f"""
    update inbound_events set state = 'queued', due_at = now(), attempts = 0, error = null, unknown = null
    where workspace_id = $1 and id = $2 and ($3::uuid[] is null or inbox_id = any($3))
      and payload <> '{{}}' and unknown is distinct from $4
      and (state = 'failed' or (state = 'done' and unknown is not null))
    returning {_EVENT}
    """,
    InboundEvent,
)
COUNT_STATES = Statement(
    "messaging.count_event_states",
    """
    select count(*) filter (where state in ('queued', 'leased')) as waiting,
           count(*) filter (where state = 'failed') as failed
    from inbound_events where inbox_id = $1 and state <> 'done'
    """,
    record,
)
UNKNOWN_KINDS = Statement(
    "messaging.unknown_kinds",
    """
    select kind, seen, last_event_id, last_seen_at from unknown_events where inbox_id = $1
    order by seen desc, kind limit 101
    """,
    UnknownKind,
)
