"""What the extension does by itself; `chatwright extensions check` sees to how it fits into the product."""

import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from chatwright.extension import Caller, PrincipalKind, Surface
from chatwright_orders.errors import NotThisWorkspace, OrderNotFound, RefundTooLarge
from chatwright_orders.models import GetOrder, ListOrders, RefundOrder
from chatwright_orders.operations import get_order, list_orders, refund_order
from chatwright_orders.shop import SHOP

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"
CALLER = Caller(
    workspace_id=UUID(int=7),
    kind=PrincipalKind.TOKEN,
    principal_id="a-token",
    name="A test",
    scopes=frozenset({"orders:write"}),
    surface=Surface.HTTP,
)
REFUND = RefundOrder(order_id="A-1001", cents=1000, reason="Broken cup")


@pytest.fixture(autouse=True)
async def _shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    monkeypatch.setenv("ORDERS_DATABASE", str(tmp_path / "orders.db"))
    monkeypatch.setenv("ORDERS_WORKSPACE", str(CALLER.workspace_id))
    async with SHOP.opened():
        yield


async def _numbers(**wanted: object) -> list[str]:
    return [order.id for order in (await list_orders(CALLER, ListOrders.model_validate(wanted))).items]


async def test_orders_are_found_by_number_customer_and_status() -> None:
    assert await _numbers() == ["A-1003", "A-1002", "A-1001"]
    assert await _numbers(query="mai@") == ["A-1003", "A-1001"]
    assert await _numbers(query="a-1002") == ["A-1002"]
    assert await _numbers(query="mai", status="shipped") == ["A-1001"]
    assert await _numbers(query="nobody") == []


async def test_a_list_comes_in_pages() -> None:
    first = await list_orders(CALLER, ListOrders(limit=2))
    second = await list_orders(CALLER, ListOrders(limit=2, cursor=first.next_cursor))
    assert [order.id for order in (*first.items, *second.items)] == ["A-1003", "A-1002", "A-1001"]
    assert second.next_cursor is None


async def test_what_is_not_there_is_said() -> None:
    with pytest.raises(OrderNotFound):
        await get_order(CALLER, GetOrder(order_id="A-9"))
    with pytest.raises(OrderNotFound):
        await refund_order(CALLER, RefundOrder(order_id="A-9", cents=1, reason="?"))


async def test_a_repeated_call_pays_back_once() -> None:
    caller = replace(CALLER, call_key="the same")
    first = await refund_order(caller, REFUND)
    again = await refund_order(caller, REFUND)
    assert first == again
    assert first.left_cents == 1400
    assert (await get_order(CALLER, GetOrder(order_id="A-1001"))).refunded_cents == 1000


async def test_a_dry_run_pays_nothing() -> None:
    would_be = await refund_order(replace(CALLER, rehearsing=True), REFUND)
    assert would_be.left_cents == 1400
    assert (await get_order(CALLER, GetOrder(order_id="A-1001"))).refunded_cents == 0


@pytest.mark.parametrize("rehearsing", [True, False])
async def test_nobody_gets_more_than_they_paid(*, rehearsing: bool) -> None:
    with pytest.raises(RefundTooLarge):
        await refund_order(replace(CALLER, rehearsing=rehearsing), REFUND.model_copy(update={"cents": 2401}))
    assert (await get_order(CALLER, GetOrder(order_id="A-1001"))).refunded_cents == 0


async def test_other_workspaces_see_nothing() -> None:
    stranger = replace(CALLER, workspace_id=UUID(int=8))
    for call in (
        list_orders(stranger, ListOrders()),
        get_order(stranger, GetOrder(order_id="A-1001")),
        refund_order(stranger, REFUND),
    ):
        with pytest.raises(NotThisWorkspace):
            await call


def test_it_fits_into_the_product_and_shows_what_was_read() -> None:
    words = ["extensions", "check", "orders", "--snapshots", str(SNAPSHOTS)]
    seen = subprocess.run(
        [sys.executable, "-m", "chatwright.app.main", *words], capture_output=True, text=True, check=False
    )
    assert seen.returncode == 0, seen.stderr
