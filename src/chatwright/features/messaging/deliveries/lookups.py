"""Asking a provider whether it took what nobody knows the end of."""

from collections.abc import Iterable

from pydantic import TypeAdapter

from chatwright.features.messaging.deliveries import statuses, store
from chatwright.features.messaging.deliveries.intending import DELIVERIES, LOOKUPS
from chatwright.features.messaging.deliveries.rules import PartStatus
from chatwright.features.messaging.deliveries.statuses import News
from chatwright.features.messaging.deliveries.store import LookUp
from chatwright.features.messaging.inboxes.opening import find_inbox
from chatwright.ports.channel import LookingUp
from chatwright.ports.content import Content
from chatwright.ports.database import Database, wake
from chatwright.ports.ledger import Claim, Ledger
from chatwright.ports.sending import FoundMessage, Outgoing

FIRST_LOOK_SECONDS = 30.0
"""A call that was cut off may still be on its way into the provider's books."""
MOST_LOOKS = 12

_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


def lookup_ledger(database: Database) -> Ledger:
    """The ledger of questions, asked until the provider knows or a day is nearly over."""
    return Ledger(LOOKUPS, LookingThrough(database).work, max_attempts=MOST_LOOKS)


class LookingThrough:
    """The work of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def work(self, claim: Claim) -> None:
        """Ask once; raises Unavailable when the provider cannot say, to be asked again later."""
        async with self._database.autocommit():
            about = await store.LOOK_UP.one(claim.row["delivery_id"])
            inbox = await find_inbox(about.inbox_id)
        channel: object = inbox.channel if inbox else None
        if inbox is None or about.status != "unknown" or not isinstance(channel, LookingUp):
            async with claim.settling():
                return
        async with claim.keeping():
            found = await channel.look_up(inbox.view, _outgoing(about))
        async with claim.settling():
            await _settle(about, found)


async def _settle(about: LookUp, found: FoundMessage | None) -> None:
    message = await statuses.lock(about.message_id)
    if found is not None:
        news = News("sent", "The provider has it.", at=found.at, external_ids=(found.external_id,))
        await statuses.move(about.message_id, about.delivery_id, news)
        return
    parts = await statuses.parts_of(message.id)
    if _is_open(parts[about.delivery_id], parts.values()) and await store.REQUEUE.first(about.delivery_id):
        await statuses.refresh(message, "The provider never took it; it is sent again.")
        wake(DELIVERIES)


def _is_open(asked: PartStatus, parts: Iterable[PartStatus]) -> bool:
    """Whether nobody has settled it or sent it again meanwhile."""
    later = any(one.part == asked.part and one.round > asked.round for one in parts)
    return asked.status == "unknown" and not later


def _outgoing(about: LookUp) -> Outgoing:
    content = _CONTENT.validate_python(about.content)
    return Outgoing(about.wire_id, about.address, content, conversation_id=about.conversation_id)
