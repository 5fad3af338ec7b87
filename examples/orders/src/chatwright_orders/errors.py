"""What can go wrong with orders, with codes that never change."""

from chatwright.extension import Conflict, Forbidden, NotFound


class OrderNotFound(NotFound):
    code = "ORDER_NOT_FOUND"


class RefundTooLarge(Conflict):
    code = "REFUND_TOO_LARGE"


class NotThisWorkspace(Forbidden):
    code = "NOT_THIS_WORKSPACE"
