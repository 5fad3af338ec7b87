"""What is read by URI, and where people start: built of the operations, as data."""

from chatwright.extension import Argument, Directory, Kind, Part, Recipe

ORDERS = Directory(
    "orders.list", label=lambda order: f"Order {order['id']} of {order['customer']}", query="query"
)

ORDER = Kind(
    "orders/{id}",
    "Order",
    "An order of the shop: what was ordered, whether it was paid and sent, and what was paid back.",
    {"order": Part("orders.get", spread=True)},
    directory=ORDERS,
    ids=r"[A-Z]-\d{1,12}",
    listed=True,
)

ANSWER_ORDER_QUESTION = Recipe(
    "answer_order_question",
    "Answer a question about an order",
    "Find the order that a customer asks about, and draft the answer.",
    """\
Answer what the customer asks about their order, in the conversation below or in the words I give you.
1. Find out which order they mean. Unless I gave its number, look for it with {orders.list} by the number, name or \
e-mail address they wrote; read further back with {messages.list} if they have not said. Never take a name alone for \
proof: an order of somebody else is not told to them.
2. Read it with {orders.get}. Say only what stands there; promise no day of delivery.
3. If they want their money back, propose how much and why, and wait for my yes. Then {orders.refund}, once.
4. Check with {messages.check_send} whether the answer may go out, show me the draft, and send it with \
{messages.send} after I approve.""",
    (
        Argument("conversation_id", "Id of the conversation, if they asked in one."),
        Argument("order_id", "Number of the order, if you know it.", directory=ORDERS),
    ),
    shows=("conversations/{conversation_id}", "orders/{order_id}"),
)
