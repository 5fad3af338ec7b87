"""The shop's own database. Here it is a file of SQLite; yours may be anything, with a pool opened in the same place."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from typing import TypeVar

from chatwright.extension import Unavailable
from chatwright_orders.errors import OrderNotFound, RefundTooLarge
from chatwright_orders.models import Order, Refund, RefundOrder, Status

Result = TypeVar("Result")

TABLES = """
create table if not exists orders (
    id text primary key, customer text not null, email text not null, status text not null, content text not null,
    total_cents integer not null, refunded_cents integer not null default 0, ordered_at text not null
);
create table if not exists refunds (
    call_id text primary key, order_id text not null references orders, cents integer not null,
    left_cents integer not null, reason text not null, made_at text not null
);
"""
SAMPLES = [
    ("A-1001", "Mai Linh", "mai@example.com", "shipped", "2 x green tea", 2400, "2026-11-02T09:30:00+00:00"),
    ("A-1002", "Jonas", "jonas@example.com", "paid", "1 x teapot", 3900, "2026-11-14T16:05:00+00:00"),
    ("A-1003", "Mai Linh", "mai@example.com", "open", "6 x cups", 5400, "2026-11-20T11:45:00+00:00"),
]


class Shop:
    """The orders, read and changed one call after the other."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Open the database for as long as the server runs. An empty one gets orders to try it with."""
        path = os.environ.get("ORDERS_DATABASE", "orders.db")
        # Each statement commits by itself, unless it stands between "begin" and the end of `with connection`.
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
            connection.row_factory = sqlite3.Row
            connection.executescript(TABLES)
            _fill_if_empty(connection)
            self._connection = connection
            try:
                yield
            finally:
                self._connection = None

    async def orders(self, query: str, status: Status | None, before: str | None, limit: int) -> list[Order]:
        """Orders that fit, the newest first, from below the number `before` on."""

        def read(connection: sqlite3.Connection) -> list[Order]:
            rows = connection.execute(
                "select * from orders where instr(lower(id || ' ' || customer || ' ' || email), lower(:query))"
                " and status = coalesce(:status, status) and (:before is null or id < :before)"
                " order by id desc limit :limit",
                {"query": query, "status": status, "before": before, "limit": limit},
            )
            return [_order(row) for row in rows]

        return await self._with(read)

    async def order(self, order_id: str) -> Order | None:
        """The order of this number; None when there is none."""

        def read(connection: sqlite3.Connection) -> Order | None:
            row = connection.execute("select * from orders where id = ?", [order_id]).fetchone()
            return None if row is None else _order(row)

        return await self._with(read)

    async def refund(self, asked: RefundOrder, *, call_id: str) -> Refund:
        """Pay back once for each call, however often it comes: one that is known gets its first answer again.

        Chatwright keeps the answers of calls with an idempotency key, but it cannot undo what happens here. When
        the machine stops between the two, the repeated call finds its own `call_id` and pays nothing more.
        """

        def pay(connection: sqlite3.Connection) -> Refund:
            with connection:
                connection.execute("begin immediate")
                known = connection.execute("select * from refunds where call_id = ?", [call_id]).fetchone()
                if known is not None:
                    return _refund(known)
                return _refund(_booked(connection, asked, call_id))

        return await self._with(pay)

    async def _with(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do something in a thread, so that the server's loop stays free."""
        if self._connection is None:
            raise Unavailable("The shop's database is not open.")
        async with self._turn:
            return await asyncio.to_thread(work, self._connection)


SHOP = Shop()


def _fill_if_empty(connection: sqlite3.Connection) -> None:
    if connection.execute("select 1 from orders").fetchone() is None:
        # Processes that start together may both come here.
        connection.executemany(
            "insert or ignore into orders (id, customer, email, status, content, total_cents, ordered_at)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            SAMPLES,
        )


def _booked(connection: sqlite3.Connection, asked: RefundOrder, call_id: str) -> sqlite3.Row:
    row = connection.execute(
        "update orders set refunded_cents = refunded_cents + :cents where id = :id"
        " returning total_cents - refunded_cents as left_cents",
        {"cents": asked.cents, "id": asked.order_id},
    ).fetchone()
    if row is None:
        raise OrderNotFound(f"There is no order '{asked.order_id[:50]}'.")
    if row["left_cents"] < 0:
        raise RefundTooLarge("That is more than is left of what the order cost.")
    return connection.execute(
        "insert into refunds values (?, ?, ?, ?, ?, ?) returning *",
        [
            call_id,
            asked.order_id,
            asked.cents,
            row["left_cents"],
            asked.reason,
            datetime.now(UTC).isoformat(),
        ],
    ).fetchone()


def _order(row: sqlite3.Row) -> Order:
    return Order.model_validate(dict(row))


def _refund(row: sqlite3.Row) -> Refund:
    return Refund.model_validate(dict(row))
