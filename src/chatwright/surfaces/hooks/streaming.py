"""News for one visitor as server-sent events.

    event: message     a message, `id:` its position
    event: read        {"up_to": N}: the visitor has read so far, perhaps in another tab
    event: agent_read  {"up_to": N}: our side has read so far
    event: typing      {"typing": true}: our side is typing, or no longer is

Everything but typing is read from the tables after a position: signals only say when to look.
"""

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from fastapi.sse import format_sse_event

from chatwright.features.messaging.history import conversation_with, visible_messages
from chatwright.features.messaging.store import ConversationRow
from chatwright.features.messaging.typing import Side, read_signals, typing_topic
from chatwright.kernel.errors import ChatwrightError
from chatwright.ports.database import Database
from chatwright.ports.eventlog import events_topic
from chatwright.ports.signals import Follower, Signals
from chatwright.surfaces.hooks.reception import Call, Reception
from chatwright.surfaces.hooks.shown import shown

HEARTBEAT_SECONDS = 15.0
"""Proxies close what is silent for longer; it is also how late news is when a signal got lost."""
BATCH = 200


@dataclass(slots=True)
class _Seen:
    """How far the page has been told."""

    position: int
    read: int = 0
    agent_read: int = 0
    conversation_id: UUID | None = None


class VisitorStream:
    """One open stream."""

    def __init__(
        self, database: Database, signals: Signals, reception: Reception, call: Call, address: str
    ) -> None:
        self._database = database
        self._signals = signals
        self._reception = reception
        self._call = call
        self._address = address

    async def frames(self, after: int) -> AsyncGenerator[bytes]:
        """The stream's bytes, until the session or the inbox ends or the database goes away."""
        seen = _Seen(after)
        # The first bytes tell the page that nothing on the way holds the stream back.
        yield format_sse_event(comment="ready")
        try:
            while True:
                async for frame in self._follow(seen):
                    yield frame
        except ChatwrightError:
            # The page connects again and then hears why, under a status of its own.
            return

    async def _follow(self, seen: _Seen) -> AsyncGenerator[bytes]:
        """News, until it is known which conversation to follow."""
        known = seen.conversation_id
        with self._signals.follow(*self._topics(known)) as follower:
            while True:
                async for frame in self._news(seen):
                    yield frame
                if seen.conversation_id != known:
                    return
                async for frame in _until_news(follower):
                    yield frame

    def _topics(self, conversation_id: UUID | None) -> list[str]:
        view = self._call.inbox.view
        if conversation_id is None:
            return [events_topic(view.workspace_id, view.id)]
        return [
            events_topic(view.workspace_id, view.id, conversation_id),
            typing_topic(view.workspace_id, view.id, conversation_id, Side.US),
        ]

    async def _news(self, seen: _Seen) -> AsyncGenerator[bytes]:
        await self._check_still_valid()
        inbox_id = self._call.inbox.view.id
        while True:
            async with self._database.autocommit():
                conversation = await conversation_with(inbox_id, self._address)
                if conversation is None:
                    return
                messages = []
                if conversation.last_position > seen.position:
                    messages = await visible_messages(inbox_id, self._address, seen.position, BATCH)
            seen.conversation_id = conversation.id
            for message in messages:
                yield _frame("message", shown(message, self._address), message.position)
                seen.position = message.position
            if len(messages) < BATCH:
                break
        for frame in _reading_frames(conversation, seen):
            yield frame

    async def _check_still_valid(self) -> None:
        """Raise what a new call would get now: the inbox is gone, the website no longer allowed, ..."""
        inbox = await self._reception.find(self._call.inbox.view.id)
        inbox.channel.verify(inbox.view, self._call.request)


def _reading_frames(conversation: ConversationRow, seen: _Seen) -> Iterator[bytes]:
    if conversation.contact_read_position != seen.read:
        seen.read = conversation.contact_read_position
        yield _frame("read", {"up_to": seen.read})
    if conversation.read_position != seen.agent_read:
        seen.agent_read = conversation.read_position
        yield _frame("agent_read", {"up_to": seen.agent_read})


async def _until_news(follower: Follower) -> AsyncGenerator[bytes]:
    """Who is typing meanwhile; ends when it is time to look into the tables again."""
    while True:
        heard = await follower.next(HEARTBEAT_SECONDS)
        typing = read_signals(heard)
        for news in typing:
            yield _frame("typing", {"typing": news.typing})
        if not heard:
            yield format_sse_event(comment="still here")
            return
        if len(heard) > len(typing):
            return


def _frame(event: str, data: dict[str, Any], position: int | None = None) -> bytes:
    text = orjson.dumps(data).decode()
    return format_sse_event(event=event, data_str=text, id=None if position is None else str(position))
