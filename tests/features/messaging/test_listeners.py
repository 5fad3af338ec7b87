"""Listening for inboxes whose provider calls nobody, with a provider that the test plays."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

import pytest

from chatwright.features.messaging.inboxes.operations import (
    create_inbox,
    delete_inbox,
    get_inbox,
    update_inbox,
)
from chatwright.features.messaging.listeners.listening import LOUD_AFTER, Listeners
from chatwright.kernel.errors import Unavailable
from chatwright.ports.channel import CredentialsLost, InboxView, Take, register_channel
from chatwright.ports.inbound import RawEvent
from tests.conftest import Desk
from tests.features.messaging.paper import PaperChannel, PaperSettings, letter

LEASE_SECONDS = 0.6


class PigeonChannel(PaperChannel):
    """Paper that is fetched: each inbox has a loft where letters arrive, in the order of the cursor."""

    name: ClassVar[str] = "pigeon"

    def __init__(self) -> None:
        super().__init__()
        self.lofts: dict[UUID, list[RawEvent | Exception]] = {}
        self.arrived = asyncio.Condition()
        self.starts: dict[UUID, list[Mapping[str, Any]]] = {}
        self.listening = Counter[UUID]()

    async def listen(self, inbox: InboxView[PaperSettings], cursor: Mapping[str, Any], take: Take) -> None:
        self.starts.setdefault(inbox.id, []).append(cursor)
        self.listening[inbox.id] += 1
        at = cursor.get("at", 0)
        try:
            while True:
                loft = self.lofts.setdefault(inbox.id, [])
                for arrival in loft[at:]:
                    at += 1
                    if isinstance(arrival, Exception):
                        raise arrival
                    await take([arrival], {"at": at})
                async with self.arrived:
                    await self.arrived.wait()
        finally:
            self.listening[inbox.id] -= 1

    async def bring(self, inbox_id: UUID, *arrivals: RawEvent | Exception) -> None:
        async with self.arrived:
            self.lofts.setdefault(inbox_id, []).extend(arrivals)
            self.arrived.notify_all()


@pytest.fixture
def pigeons() -> PigeonChannel:
    channel = PigeonChannel()
    register_channel(channel)
    return channel


async def new_inbox(desk: Desk) -> UUID:
    return UUID((await desk.call(create_inbox, channel="pigeon", name="Loft"))["id"])


@asynccontextmanager
async def listening(desk: Desk) -> AsyncGenerator[asyncio.Task[None]]:
    """A process that listens; it is cancelled in the end."""
    listeners = Listeners(desk.product.database, lease_seconds=LEASE_SECONDS)
    task = asyncio.create_task(listeners.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def stored(desk: Desk, inbox_id: UUID) -> list[str]:
    """Keys of the events of an inbox, in order."""
    async with desk.product.database.autocommit() as unit:
        rows = await unit.connection.fetch(
            "select dedupe_key from inbound_events where inbox_id = $1 order by position", inbox_id
        )
    return [row["dedupe_key"] for row in rows]


async def listener(desk: Desk, inbox_id: UUID) -> Mapping[str, Any]:
    async with desk.product.database.autocommit() as unit:
        (row,) = await unit.connection.fetch("select * from listeners where inbox_id = $1", inbox_id)
    return row


async def until(condition: Any) -> None:
    """Wait for something to become true; pytest's time-out ends the wait."""
    while not await condition():
        await asyncio.sleep(0.02)


async def test_what_arrives_is_stored_with_the_cursor_after_it(desk: Desk, pigeons: PigeonChannel) -> None:
    inbox_id = await new_inbox(desk)
    await pigeons.bring(inbox_id, letter("one"))
    async with listening(desk):
        await until(lambda: _has(desk, inbox_id, 1))
        await pigeons.bring(inbox_id, letter("two"), letter("three"))
        await until(lambda: _has(desk, inbox_id, 3))
    assert await stored(desk, inbox_id) == ["ann:one", "ann:two", "ann:three"]
    assert (await listener(desk, inbox_id))["cursor"] == {"at": 3}
    assert "since" in pigeons.starts[inbox_id][0]


async def test_of_two_processes_one_listens_and_the_other_takes_over(
    desk: Desk, pigeons: PigeonChannel
) -> None:
    inbox_id = await new_inbox(desk)
    async with listening(desk) as first, listening(desk):
        await pigeons.bring(inbox_id, letter("one"))
        await until(lambda: _has(desk, inbox_id, 1))
        # Long enough for the lease to end if nobody kept it.
        await asyncio.sleep(LEASE_SECONDS * 2)
        assert len(pigeons.starts[inbox_id]) == 1
        first.cancel()
        await pigeons.bring(inbox_id, letter("two"))
        await until(lambda: _has(desk, inbox_id, 2))
    assert await stored(desk, inbox_id) == ["ann:one", "ann:two"]


async def test_a_process_that_lost_its_lease_adds_nothing(desk: Desk, pigeons: PigeonChannel) -> None:
    inbox_id = await new_inbox(desk)
    async with listening(desk):
        await until(lambda: _listens(pigeons, inbox_id))
        async with desk.product.database.transaction() as unit:
            await unit.connection.execute(
                "update listeners set lease_owner = gen_random_uuid(), due_at = now() + interval '1 hour'"
                " where inbox_id = $1",
                inbox_id,
            )
        await pigeons.bring(inbox_id, letter("one"))
        await until(lambda: _silent(pigeons, inbox_id))
    assert await stored(desk, inbox_id) == []


async def test_an_inbox_that_changed_is_listened_for_anew(desk: Desk, pigeons: PigeonChannel) -> None:
    inbox_id = await new_inbox(desk)
    async with listening(desk):
        await pigeons.bring(inbox_id, letter("one"))
        await until(lambda: _has(desk, inbox_id, 1))
        await desk.call(update_inbox, inbox_id=str(inbox_id), settings={"colour": "blue"})
        await until(lambda: _started(pigeons, inbox_id, 2))
        assert pigeons.starts[inbox_id][1] == {"at": 1}
        await desk.call(delete_inbox, inbox_id=str(inbox_id))
        await until(lambda: _silent(pigeons, inbox_id))


async def test_a_lasting_failure_is_told_and_is_over_with_the_first_success(
    desk: Desk, pigeons: PigeonChannel
) -> None:
    inbox_id = await new_inbox(desk)
    async with listening(desk):
        await pigeons.bring(inbox_id, Unavailable("The mail server broke off."))
        for times in range(1, LOUD_AFTER + 1):
            await until(partial(_failed, desk, inbox_id, times))
            await _hurry(desk, inbox_id)
        shown = await desk.call(get_inbox, inbox_id=str(inbox_id))
        assert (shown["health"], shown["health_words"]) == ("limited", "The mail server broke off.")
        pigeons.lofts[inbox_id].clear()
        await pigeons.bring(inbox_id, letter("one"))
        await until(lambda: _has(desk, inbox_id, 1, hurry=True))
    shown = await desk.call(get_inbox, inbox_id=str(inbox_id))
    assert (shown["health"], shown["health_words"]) == ("ok", None)


async def test_lost_credentials_wait_for_a_person(desk: Desk, pigeons: PigeonChannel) -> None:
    inbox_id = await new_inbox(desk)
    await pigeons.bring(inbox_id, CredentialsLost("The password is wrong."))
    async with listening(desk):
        await until(lambda: _failed(desk, inbox_id, 1))
        await asyncio.sleep(LEASE_SECONDS)
    shown = await desk.call(get_inbox, inbox_id=str(inbox_id))
    assert (shown["health"], shown["health_words"]) == ("reconnect", "The password is wrong.")
    assert len(pigeons.starts[inbox_id]) == 1


async def _has(desk: Desk, inbox_id: UUID, count: int, *, hurry: bool = False) -> bool:
    if hurry:
        await _hurry(desk, inbox_id)
    return len(await stored(desk, inbox_id)) >= count


async def _listens(pigeons: PigeonChannel, inbox_id: UUID) -> bool:
    return pigeons.listening[inbox_id] > 0


async def _silent(pigeons: PigeonChannel, inbox_id: UUID) -> bool:
    return pigeons.listening[inbox_id] == 0


async def _started(pigeons: PigeonChannel, inbox_id: UUID, times: int) -> bool:
    return len(pigeons.starts[inbox_id]) >= times


async def _failed(desk: Desk, inbox_id: UUID, times: int) -> bool:
    async with desk.product.database.autocommit() as unit:
        rows = await unit.connection.fetch("select failures from listeners where inbox_id = $1", inbox_id)
    return any(row["failures"] >= times for row in rows)


async def _hurry(desk: Desk, inbox_id: UUID) -> None:
    async with desk.product.database.transaction() as unit:
        await unit.connection.execute(
            "update listeners set due_at = now() where inbox_id = $1 and lease_owner is null", inbox_id
        )
