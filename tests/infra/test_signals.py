"""Signals between two processes, as far as their waiters can tell."""

import asyncio
from collections.abc import AsyncGenerator

import pytest_asyncio

from chatwright.infra.signals import PostgresSignals

LONG = 20.0


@pytest_asyncio.fixture(loop_scope="session")
async def here_and_there(postgres: str) -> AsyncGenerator[tuple[PostgresSignals, PostgresSignals]]:
    """Two of them on one database, as two processes have, both known to listen."""
    here, there = PostgresSignals(postgres), PostgresSignals(postgres)
    tasks = [asyncio.create_task(signals.run()) for signals in (here, there)]
    for one, other in ((here, there), (there, here)):
        with other.follow("ready") as follower:
            while not await follower.next(0.05):
                one.announce({"ready"})
    yield here, there
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class TestFollowing:
    async def test_what_is_announced_elsewhere_is_heard(
        self, here_and_there: tuple[PostgresSignals, PostgresSignals]
    ) -> None:
        here, there = here_and_there
        with there.follow("events:a") as follower:
            here.announce({"events:a"})
            assert await follower.next(LONG) == {"events:a"}

    async def test_what_is_announced_between_two_waits_is_kept(
        self, here_and_there: tuple[PostgresSignals, PostgresSignals]
    ) -> None:
        here, _ = here_and_there
        with here.follow("events:a") as follower:
            here.announce({"events:a"})
            here.announce({"events:a:b"})
            assert await follower.next(LONG) == {"events:a", "events:a:b"}

    async def test_a_path_wakes_who_follows_its_beginning_and_nobody_beside(
        self, here_and_there: tuple[PostgresSignals, PostgresSignals]
    ) -> None:
        here, there = here_and_there
        with there.follow("events:a") as above, there.follow("events:a:bc") as beside:
            here.announce({"events:a:b:c"})
            assert await above.next(LONG) == {"events:a:b:c"}
            assert await beside.next(0) == set()

    async def test_more_topics_than_one_notification_carries_arrive(
        self, here_and_there: tuple[PostgresSignals, PostgresSignals]
    ) -> None:
        here, there = here_and_there
        topics = {f"events:{'x' * 120}:{number}" for number in range(500)}
        heard: set[str] = set()
        with there.follow("events") as follower:
            here.announce(topics)
            while heard != topics:
                news = await follower.next(LONG)
                assert news
                heard |= news
