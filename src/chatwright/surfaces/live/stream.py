"""A workspace's events as server-sent events, from a cursor, so that a reader who comes back misses none.

    id: <cursor>
    data: {"kind": "message.created", "at": ..., "subject_id": ..., "inbox_id": ..., "conversation_id": ...,
           "data": {...}}

Who is typing comes as `{"kind": "conversation.typing", "conversation_id": ..., "data": {"typing": true}}`,
without an id: it is kept nowhere.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from uuid import UUID

import orjson
from fastapi.sse import format_sse_event

from chatwright.features.messaging.typing import Side, read_signals, typing_topic
from chatwright.kernel.caller import Caller
from chatwright.kernel.errors import ChatwrightError
from chatwright.kernel.events import Event, RecordedEvent
from chatwright.ports.eventlog import EventLog, events_topic
from chatwright.ports.signals import Follower, Signals

LOOK_SECONDS = 1.0
"""An event can be read only when all earlier transactions have ended, which no signal tells."""
HEARTBEAT_LOOKS = 15
"""After so many looks without news a comment keeps proxies from closing the connection."""
BATCH = 500

SCOPES = {
    "conversation": "conversations:read",
    "message": "conversations:read",
    "contact": "contacts:read",
    "inbox": "inboxes:read",
    "token": "tokens:read",
}
"""What a reader needs to be told of a kind of thing; of any other: `workspace:read`."""

Identify = Callable[[], Awaitable[Caller]]


class MemberStream:
    """One open stream. `identify` says who reads it, and raises as soon as they may no longer."""

    def __init__(self, events: EventLog, signals: Signals, identify: Identify) -> None:
        self._events = events
        self._signals = signals
        self._identify = identify

    async def frames(self, caller: Caller, after: str) -> AsyncGenerator[bytes]:
        """The stream's bytes, until its reader may no longer read or the database goes away."""
        yield format_sse_event(comment="ready")
        topics = (events_topic(caller.workspace_id), typing_topic(caller.workspace_id))
        try:
            with self._signals.follow(*topics) as follower:
                async for frame in self._follow(follower, caller.workspace_id, after):
                    yield frame
        except ChatwrightError:
            # The reader connects again and then hears why, under a status of its own.
            return

    async def _follow(self, follower: Follower, workspace_id: UUID, after: str) -> AsyncGenerator[bytes]:
        quiet = 0
        while True:
            caller = await self._identify()
            if caller.workspace_id != workspace_id:
                # A person who went on in another workspace is told of that one by a stream of its own.
                return
            batch = await self._events.read(after, workspace_id=caller.workspace_id, limit=BATCH)
            for recorded in batch:
                if may_see(caller, recorded.event):
                    yield event_frame(recorded)
            if batch:
                after = batch[-1].position
                # Also what was left out counts as read.
                yield format_sse_event(id=after)
            if len(batch) == BATCH:
                continue
            heard = await follower.next(LOOK_SECONDS)
            quiet = 0 if heard or batch else quiet + 1
            for frame in typing_frames(caller, heard):
                yield frame
            if quiet == HEARTBEAT_LOOKS:
                quiet = 0
                yield format_sse_event(comment="still here")


def may_see(caller: Caller, event: Event) -> bool:
    """Whether an event is this reader's business: by scope, and by inbox where it is limited to some."""
    if caller.inbox_ids is not None and event.inbox_id not in caller.inbox_ids:
        return False
    return caller.may(SCOPES.get(event.kind.partition(".")[0], "workspace:read"))


def event_frame(recorded: RecordedEvent) -> bytes:
    """An event on the wire."""
    event = recorded.event
    data = {
        "kind": event.kind,
        "at": recorded.at,
        "subject_id": event.subject_id,
        "inbox_id": event.inbox_id,
        "conversation_id": event.conversation_id,
        "data": dict(event.data),
    }
    return format_sse_event(id=recorded.position, data_str=_json(data))


def typing_frames(caller: Caller, heard: set[str]) -> Iterator[bytes]:
    """Contacts who are typing."""
    for news in read_signals(heard):
        if news.side is Side.CONTACT and caller.sees_inbox(news.inbox_id):
            data = {
                "kind": "conversation.typing",
                "inbox_id": news.inbox_id,
                "conversation_id": news.conversation_id,
                "data": {"typing": news.typing},
            }
            yield format_sse_event(data_str=_json(data))


def _json(data: Mapping[str, object]) -> str:
    # The driver's UUIDs are of a class of their own, which orjson does not know.
    return orjson.dumps(data, default=str).decode()
