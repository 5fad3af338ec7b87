"""Awaiting in two steps."""

import asyncio

import pytest

from chatwright.kernel.begun import Begun


async def test_what_is_at_hand_is_done_at_once() -> None:
    async def answer() -> int:
        return 42

    begun = Begun(answer())
    assert begun.done
    assert await begun == 42


async def test_what_has_to_be_waited_for_goes_on_from_there() -> None:
    said: list[str] = []
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def answer() -> int:
        said.append("begun")
        first = await future
        await asyncio.sleep(0)
        return first + 1

    begun = Begun(answer())
    assert (begun.done, said) == (False, ["begun"])
    asyncio.get_running_loop().call_soon(future.set_result, 41)
    assert await begun == 42


async def test_it_raises_what_it_raises() -> None:
    async def fail(*, later: bool) -> None:
        if later:
            await asyncio.sleep(0)
        raise KeyError

    with pytest.raises(KeyError):
        Begun(fail(later=False))
    begun = Begun(fail(later=True))
    with pytest.raises(KeyError):
        await begun


async def test_a_cancellation_reaches_what_is_awaited() -> None:
    heard: list[str] = []

    async def wait() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard.append("cancelled")
            await asyncio.sleep(0)
            raise
        return "never"

    async def work() -> str:
        return await Begun(wait())

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == ["cancelled"]


async def test_a_cancellation_may_be_survived() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "survived"
        return "never"

    async def work() -> str:
        return await Begun(stubborn())

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "survived"


async def test_timeouts_within_it_work() -> None:
    async def impatient() -> str:
        try:
            async with asyncio.timeout(0.02):
                await asyncio.sleep(60)
        except TimeoutError:
            return "too late"
        return "never"

    assert await Begun(impatient()) == "too late"
