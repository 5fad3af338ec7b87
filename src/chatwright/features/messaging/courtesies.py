"""Small things between us and a provider, best effort: that we have read, that we are typing, who somebody is."""

from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from chatwright.features.contacts.identities import recognise
from chatwright.features.messaging import store
from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox
from chatwright.features.messaging.store import CourtesyRow
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import Introducing, MarkingRead, Typing, channel_named, channel_names
from chatwright.ports.database import Database, wake
from chatwright.ports.inbound import Person
from chatwright.ports.ledger import Claim, Ledger

COURTESIES: Final = "courtesies"
STALE_SECONDS: Final = 15.0
"""Who was typing so long ago may have stopped."""

What = Literal["read", "typing", "introduction"]
_ABLE: Final[dict[str, type]] = {"read": MarkingRead, "typing": Typing, "introduction": Introducing}


async def want_courtesy(conversation_id: UUID, what: What) -> None:
    """Have it done, where the channel can do such a thing. One that waits already is enough."""
    able = [name for name in channel_names() if isinstance(channel_named(name), _ABLE[what])]
    if await store.INSERT_COURTESY.run(new_id(), conversation_id, what, able):
        wake(COURTESIES)


def courtesy_ledger(database: Database) -> Ledger:
    """The ledger of courtesies: tried once each, for late ones are none."""

    async def work(claim: Claim) -> None:
        async with database.autocommit():
            courtesy = await store.COURTESY.first(claim.row["conversation_id"])
            inbox = None if courtesy is None else await find_inbox(courtesy.inbox_id)
        person = None
        if courtesy is not None and inbox is not None and inbox.health in {"ok", "limited"}:
            async with claim.keeping():
                person = await _asked(claim, inbox, courtesy)
        async with claim.settling():
            if person is not None and inbox is not None:
                await recognise(inbox.view.workspace_id, inbox.view.id, person)

    return Ledger(COURTESIES, work, max_attempts=1)


async def _asked(claim: Claim, inbox: OpenInbox, courtesy: CourtesyRow) -> Person | None:
    """Do it; who the contact is, where that was the question and is told."""
    channel: object = inbox.channel
    if claim.row["what"] == "introduction" and isinstance(channel, Introducing):
        return await channel.introduce(inbox.view, courtesy.address)
    await _show(claim, inbox, courtesy)
    return None


async def _show(claim: Claim, inbox: OpenInbox, courtesy: CourtesyRow) -> None:
    channel: object = inbox.channel
    if claim.row["what"] == "typing":
        age = (datetime.now(UTC) - claim.row["created_at"]).total_seconds()
        if isinstance(channel, Typing) and age <= STALE_SECONDS:
            await channel.show_typing(inbox.view, courtesy.address, courtesy.last_external_id)
    elif isinstance(channel, MarkingRead) and courtesy.read_external_id is not None:
        await channel.mark_read(inbox.view, courtesy.address, courtesy.read_external_id)
