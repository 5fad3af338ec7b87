"""Instagram user access tokens: good for 60 days, exchanged for a new one before they end.

A token can be exchanged once it is a day old, and not any more after its end (Instagram API with Instagram Login,
Refresh a long-lived token).
"""

from datetime import UTC, datetime, timedelta

from chatwright.channels.instagram.settings import InstagramSettings
from chatwright.kernel.errors import Unavailable
from chatwright.net.graph.client import GraphClient
from chatwright.net.graph.errors import GraphError
from chatwright.net.graph.tokens import raise_if_lost, try_out
from chatwright.net.http import NoAnswer, NotSent
from chatwright.net.reading import as_number, as_text

BEFORE_END = timedelta(days=10)
OLD_ENOUGH = timedelta(hours=25)


def renewal_of(settings: InstagramSettings) -> datetime | None:
    """When to renew: well before the end, or, where nobody knows the end, as soon as that can be done."""
    if settings.login == "facebook":
        return None
    if settings.token_expires_at is None:
        return datetime.now(UTC) + OLD_ENOUGH
    return settings.token_expires_at - BEFORE_END


async def renewed(client: GraphClient, settings: InstagramSettings) -> InstagramSettings:
    """Settings with a token that works; raises CredentialsLost, or Unavailable when nobody can say now.

    What cannot be renewed, as a page's token, stays as long as it opens the account: Meta at times refuses a
    good one.
    """
    if settings.login == "instagram":
        try:
            return await _exchanged(client, settings)
        except (GraphError, NotSent, NoAnswer) as error:
            raise_if_lost(error)
    await try_out(client, "me")
    due = renewal_of(settings)
    if due is not None and due <= datetime.now(UTC):
        message = "Instagram does not renew the access token just now."
        raise Unavailable(message)
    return settings


async def _exchanged(client: GraphClient, settings: InstagramSettings) -> InstagramSettings:
    reply = await client.get("refresh_access_token", grant_type="ig_refresh_token", access_token=client.token)
    token, seconds = as_text(reply.body.get("access_token")), as_number(reply.body.get("expires_in"))
    if token is None:
        message = "Instagram answered without a new access token."
        raise NoAnswer(message)
    return settings.renewed(token, datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None)
