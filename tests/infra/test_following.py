"""Followers of the event log: each event once, whoever dies or trips."""

import asyncio

from chatwright.app.wiring import Product
from chatwright.infra.following import EventFollower
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.database import emit
from chatwright.ports.eventlog import Following
from tests.conftest import Desk


class Diary:
    """A follower that writes down what it hears, and trips where it is told to."""

    def __init__(self, desk: Desk, *, trips_over: str = "") -> None:
        self.heard: list[str] = []
        self._desk = desk
        self._trips_over = trips_over
        self.following = Following(f"tests.{new_id().hex}", frozenset({"tests.news"}), self._write)

    async def _write(self, event: Event) -> None:
        if event.workspace_id != self._desk.caller.workspace_id:
            return
        words = str(event.data["words"])
        self.heard.append(words)
        if words == self._trips_over:
            raise RuntimeError(words)

    async def until(self, count: int) -> None:
        """Follow by two processes at once until so much was heard."""
        product = self._desk.product
        followers = [EventFollower(product.database, product.signals, self.following) for _ in range(2)]
        async with asyncio.timeout(20):
            while len(self.heard) < count:
                await asyncio.gather(*(follower.run_once() for follower in followers))


async def tell(product: Product, desk: Desk, *words: str) -> None:
    for word in words:
        async with product.database.transaction():
            emit(Event("tests.news", desk.caller.workspace_id, new_id(), data={"words": word}))


async def test_each_event_is_heard_once_in_order(product: Product, desk: Desk) -> None:
    diary = Diary(desk)
    await tell(product, desk, "one", "two")
    await diary.until(2)
    await tell(product, desk, "three")
    await diary.until(3)
    assert diary.heard == ["one", "two", "three"]


async def test_an_event_that_trips_is_passed(product: Product, desk: Desk) -> None:
    diary = Diary(desk, trips_over="two")
    await tell(product, desk, "one", "two", "three")
    await diary.until(3)
    await EventFollower(product.database, product.signals, diary.following).run_once()
    assert diary.heard == ["one", "two", "three"]
