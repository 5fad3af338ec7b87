"""What goes in and out. The words below each field are what people and models read."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from chatwright.extension import OUTSIDE, Input, Output, PageRequest

Status = Literal["open", "paid", "shipped"]


class Order(Output):
    id: str
    """Number of the order, e.g. `A-1001`."""
    customer: Annotated[str, OUTSIDE]
    """Name that the customer gave."""
    email: str
    """E-mail address of the customer."""
    status: Status
    """How far it is: `open` (not paid), `paid` (to be sent) or `shipped`."""
    content: str
    """What was ordered."""
    total_cents: int
    """What it cost, in cents."""
    refunded_cents: int
    """How much of that was paid back, in cents."""
    ordered_at: datetime
    """When it was placed."""


class ListOrders(PageRequest):
    query: Annotated[str, Field(max_length=200)] = ""
    """Part of the number, or of the customer's name or e-mail address."""
    status: Status | None = None
    """Only orders that are so far."""


class GetOrder(Input):
    order_id: str
    """Number of the order, e.g. `A-1001`."""


class RefundOrder(Input):
    order_id: str
    """Number of the order, e.g. `A-1001`."""
    cents: Annotated[int, Field(gt=0)]
    """How much to pay back, in cents; at most what is left of the total."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    """Why, for the shop's books."""


class Refund(Output):
    order_id: str
    """Number of the order."""
    cents: int
    """How much this pays back, in cents."""
    left_cents: int
    """What is left of the order's total after it, in cents."""
