"""One piece of news on its way in."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatwright.features.messaging.deliveries.statuses import sending_now
from chatwright.features.messaging.inbound import store
from chatwright.features.messaging.inboxes.opening import OpenInbox
from chatwright.ports.channel import InboxView
from chatwright.ports.inbound import Person


class NotYet(Exception):
    """News of something that may become known in a moment: to be looked at again then."""


@dataclass(frozen=True, slots=True)
class Coming:
    """Where news came in, and the raw event that brought it."""

    inbox: OpenInbox
    event_id: UUID
    patient: bool = True
    """Whether it can still wait for what it is about; else it is to be dealt with as it is."""

    @property
    def view(self) -> InboxView[Any]:
        return self.inbox.view

    async def unknown(self, kind: str) -> None:
        """Count something nobody here knows, and mark its raw event with it."""
        await store.COUNT_UNKNOWN.run(self.view.id, kind[:100], self.event_id)
        await store.MARK_UNKNOWN.run(self.event_id, kind[:100])

    async def wait_for_sends(self, person: Person | None) -> None:
        """Raise NotYet while we are sending to this person, or, where nobody is named, from this inbox at all.

        What the news is about may be a message whose id we do not know yet, because the provider is faster with
        its news than with its answer.
        """
        if not self.patient:
            return
        if person is None:
            sending = await sending_now(self.view.id)
        else:
            sending = await store.SENDING_TO.one(self.view.id, list(person.identities.values()))
        if sending:
            raise NotYet

    async def about(self, message_id: UUID, what: str) -> None:
        """Note that the raw event says something of a message."""
        await store.ADD_MESSAGE_EVENT.run(message_id, self.event_id, what)
