"""The log's one promise: a reader with a cursor misses nothing."""

import asyncio

import pytest

from chatwright.infra.eventlog import START
from chatwright.kernel.errors import InvalidCursor
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit
from tests.conftest import Desk


class TestRead:
    async def test_events_come_in_order_with_cursors_to_go_on_from(self, desk: Desk) -> None:
        workspace_id = desk.caller.workspace_id
        for kind in ("a", "b", "c"):
            async with desk.product.database.transaction():
                emit(Event(kind, workspace_id, new_id(), data={"n": 1}))
        log = desk.product.events
        events = await log.read(START, workspace_id=workspace_id)
        assert [recorded.event.kind for recorded in events] == ["a", "b", "c"]
        rest = await log.read(events[0].position, workspace_id=workspace_id)
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
        late = await log.read(cursor, workspace_id=workspace_id)
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

    async def test_the_end_is_after_everything_committed(self, desk: Desk) -> None:
        async with desk.product.database.transaction():
            emit(Event("before", desk.caller.workspace_id, new_id()))
        end = await desk.product.events.end()
        assert await desk.product.events.read(end, workspace_id=desk.caller.workspace_id) == []
        async with desk.product.database.transaction():
            emit(Event("after", desk.caller.workspace_id, new_id()))
        (after,) = await desk.product.events.read(end, workspace_id=desk.caller.workspace_id)
        assert after.event.kind == "after"

    async def test_a_foreign_cursor_is_refused(self, desk: Desk) -> None:
        with pytest.raises(InvalidCursor):
            await desk.product.events.read("nonsense")
