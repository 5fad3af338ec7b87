"""Answers to forms at the provider: fetched where that is needed, and made into contacts."""

from chatwright.features.contacts.told import contact_of_answers
from chatwright.features.messaging.inbound import store
from chatwright.features.messaging.inbound.coming import Coming
from chatwright.features.messaging.inboxes.opening import OpenInbox, find_inbox
from chatwright.kernel.events import Event
from chatwright.kernel.ids import new_id
from chatwright.ports.channel import FetchingLeads, ProviderRefused
from chatwright.ports.database import Database, emit, wake
from chatwright.ports.inbound import InboundLead
from chatwright.ports.ledger import Claim, Ledger

LEADS = "leads"
MOST_ATTEMPTS = 12
"""With the waits between them a provider may be away for more than an hour; leads can be read for months."""


async def take_lead(coming: Coming, inbound: InboundLead) -> None:
    """Keep a lead, once, and have its answers fetched if they did not come along."""
    view = coming.view
    answers = None if inbound.answers is None else dict(inbound.answers)
    new = await store.INSERT_LEAD.first(
        new_id(),
        view.workspace_id,
        view.id,
        inbound.lead_id,
        inbound.form_id,
        inbound.ad_id,
        answers,
        inbound.at,
    )
    if new is not None:
        wake(LEADS)


def lead_ledger(database: Database) -> Ledger:
    """The ledger of leads."""

    async def work(claim: Claim) -> None:
        async with database.autocommit():
            inbox = await find_inbox(claim.row["inbox_id"])
        if inbox is None:
            async with claim.settling("failed", error="The inbox was disconnected."):
                return
        lead = _lead_of(claim)
        if lead.answers is None:
            try:
                async with claim.keeping():
                    lead = await _fetched(inbox, lead)
            except ProviderRefused as error:
                async with claim.settling("failed", error=error.message):
                    return
        await _keep(claim, lead)

    return Ledger(LEADS, work, max_attempts=MOST_ATTEMPTS)


def _lead_of(claim: Claim) -> InboundLead:
    row = claim.row
    return InboundLead(row["lead_id"], row["form_id"], row["ad_id"], row["answers"], row["at"])


async def _fetched(inbox: OpenInbox, lead: InboundLead) -> InboundLead:
    channel: object = inbox.channel
    if not isinstance(channel, FetchingLeads):
        message = "This channel cannot fetch the answers of leads."
        raise ProviderRefused(message)
    return await channel.fetch_lead(inbox.view, lead)


async def _keep(claim: Claim, lead: InboundLead) -> None:
    workspace_id, inbox_id = claim.row["workspace_id"], claim.row["inbox_id"]
    answers = dict(lead.answers or {})
    async with claim.settling():
        contact_id = await contact_of_answers(workspace_id, answers)
        await store.SETTLE_LEAD.run(
            claim.id,
            answers,
            contact_id,
            lead.form_id or claim.row["form_id"],
            lead.ad_id or claim.row["ad_id"],
        )
        data = {"contact_id": contact_id and str(contact_id), "form_id": lead.form_id, "ad_id": lead.ad_id}
        emit(Event("lead.received", workspace_id, claim.id, inbox_id=inbox_id, data=data))
