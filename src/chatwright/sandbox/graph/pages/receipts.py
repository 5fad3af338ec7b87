"""Deliveries and reads: by watermark on Messenger; Instagram tells reads alone, by message."""

import random

from chatwright.sandbox.faults import by_ending
from chatwright.sandbox.graph.accounts import GraphAccount, GraphPerson
from chatwright.sandbox.graph.outbox import Outbox
from chatwright.sandbox.graph.pages.wire import from_person, milliseconds
from chatwright.sandbox.world import Bubble, World


class Receipts:
    """Tells what became of messages, as far as the two tell it."""

    def __init__(self, world: World, outbox: Outbox) -> None:
        self._world = world
        self._outbox = outbox

    async def follow(self, account: GraphAccount, person: GraphPerson, bubble: Bubble) -> None:
        """Everything that comes by itself. No status ever tells that a message failed: it just never arrives."""
        faults = account.faults
        if by_ending(faults.failed, person.id) is not None:
            bubble.tick = "sent"
            return
        tells = [self.delivered] if account.kind == "messenger" else []
        if faults.auto_read:
            tells.append(self.read)
        if faults.status_shuffle:
            random.shuffle(tells)
        bubble.tick = "delivered"
        self._world.touch(account, person)
        if faults.no_statuses:
            return
        await self._world.clock.wait(faults.status_delay)
        for tell in tells:
            tell(account, person, bubble)

    def delivered(self, account: GraphAccount, person: GraphPerson, bubble: Bubble) -> None:
        """Tell that everything up to a message arrived."""
        receipt = {"mids": [bubble.id], "watermark": milliseconds(bubble.at)}
        item = {**from_person(account, person, self._world.clock.stamp()), "delivery": receipt}
        self._outbox.messaging(account, "message_deliveries", item, status=True)

    def read(self, account: GraphAccount, person: GraphPerson, bubble: Bubble) -> None:
        """Tell that everything up to a message was read."""
        for earlier in person.thread.bubbles:
            if earlier.side == "account":
                earlier.tick = "read"
            if earlier is bubble:
                break
        self._world.touch(account, person)
        head = from_person(account, person, self._world.clock.stamp())
        if account.kind == "instagram":
            item = {**head, "read": {"mid": bubble.id}}
            self._outbox.messaging(account, "messaging_seen", item, status=True)
        else:
            item = {**head, "read": {"watermark": milliseconds(bubble.at)}}
            self._outbox.messaging(account, "message_reads", item, status=True)
