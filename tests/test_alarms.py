"""Alarms and deadlines: what asyncio's own do, at a price that every request can pay."""

import asyncio

import pytest

from chatwright.kernel.alarms import Deadline, set_alarm

SHORT = 0.03


async def test_alarms_ring_in_the_order_in_which_they_are_due() -> None:
    rung: list[str] = []
    done = asyncio.Event()
    set_alarm(8 * SHORT, done.set)
    set_alarm(4 * SHORT, lambda: rung.append("late"))
    set_alarm(SHORT, lambda: rung.append("early"))
    set_alarm(SHORT, lambda: rung.append("early too"))
    await asyncio.wait_for(done.wait(), 10)
    assert rung == ["early", "early too", "late"]


async def test_an_alarm_that_was_taken_back_does_not_ring() -> None:
    rung: list[str] = []
    done = asyncio.Event()
    alarm = set_alarm(SHORT, lambda: rung.append("taken back"))
    set_alarm(2 * SHORT, done.set)
    alarm.cancel()
    await asyncio.wait_for(done.wait(), 10)
    alarm.cancel()
    assert not rung


async def test_an_alarm_may_set_and_take_back_others() -> None:
    rung: list[str] = []
    done = asyncio.Event()

    def ring() -> None:
        rung.append("first")
        second.cancel()
        set_alarm(SHORT, done.set)

    set_alarm(SHORT, ring)
    second = set_alarm(SHORT, lambda: rung.append("second"))
    await asyncio.wait_for(done.wait(), 10)
    assert rung == ["first"]


async def test_an_alarm_that_fails_stops_no_other() -> None:
    told: list[str] = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def fail() -> None:
        raise KeyError

    loop.set_exception_handler(lambda _, context: told.append(context["message"]))
    try:
        set_alarm(SHORT, fail)
        with pytest.raises(TimeoutError), Deadline(3 * SHORT):
            await asyncio.sleep(60)
    finally:
        loop.set_exception_handler(before)
    assert told == ["An alarm failed."]


async def test_a_deadline_ends_its_block() -> None:
    deadline = Deadline(SHORT)
    with pytest.raises(TimeoutError), deadline:
        await asyncio.sleep(60)
    assert deadline.passed
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_what_is_done_in_time_goes_on() -> None:
    with Deadline(60) as deadline:
        await asyncio.sleep(0)
    assert not deadline.passed


async def test_an_error_of_the_block_stays_what_it_is() -> None:
    with pytest.raises(KeyError), Deadline(60):
        raise KeyError


async def test_whoever_cancels_the_task_too_is_heard() -> None:
    entered = asyncio.Event()

    async def work() -> None:
        with Deadline(SHORT):
            entered.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                task.cancel()
                raise

    task = asyncio.create_task(work())
    await entered.wait()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_deadline_within_a_deadline() -> None:
    with Deadline(60) as outer:
        with pytest.raises(TimeoutError), Deadline(SHORT):
            await asyncio.sleep(60)
        await asyncio.sleep(0)
    assert not outer.passed
