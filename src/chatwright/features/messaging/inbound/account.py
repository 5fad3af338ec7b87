"""News of our own account at the provider: its health, its pace, its templates."""

from chatwright.features.messaging.inbound.coming import Coming
from chatwright.features.messaging.inboxes import store as inboxes
from chatwright.features.messaging.inboxes.health import set_health
from chatwright.features.messaging.templates.keeping import take_template_news
from chatwright.kernel.events import Event
from chatwright.ports.database import emit
from chatwright.ports.inbound import InboundAccount, InboundTemplate


async def take_account_news(coming: Coming, inbound: InboundAccount) -> None:
    """Note what the provider says of the account, and announce it as `inbox.news`.

    That the account is well again says nothing of credentials that have ended.
    """
    view = coming.view
    if inbound.health is not None and not (inbound.health == "ok" and coming.inbox.health == "reconnect"):
        words = None if inbound.health == "ok" else inbound.words
        await set_health(view.workspace_id, view.id, inbound.health, words)
    if inbound.per_second is not None and inbound.per_second > 0:
        await inboxes.SET_PACE.run(view.workspace_id, view.id, inbound.per_second)
    data = {"kind": inbound.kind[:100], "words": inbound.words[:500]}
    emit(Event("inbox.news", view.workspace_id, view.id, inbox_id=view.id, data=data))


async def take_template(coming: Coming, inbound: InboundTemplate) -> None:
    """A template changed at the provider."""
    await take_template_news(coming.view, inbound)
