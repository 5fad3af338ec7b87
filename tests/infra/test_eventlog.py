"""The log's one promise: a reader with a cursor misses nothing."""

import asyncio

import pytest

from chatwright.infra.eventlog import START
from chatwright.kernel.errors import InvalidCursor
from chatwright.kernel.events import Event, RecordedEvent
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit
from tests.conftest import Desk


async def news(desk: Desk, after: str, count: int) -> list[RecordedEvent]:
    """The next events of the desk's workspace, as soon as so many are shown.

    They are, once no older transaction of the server runs: also none of another test's, in a database beside.
    """
    async with asyncio.timeout(20):
        while True:
            events = await desk.product.events.read(after, workspace_id=desk.caller.workspace_id)
            if len(events) >= count:
                return list(events)
            await asyncio.sleep(0.01)


class TestRead:
    async def test_events_come_in_order_with_cursors_to_go_on_from(self, desk: Desk) -> None:
        workspace_id = desk.caller.workspace_id
        for kind in ("a", "b", "c"):
            async with desk.product.database.transaction():
                emit(Event(kind, workspace_id, new_id(), data={"n": 1}))
        events = await news(desk, START, 3)
        assert [recorded.event.kind for recorded in events] == ["a", "b", "c"]
        rest = await news(desk, events[0].position, 2)
        assert [recorded.event.kind for recorded in rest] == ["b", "c"]

    async def test_a_transaction_that_commits_late_is_not_skipped(self, desk: Desk) -> None:
        workspace_id, log = desk.caller.workspace_id, desk.product.events
        may_commit = asyncio.Event()
        began = asyncio.Event()

        async def slow() -> None:
            async with desk.product.database.transaction() as unit:
                await unit.connection.execute("select pg_current_xact_id()")
                emit(Event("slow", workspace_id, new_id()))
                began.set()
                await may_commit.wait()

        task = asyncio.create_task(slow())
        await began.wait()
        async with desk.product.database.transaction():
            emit(Event("fast", workspace_id, new_id()))
        early = await log.read(START, workspace_id=workspace_id)
        cursor = early[-1].position if early else START
        may_commit.set()
        await task
        late = await news(desk, cursor, 2 - len(early))
        kinds = [recorded.event.kind for recorded in [*early, *late]]
        assert sorted(kinds) == ["fast", "slow"]

    async def test_a_rolled_back_transaction_announces_nothing(self, desk: Desk) -> None:
        async def change_one_s_mind() -> None:
            async with desk.product.database.transaction():
                emit(Event("never", desk.caller.workspace_id, new_id()))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await change_one_s_mind()
        assert await desk.product.events.read(START, workspace_id=desk.caller.workspace_id) == []

    async def test_the_end_is_before_whatever_comes(self, desk: Desk) -> None:
        async with desk.product.database.transaction():
            emit(Event("before", desk.caller.workspace_id, new_id()))
        await news(desk, START, 1)
        end = await desk.product.events.end()
        async with desk.product.database.transaction():
            emit(Event("after", desk.caller.workspace_id, new_id()))
        (after,) = await news(desk, end, 1)
        assert after.event.kind == "after"

    async def test_a_foreign_cursor_is_refused(self, desk: Desk) -> None:
        with pytest.raises(InvalidCursor):
            await desk.product.events.read("nonsense")
