"""Orders of a shop, in its own database, for everyone who answers its customers."""

from chatwright.extension import Extension, OwnScope
from chatwright_orders.operations import get_order, list_orders, refund_order
from chatwright_orders.reading import ANSWER_ORDER_QUESTION, ORDER
from chatwright_orders.shop import SHOP

EXTENSION = Extension(
    operations=(list_orders, get_order, refund_order),
    scopes=(
        OwnScope("orders:read", "See orders, and who placed them", roles=frozenset({"agent", "analyst"})),
        OwnScope("orders:write", "Pay money back for orders"),
    ),
    resources=(ORDER,),
    prompts=(ANSWER_ORDER_QUESTION,),
    running=SHOP.opened,
)
