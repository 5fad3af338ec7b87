"""The verbs. Each is a tool, a route below /api/v1 and a command at once."""

import os

from chatwright.extension import Caller, Effect, Page, decode_cursor, operation, page_of
from chatwright_orders.errors import NotThisWorkspace, OrderNotFound, RefundTooLarge
from chatwright_orders.models import GetOrder, ListOrders, Order, Refund, RefundOrder
from chatwright_orders.shop import SHOP


@operation(
    "orders.list",
    tool="list_orders",
    scope="orders:read",
    effect=Effect.READ,
    http="GET /orders",
    errors=(NotThisWorkspace,),
)
async def list_orders(caller: Caller, request: ListOrders) -> Page[Order]:
    """Find orders of the shop by number, customer or status. The newest come first."""
    _check_workspace(caller)
    before = None if request.cursor is None else str(decode_cursor(request.cursor, str)[0])
    found = await SHOP.orders(request.query, request.status, before, request.limit + 1)
    return page_of(found, request.limit, key=lambda order: (order.id,))


@operation(
    "orders.get",
    tool="get_order",
    scope="orders:read",
    effect=Effect.READ,
    http="GET /orders/{order_id}",
    errors=(OrderNotFound, NotThisWorkspace),
)
async def get_order(caller: Caller, request: GetOrder) -> Order:
    """Show an order of the shop: what was ordered, whether it was paid and sent, and what was paid back."""
    _check_workspace(caller)
    order = await SHOP.order(request.order_id)
    if order is None:
        raise OrderNotFound(f"There is no order '{request.order_id[:50]}'.")
    return order


@operation(
    "orders.refund",
    tool="refund_order",
    scope="orders:write",
    effect=Effect.ADD,
    http="POST /orders/{order_id}/refunds",
    outward=True,
    asks=True,
    errors=(OrderNotFound, RefundTooLarge, NotThisWorkspace),
)
async def refund_order(caller: Caller, request: RefundOrder) -> Refund:
    """Pay money back for an order of the shop. It cannot be taken back, so the person is asked first."""
    order = await get_order(caller, GetOrder(order_id=request.order_id))
    # A preview and a dry run come by here too, and must leave everything as it is.
    if not caller.rehearsing:
        return await SHOP.refund(request, call_id=caller.call_id)
    left = order.total_cents - order.refunded_cents - request.cents
    if left < 0:
        raise RefundTooLarge("That is more than is left of what the order cost.")
    return Refund(order_id=order.id, cents=request.cents, left_cents=left)


def _check_workspace(caller: Caller) -> None:
    """One server serves many workspaces, and the shop belongs to one of them."""
    if str(caller.workspace_id) != os.environ.get("ORDERS_WORKSPACE"):
        raise NotThisWorkspace(
            "The shop's orders belong to another workspace.",
            hint=f"If they are yours, the server needs ORDERS_WORKSPACE={caller.workspace_id} to start with.",
        )
