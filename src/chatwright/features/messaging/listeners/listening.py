"""Listens for every inbox whose channel fetches what came in: one process at a time for each, with a lease.

What was fetched is committed together with the cursor after it, and only under the lease, so that a process that
was thought dead adds nothing; the events' keys sort out what was fetched twice all the same.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog

from chatwright.features.messaging.inboxes.health import set_health
from chatwright.features.messaging.inboxes.models import Health
from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox
from chatwright.features.messaging.listeners import store
from chatwright.features.messaging.listeners.store import ListenerRow
from chatwright.features.messaging.receiving import Arrival, accept
from chatwright.kernel.errors import ChatwrightError, Unavailable
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import CredentialsLost, Listening, channel_named, channel_names
from chatwright.ports.database import Database
from chatwright.ports.inbound import RawEvent
from chatwright.ports.ledger import LeaseLost

LEASE_SECONDS = 30.0
"""How long nobody listens for the inboxes of a process that died."""
LOOK_SECONDS = 2.0
"""How late a new inbox is listened for. That an inbox was changed is heard when its lease is renewed."""
MOST_LISTENERS = 500
"""Inboxes of one process."""
FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 600.0
LOUD_AFTER = 3
"""Failures one after the other before people are told."""

_log = structlog.get_logger(__name__)


class Listeners:
    """The listeners of one process."""

    def __init__(self, database: Database, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._lease = lease_seconds
        self._owner = new_id()
        self._running: dict[UUID, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Listen until cancelled; then let others take over at once."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(min(LOOK_SECONDS, self._lease / 4))
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            async with self._database.autocommit():
                await store.RELEASE_LISTENERS.run(self._owner)

    async def _look(self) -> None:
        """Begin to listen for whatever nobody listens for."""
        channels = [name for name in channel_names() if isinstance(channel_named(name), Listening)]
        if not channels:
            return
        self._running = {inbox_id: task for inbox_id, task in self._running.items() if not task.done()}
        async with self._database.transaction():
            await store.ADD_LISTENERS.run(channels)
            free = MOST_LISTENERS - len(self._running)
            rows = await store.CLAIM_LISTENERS.all(self._owner, self._lease, free)
        for row in rows:
            if row.inbox_id not in self._running:
                name = f"listener:{row.inbox_id}"
                self._running[row.inbox_id] = asyncio.create_task(self._listen(row), name=name)

    async def _listen(self, row: ListenerRow) -> None:
        """Listen for one inbox until it fails, changes, or another process has it; then give it back."""
        try:
            await self._listen_until_changed(row)
        except LeaseLost:
            return
        except CredentialsLost as error:
            await self._end(row, error, health="reconnect")
        except ChatwrightError as error:
            await self._end(row, error)
        except Exception:  # noqa: BLE001 - whatever it was; it is logged with its trace.
            _log.exception("listener.failed", inbox_id=str(row.inbox_id))
            await self._end(row, Unavailable("Something went wrong on our side."))
        else:
            async with self._database.autocommit():
                await store.END_LISTENER.run(row.inbox_id, self._owner, 0.0, None)

    async def _listen_until_changed(self, row: ListenerRow) -> None:
        async with self._database.autocommit():
            inbox = await find_inbox(row.inbox_id)
        channel: object = inbox.channel if inbox else None
        if inbox is None or not isinstance(channel, Listening):
            return
        take = _Taking(self._database, self._owner, row, inbox)
        listening = asyncio.create_task(channel.listen(inbox.view, row.cursor, take))
        keeping = asyncio.create_task(self._keep(inbox))
        try:
            done, _ = await asyncio.wait({listening, keeping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            listening.cancel()
            keeping.cancel()
            await asyncio.gather(listening, keeping, return_exceptions=True)

    async def _keep(self, inbox: OpenInbox) -> None:
        """Keep the lease for as long as the inbox is what it was."""
        unchanged: OpenInbox | None = inbox
        while unchanged is not None and unchanged.view == inbox.view:
            await asyncio.sleep(self._lease / 3)
            async with self._database.autocommit():
                if await store.RENEW_LISTENER.first(inbox.view.id, self._owner, self._lease) is None:
                    raise LeaseLost
                unchanged = await find_inbox(inbox.view.id)

    async def _end(self, row: ListenerRow, error: ChatwrightError, *, health: Health = "limited") -> None:
        """Give an inbox back after a failure, and tell people if it lasts or needs them."""
        _log.warning(
            "listener.ended", inbox_id=str(row.inbox_id), error=error.code, failures=row.failures + 1
        )
        needs_people = health == "reconnect"
        wait = 0.0 if needs_people else min(FIRST_WAIT_SECONDS * 2**row.failures, LONGEST_WAIT_SECONDS)
        async with self._database.transaction():
            await store.END_LISTENER.run(row.inbox_id, self._owner, wait, error.message)
            if needs_people or row.failures + 1 == LOUD_AFTER:
                await set_health(row.workspace_id, row.inbox_id, health, error.message)


class _Taking:
    """Commits what a channel fetched; see `ports.channel.Take`."""

    def __init__(self, database: Database, owner: UUID, row: ListenerRow, inbox: OpenInbox) -> None:
        self._database = database
        self._owner = owner
        self._row = row
        self._inbox = inbox

    async def __call__(self, events: Sequence[RawEvent], cursor: Mapping[str, Any]) -> None:
        view = self._inbox.view
        async with self._database.transaction():
            if await store.MOVE_LISTENER.first(view.id, self._owner, dict(cursor)) is None:
                raise LeaseLost
            if events:
                await accept([Arrival(view, event) for event in events])
            if self._row.failures >= LOUD_AFTER:
                await set_health(view.workspace_id, view.id, "ok", None)
        self._row = replace(self._row, failures=0)
