"""What extensions hold open while a process runs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from chatwright.app.extensions.loading import BadExtension, Installed, Source
from chatwright.app.extensions.offering import Offering
from chatwright.extension import Extension, Misconfigured

told: list[str] = []


def holding(name: str) -> Installed:
    @asynccontextmanager
    async def running() -> AsyncGenerator[None]:
        told.append(f"{name} opens")
        try:
            yield
        finally:
            told.append(f"{name} closes")

    return Installed(Source(name, name, "1"), Extension(running=running))


@asynccontextmanager
async def unwilling() -> AsyncGenerator[None]:
    raise Misconfigured("ORDERS_DATABASE says nowhere.")
    yield


async def test_they_open_in_order_and_close_in_reverse() -> None:
    told.clear()
    async with Offering(
        (holding("a"), Installed(Source("b", "b", "1"), Extension()), holding("c"))
    ).running():
        assert told == ["a opens", "c opens"]
    assert told == ["a opens", "c opens", "c closes", "a closes"]


async def test_one_that_does_not_start_is_named_and_the_others_close() -> None:
    told.clear()
    broken = Installed(Source("orders", "shop", "1.2"), Extension(running=unwilling))
    with pytest.raises(BadExtension) as caught:
        async with Offering((holding("a"), broken)).running():
            pytest.fail("it started")
    assert "The extension orders (shop 1.2) cannot be used" in caught.value.message
    assert "ORDERS_DATABASE says nowhere." in caught.value.message
    assert told == ["a opens", "a closes"]
