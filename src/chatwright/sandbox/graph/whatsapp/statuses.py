"""What becomes of a message that WhatsApp accepted, and what it costs."""

import random
from typing import Any

from chatwright.sandbox.faults import by_ending
from chatwright.sandbox.graph.accounts import DAY, GraphAccount, GraphPerson, window_open
from chatwright.sandbox.graph.errors import GraphError, named
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.whatsapp.wire import moment, recipient, value_of
from chatwright.sandbox.world import Bubble, Tick, World

FREE_SERVICE_MESSAGES = 1000
"""A month, for each number; since 2026-10-01 further ones cost what utility messages cost."""


class Statuses:
    """Lets accepted messages arrive, be read, or fail."""

    def __init__(self, world: World, outbox: Outbox) -> None:
        self._world = world
        self._outbox = outbox

    async def follow(
        self, account: GraphAccount, person: GraphPerson, bubble: Bubble, failure: GraphError | None
    ) -> None:
        """Tell everything about a message that comes by itself."""
        if account.faults.no_statuses:
            return
        await self._world.clock.wait(account.faults.status_delay)
        fault = by_ending(account.faults.failed, person.phone or person.id)
        error = named(fault) if fault is not None else failure
        if error is not None:
            self.fail(account, person, bubble, error)
            return
        ticks: list[Tick] = ["sent", "delivered"] if not person.blocked else ["sent"]
        if account.faults.auto_read and not person.blocked:
            ticks.append("read")
        if account.faults.status_shuffle:
            random.shuffle(ticks)
        for tick in ticks:
            self.tell(account, person, bubble, tick)

    def tell(self, account: GraphAccount, person: GraphPerson, bubble: Bubble, tick: Tick) -> None:
        """Tell one status; the bubble's own never goes back."""
        order: list[Tick] = ["", "sent", "delivered", "read"]
        if bubble.tick in order and order.index(tick) > order.index(bubble.tick):
            bubble.tick = tick
        self._world.touch(account, person)
        further = {"pricing": bubble.details["_pricing"]} if tick in {"sent", "delivered"} else {}
        self._send(account, person, bubble, {"status": tick, **further})

    def fail(self, account: GraphAccount, person: GraphPerson, bubble: Bubble, error: GraphError) -> None:
        """Tell that it failed."""
        bubble.tick, bubble.error = "failed", error.name
        self._world.touch(account, person)
        self._send(account, person, bubble, {"status": "failed", "errors": [error.in_status()]})

    def _send(
        self, account: GraphAccount, person: GraphPerson, bubble: Bubble, status: dict[str, Any]
    ) -> None:
        found: dict[str, Any] = {
            "id": bubble.id,
            "timestamp": moment(account, self._world.clock.stamp()),
            **recipient(account, person),
            **status,
        }
        tracker = bubble.details.get("biz_opaque_callback_data")
        if tracker is not None:
            found["biz_opaque_callback_data"] = tracker
        value = {**value_of(account, person), "statuses": [found]}
        self._outbox.change(account, "messages", value, status=True)

    def price(self, account: GraphAccount, person: GraphPerson, category: str | None) -> dict[str, Any]:
        """What a message costs, by its template's category; None for one without template."""
        clock = self._world.clock
        if person.free_entry_until is not None and person.free_entry_until > clock.now():
            return _pricing(billable=False, category="referral_conversion", type_="free_entry_point")
        if category is not None:
            return _pricing(billable=True, category=category.lower(), type_="regular")
        account.service_messages += 1
        if account.service_messages > FREE_SERVICE_MESSAGES:
            return _pricing(billable=True, category="service", type_="regular")
        return _pricing(billable=False, category="service", type_="free_customer_service")


def late_failure(world: World, person: GraphPerson | None, category: str | None) -> GraphError | None:
    """What WhatsApp finds only after it accepted: a closed window, nobody there, somebody who wants none."""
    if person is None:
        return GraphError(131026, "Message undeliverable.")
    if category is None and not window_open(world.clock, person, DAY):
        return GraphError(
            131047,
            "Message failed to send because more than 24 hours have passed since the customer last replied "
            "to this number.",
        )
    if category == "MARKETING" and person.stopped_marketing:
        return GraphError(131050)
    if category == "MARKETING" and (person.phone or "").startswith("1"):
        return GraphError(131049)
    return None


def _pricing(*, billable: bool, category: str, type_: str) -> dict[str, Any]:
    return {"billable": billable, "pricing_model": "PMP", "category": category, "type": type_}
